"""TLS's own bytes: handshakes that stall, records cut anywhere, processes that fork."""

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

import seedbed as sb
from seedbed.transports.cancellation import Cancellation
from seedbed.transports.http2.address import Address
from seedbed.transports.http2.connections import Connections
from seedbed.transports.http2.errors import CallError, SilentError, UnmetError
from seedbed.transports.http2.tls_socket import BUFFER_BYTES
from seedbed.transports.security import Security
from seedbed.transports.trust import read_trust
from seedbed.transports.try_limits import ALONE
from tests.certificates import Issued
from tests.event_loops import run
from tests.http2_server import (
    PING,
    Exchange,
    Line,
    call_of,
    connections_to,
    messages_of,
    nothing_left_open,
    prefixed,
    raw_frame,
    scripted_server,
    secured,
)
from tests.security.slicer import slicer

SPEC = sb.TensorSpec("w", (2**19 + 3,), "float32", sb.RandomUniform(seed=2))
BODY = np.random.default_rng(1).bytes(3 * BUFFER_BYTES + 5)
RECORD_BYTES = 2**14
SOON_SECONDS = 3.0


@pytest.fixture(autouse=True)
def _nothing_is_left_open() -> Iterator[None]:
    with nothing_left_open():
        yield


@pytest.fixture
def _secured(tmp_path: Path) -> Iterator[None]:
    with secured(tmp_path):
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
    assert time.monotonic() - begin < SOON_SECONDS


def _answer(exchange: Exchange) -> None:
    exchange.answer(BODY)


# Handshakes that do not end.

TRANSPORTS: dict[str, dict[str, int | str] | None] = {
    "bulk": None,
    "gRPC": {"grpc.max_receive_message_length": -1},
}


@pytest.mark.parametrize("options", TRANSPORTS.values(), ids=list(TRANSPORTS))
def test_a_deadline_ends_a_call_whose_handshake_stalls(
    silent: str, ca_file: Path, options: Any
) -> None:
    tls = sb.Tls(ca=ca_file)
    with (
        sb.connect(silent, tls=tls, options=options) as client,
        _soon(),
        pytest.raises(sb.DeadlineError),
    ):
        client.sample(SPEC, timeout_seconds=0.3)


@pytest.mark.parametrize("options", TRANSPORTS.values(), ids=list(TRANSPORTS))
def test_a_task_that_is_cancelled_ends_a_handshake_that_stalls(
    silent: str, ca_file: Path, options: Any
) -> None:
    async def main() -> None:
        async with sb.aio.connect(silent, tls=sb.Tls(ca=ca_file), options=options) as client:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await client.sample(SPEC)

    with _soon():
        run(main())


def test_a_handshake_that_stalls_is_given_up_with_the_connection(
    silent: str, ca_file: Path
) -> None:
    host, port = silent.split(":")
    security = Security.of(sb.Tls(ca=ca_file), None)
    limits = replace(ALONE, connect_seconds=0.3)
    with (
        closing(Connections(Address(None, host, int(port)), security)) as connections,
        _soon(),
        pytest.raises(SilentError, match="timed out"),
    ):
        messages_of(connections, timeout_seconds=None, limits=limits)


@pytest.mark.parametrize("size_bytes", [1, 5, 100, 700])
@pytest.mark.usefixtures("_secured")
def test_a_handshake_that_stalls_half_way_is_given_up(size_bytes: int) -> None:
    with scripted_server(_answer) as server, slicer(("127.0.0.1", server.address.port)) as relay:
        relay.let_pass(size_bytes)
        address = Address(None, "127.0.0.1", relay.port)
        with closing(Connections(address, server.ends.client)) as connections, _soon():
            cancellation = Cancellation()
            threading.Timer(0.2, cancellation.cancel).start()
            with pytest.raises(CallError) as caught:
                messages_of(connections, cancellation=cancellation)
            assert caught.value.code() is grpc.StatusCode.CANCELLED
            with pytest.raises(CallError) as caught:
                messages_of(connections, timeout_seconds=0.2)
            assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


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
        for options in TRANSPORTS.values():
            with (
                sb.connect(
                    target, tls=sb.Tls(ca=ca_file), options=options, patience_seconds=0
                ) as client,
                pytest.raises(sb.UnavailableError, match="does not answer"),
            ):
                client.server_info()
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


# Records.


