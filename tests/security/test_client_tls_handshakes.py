"""Handshakes that stall, break off, or lead to another protocol."""

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

import seedbed as sb
from seedbed.transports.cancellation import Cancellation
from seedbed.transports.http2.address import Address
from seedbed.transports.probe import Probe
from seedbed.transports.security import Security
from seedbed.transports.trust import read_trust
from tests.certificates import Issued
from tests.event_loops import run
from tests.left_open import nothing_left_open
from tests.waiting import LATE_SECONDS

SPEC = sb.TensorSpec("w", (2**19 + 3,), "float32", sb.RandomUniform(seed=2))


@pytest.fixture(autouse=True)
def _nothing_is_left_open() -> Iterator[None]:
    with nothing_left_open():
        yield


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that takes connections, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"127.0.0.1:{listening.getsockname()[1]}"


@contextmanager
def _soon() -> Iterator[None]:
    begin = time.monotonic()
    yield
    assert time.monotonic() - begin < LATE_SECONDS


def test_a_deadline_ends_a_call_whose_handshake_stalls(silent: str, ca_file: Path) -> None:
    tls = sb.Tls(ca=ca_file)
    with (
        sb.connect(silent, tls=tls) as client,
        _soon(),
        pytest.raises(sb.DeadlineError),
    ):
        client.sample(SPEC, timeout_seconds=0.3)


def test_a_task_that_is_cancelled_ends_a_handshake_that_stalls(silent: str, ca_file: Path) -> None:
    async def main() -> None:
        async with sb.aio.connect(silent, tls=sb.Tls(ca=ca_file)) as client:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await client.sample(SPEC)

    with _soon():
        run(main())


STAGES = {"at once": b"", "in a record": b"\x16\x03\x03\x01\x00\x02"}


@pytest.mark.parametrize("said", STAGES.values(), ids=STAGES)
def test_whoever_asks_why_a_server_does_not_speak_waits_no_longer_than_allowed(
    said: bytes, ca_file: Path
) -> None:
    with _half_way(said) as address:
        security = Security.of(sb.Tls(ca=ca_file), None)
        probe = Probe(address, sb.Tls(ca=ca_file), security.trust)
        with _soon():
            assert probe.reason(0.3, Cancellation()) is None
        cancellation = Cancellation()
        threading.Timer(0.2, cancellation.cancel).start()
        with _soon():
            assert probe.reason(60.0, cancellation) is None


@contextmanager
def _half_way(said: bytes) -> Iterator[Address]:
    """Yield the address of a server that says a little, and then nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening, ExitStack() as stack:

        def serve() -> None:
            while True:
                try:
                    connected, _ = listening.accept()
                except OSError:
                    return
                stack.enter_context(connected).sendall(said)

        thread = threading.Thread(target=serve)
        thread.start()
        yield Address(None, "127.0.0.1", listening.getsockname()[1])
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_a_server_that_hangs_up_in_a_handshake_may_do_better_later(ca_file: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def hang_up() -> None:
            while True:
                try:
                    connected, _ = listening.accept()
                except OSError:
                    return
                connected.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        target = f"127.0.0.1:{listening.getsockname()[1]}"
        with (
            sb.connect(target, tls=sb.Tls(ca=ca_file), patience_seconds=0) as client,
            pytest.raises(sb.UnavailableError, match="does not answer"),
        ):
            client.server_info()
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_no_old_tls(ca_file: Path) -> None:
    context = read_trust(sb.Tls(ca=ca_file)).context
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED


def test_a_server_of_another_protocol_is_told_from_ours(
    server_files: Issued, ca_file: Path
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server_files.cert, server_files.key)
    with (
        _tls_server(context) as target,
        sb.connect(target, tls=sb.Tls(ca=ca_file)) as client,
        pytest.raises(sb.TlsError, match="but no HTTP/2 in it: check that it is a seedbed-server"),
    ):
        client.server_info()


@contextmanager
def _tls_server(context: ssl.SSLContext) -> Iterator[str]:
    """Yield the address of a server that shakes hands, and then waits for the client to go."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    connected, _ = listening.accept()
                except OSError:
                    return
                try:
                    with context.wrap_socket(connected, server_side=True) as secured_socket:
                        secured_socket.recv(1)
                except OSError:
                    connected.close()

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()