@pytest.mark.parametrize("size_bytes", [1, 2, 8, 9, 1000, RECORD_BYTES - 1, RECORD_BYTES + 1])
@pytest.mark.usefixtures("_secured")
def test_an_answer_is_the_same_whatever_the_size_of_records(
    size_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = BODY if size_bytes > 100 else BODY[:3000]

    def raw(line: Line, data: bytes) -> None:
        for begin in range(0, len(data), size_bytes):
            line.socket.sendall(data[begin : begin + size_bytes])

    monkeypatch.setattr(Line, "raw", raw)
    with (
        scripted_server(lambda exchange: exchange.answer(body, body)) as server,
        connections_to(server) as connections,
    ):
        for _ in range(2):
            assert messages_of(connections) == [body, body]


@pytest.mark.parametrize("size_bytes", [1, 3, 5, 6, 1000, BUFFER_BYTES - 1])
@pytest.mark.usefixtures("_secured")
def test_an_answer_is_the_same_wherever_tcp_cuts_it(size_bytes: int) -> None:
    body = BODY if size_bytes > 100 else BODY[:2000]
    with (
        scripted_server(lambda exchange: exchange.answer(body, body)) as server,
        slicer(("127.0.0.1", server.address.port), size_bytes) as relay,
        closing(
            Connections(Address(None, "127.0.0.1", relay.port), server.ends.client)
        ) as connections,
    ):
        for _ in range(2):
            assert messages_of(connections) == [body, body]


@pytest.mark.usefixtures("_secured")
def test_half_a_record_on_an_idle_connection_delays_nobody() -> None:
    """It is no data; the next call takes its rest."""
    is_read = threading.Event()

    def ping(exchange: Exchange) -> None:
        exchange.answer(b"first")
        assert is_read.wait(10)
        exchange.raw(raw_frame(PING, bytes(8)))

    with (
        scripted_server(ping, lambda exchange: exchange.answer(b"second")) as server,
        slicer(("127.0.0.1", server.address.port)) as relay,
        closing(
            Connections(Address(None, "127.0.0.1", relay.port), server.ends.client)
        ) as connections,
    ):
        assert messages_of(connections) == [b"first"]
        relay.let_pass(7)
        is_read.set()
        relay.wait_held()
        (connection,) = connections._idle
        with _soon():
            assert connection.is_alive()
        threading.Timer(0.1, relay.let_pass, (None,)).start()
        assert messages_of(connections) == [b"second"]
        server.wait_for(lambda: bool(server.lines[0].ping_acks))
        assert len(server.lines) == 1


@pytest.mark.usefixtures("_secured")
def test_an_answer_that_never_pauses_is_late_all_the_same() -> None:
    def endless(exchange: Exchange) -> None:
        exchange.start()
        while not exchange.line.is_closed:
            exchange.data(prefixed(BODY))

    with scripted_server(endless) as server, connections_to(server) as connections, _soon():
        with pytest.raises(CallError) as caught:
            messages_of(connections, timeout_seconds=0.5)
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


@pytest.mark.usefixtures("_secured")
def test_a_bit_that_flips_breaks_the_connection_and_may_not_the_next_time() -> None:
    """Another try is made: it is no matter of trust."""

    def damaged(exchange: Exchange) -> None:
        exchange.start()
        tcp = socket.socket(fileno=exchange.line.socket.detach())
        tcp.sendall(b"\x17\x03\x03\x00\x20" + bytes(32))
        tcp.close()
        exchange.line.is_closed = True

    with (
        scripted_server(damaged, _answer) as server,
        connections_to(server) as connections,
        pytest.raises(CallError, match=r"the connection is gone: .*(BAD_RECORD|mac)") as caught,
        call_of(connections) as call,
    ):
        call.next_message()
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert not isinstance(caught.value, UnmetError)


def test_no_renegotiation_and_no_old_tls(ca_file: Path) -> None:
    context = read_trust(sb.Tls(ca=ca_file)).context
    assert context.options & ssl.OP_NO_RENEGOTIATION
    assert context.options & ssl.OP_NO_COMPRESSION
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED


@pytest.mark.parametrize("options", TRANSPORTS.values(), ids=list(TRANSPORTS))
def test_a_server_of_another_protocol_is_told_from_ours(
    server_files: Issued, ca_file: Path, options: Any
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server_files.cert, server_files.key)
    with (
        _tls_server(context) as target,
        sb.connect(target, tls=sb.Tls(ca=ca_file), options=options) as client,
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
