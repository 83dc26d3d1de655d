"""Certificates that change under a server: new connections get the new ones, no call fails."""

import re
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import grpc
import pytest
from cryptography import x509

from seedbed.v1 import service_pb2
from tests.certificates import Authority, Issued, authority
from tests.raw_calls import MIB, NUMERICS, large_request, raw_sample, stub, tensor
from tests.security.tls_clients import health, shown_serial, tls_channel
from tests.servers import LISTENING, ServerProcess, serving
from tests.waiting import wait_until

SWAPS = 5
LONG_STREAM_BYTES = 256 * MIB
JOBS = ("unary", "stream", "new", "new as well")
EXPIRES = "seedbed_tls_certificate_expires_timestamp_seconds"


class Live:
    """A folder of certificates, swapped as Kubernetes does: a symbolic link to the whole of it.

    Args:
        folder: where versions are kept.
        ca: who issues the server's certificates.
    """

    def __init__(self, folder: Path, ca: Authority) -> None:
        self._folder = folder
        self._ca = ca
        self._versions = 0
        self.data = folder / "..data"
        self.serial = 0
        self.expires = datetime.now(UTC)

    @property
    def flags(self) -> tuple[str, ...]:
        """The server's flags."""
        names = {"cert": "server.crt", "key": "server.key", "client-ca": "clients.crt"}
        return tuple(
            word
            for name, file in names.items()
            for word in (f"--tls-{name}", str(self.data / file))
        )

    def swap(self, *client_authorities: Authority) -> None:
        """Put a new certificate, and authorities of clients, in the place of the old ones."""
        version = self._new_version()
        expires = datetime.now(UTC).replace(microsecond=0) + timedelta(days=100 + self._versions)
        self.serial = self._ca.issue(version, "server", valid_until=expires).serial
        self.expires = expires
        pem = [each.write(version / "one.crt").read_bytes() for each in client_authorities]
        (version / "clients.crt").write_bytes(b"".join(pem))
        self._show(version)

    def swap_in(self, change: Callable[[Path], object]) -> None:
        """Put a changed copy in the place of the files."""
        version = self._new_version()
        shutil.copytree(self.data, version, dirs_exist_ok=True)
        change(version)
        self._show(version)

    def _new_version(self) -> Path:
        self._versions += 1
        version = self._folder / f"version-{self._versions}"
        version.mkdir()
        return version

    def _show(self, version: Path) -> None:
        link = self._folder / "..data_tmp"
        link.symlink_to(version.name)
        link.replace(self.data)


class Load(NamedTuple):
    """Clients that call all the time, and what came of it."""

    counts: Counter[str]
    failures: list[str]

    def go_on(self) -> None:
        """Return when each client has begun and ended a call from now on; fail if one does not."""
        before = Counter(self.counts)
        wait_until(lambda: all(self.counts[name] > before[name] + 1 for name in JOBS))


@contextmanager
def load(address: str, ca: Path, client: Issued) -> Iterator[Load]:
    """Run clients within the block: on old connections and on new ones, unary calls and streams."""
    found = Load(Counter(), [])
    is_over = threading.Event()
    small = service_pb2.SampleSmallTensorRequest(
        tensor=tensor((64,)),
        numerics=NUMERICS,
    )

    def unary(channel: grpc.Channel) -> None:
        assert stub(channel).SampleSmallTensor(small, timeout=60)

    def stream(channel: grpc.Channel) -> None:
        assert sum(map(len, raw_sample(channel, large_request(4 * MIB), timeout=60))) > 4 * MIB

    def repeat(name: str, call: Callable[[], None]) -> None:
        while not is_over.is_set():
            try:
                call()
            except Exception as error:  # noqa: BLE001  # the test tells which
                found.failures.append(f"{name}: {error}")
            found.counts[name] += 1

    def on_new_connections() -> None:
        with tls_channel(address, ca, client) as channel:
            unary(channel)
            stream(channel)

    with tls_channel(address, ca, client) as old:
        jobs = (lambda: unary(old), lambda: stream(old), on_new_connections, on_new_connections)
        threads = [
            threading.Thread(target=repeat, args=each) for each in zip(JOBS, jobs, strict=True)
        ]
        for each in threads:
            each.start()
        try:
            yield found
        finally:
            is_over.set()
            for each in threads:
                each.join()


@pytest.fixture
def live(tmp_path: Path, ca: Authority) -> Live:
    """Files that can be swapped; the first version trusts the clients of the tests' authority."""
    found = Live(tmp_path, ca)
    found.swap(ca)
    return found


@contextmanager
def swapping_server(live: Live) -> Iterator[tuple[ServerProcess, list[str]]]:
    """Yield a server that uses the files, and its two TLS addresses."""
    more = ("--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0")
    with serving(*more, *live.flags) as server:
        server.wait_for_count("INFO listening", 2)
        yield server, re.findall(LISTENING, server.log)


def test_swaps_under_load_fail_no_call_and_reach_new_connections(
    live: Live, ca: Authority, ca_file: Path, client_files: Issued, tmp_path: Path
) -> None:
    with swapping_server(live) as (server, addresses):
        with (
            load(addresses[0], ca_file, client_files) as found,
            tls_channel(addresses[0], ca_file, client_files) as channel,
        ):
            # It is read by and by, across all swaps.
            slow = raw_sample(channel, large_request(LONG_STREAM_BYTES), timeout=600)
            received = len(next(slow))
            before: Authority | None = None
            for number in range(SWAPS):
                added = authority(f"clients {number}")
                newcomer = added.issue(tmp_path, f"client-{number}")
                live.swap(ca, added)
                for address in addresses:
                    _wait_until_shown(address, live.serial, client_files)
                    with tls_channel(address, ca_file, newcomer) as theirs:
                        assert health(theirs) == "SERVING"
                        if before is not None:
                            _check_is_refused(address, ca_file, before, tmp_path)
                before = added
                received += sum(len(next(slow)) for _ in range(4))
                found.go_on()
                wait_until(lambda: server.metric(EXPIRES) == live.expires.timestamp())
            received += sum(map(len, slow))
        assert found.failures == []
        assert received > LONG_STREAM_BYTES
        assert "ERROR" not in server.log
        assert "Traceback" not in server.log
        server.wait_for_count("INFO files read again", SWAPS)


def _wait_until_shown(address: str, serial: int, client: Issued) -> None:
    wait_until(lambda: shown_serial(address, client) == serial)


def _check_is_refused(address: str, ca_file: Path, signer: Authority, folder: Path) -> None:
    """Fail unless new connections with an authority's certificates are refused."""
    with tls_channel(address, ca_file, signer.issue(folder, "late")) as channel:
        assert health(channel).startswith("UNAVAILABLE: ")


def test_a_client_whose_authority_is_gone_keeps_its_connection(
    live: Live, ca: Authority, ca_file: Path, tmp_path: Path
) -> None:
    gone = authority("gone")
    client = gone.issue(tmp_path, "client")
    live.swap(ca, gone)
    with (
        swapping_server(live) as (server, [address, _]),
        tls_channel(address, ca_file, client) as open_before,
    ):
        assert health(open_before) == "SERVING"
        live.swap(ca)
        server.wait_for("INFO files read again")
        _check_is_refused(address, ca_file, gone, tmp_path)
        assert health(open_before) == "SERVING"


def _other_key(folder: Path) -> None:
    other = authority("other").issue(folder, "other")
    other.key.replace(folder / "server.key")


BROKEN: dict[str, Callable[[Path], object]] = {
    "does not belong": _other_key,
    "server.crt has no certificate": lambda folder: (folder / "server.crt").write_text("?"),
    "cannot read .*server.key": lambda folder: (folder / "server.key").unlink(),
    "clients.crt has no certificate": lambda folder: (folder / "clients.crt").write_text(""),
}


def test_broken_files_are_one_line_each_and_the_old_ones_stay(
    live: Live, ca: Authority, ca_file: Path, client_files: Issued
) -> None:
    with swapping_server(live) as (server, [address, _]):
        serial, expires = live.serial, live.expires.timestamp()
        secrets = [(live.data / "server.key").read_text().splitlines()[1]]
        for number, (message, change) in enumerate(BROKEN.items(), 1):
            live.swap_in(change)
            server.wait_for(f"ERROR .*{message}.*; what was read before stays in use")
            for _ in range(4):
                assert shown_serial(address, client_files) == serial
                with tls_channel(address, ca_file, client_files) as channel:
                    assert health(channel) == "SERVING"
            assert server.metric(EXPIRES) == expires
            assert server.log.count("ERROR") == number
            if (key := live.data / "server.key").exists():
                secrets.append(key.read_text().splitlines()[1])
            # So that each change is one from what is right.
            live.swap(ca)
            _wait_until_shown(address, live.serial, client_files)
            serial, expires = live.serial, live.expires.timestamp()
        assert "Traceback" not in server.log
        assert not [secret for secret in secrets if secret in server.log]


def test_files_that_are_replaced_one_by_one_are_taken_in_the_end(
    live: Live, ca: Authority, client_files: Issued
) -> None:
    with swapping_server(live) as (server, [address, _]):
        issued = ca.issue(live.data, "next")
        issued.cert.replace(live.data / "server.crt")
        server.wait_for("ERROR .*does not belong.*; what was read before stays in use")
        issued.key.replace(live.data / "server.key")
        _wait_until_shown(address, issued.serial, client_files)


def test_a_certificate_that_expires_while_it_is_served_is_one_warning(
    ca: Authority, tmp_path: Path
) -> None:
    issued = ca.issue(tmp_path, "brief", valid_until=datetime.now(UTC) + timedelta(seconds=8))
    flags = ("--tls-cert", str(issued.cert), "--tls-key", str(issued.key))
    with serving(*flags, "--admin-listen", "127.0.0.1:0") as server:
        server.wait_for("WARNING the certificate is not valid now")
        shown = x509.load_pem_x509_certificate(issued.cert.read_bytes())
        assert server.metric(EXPIRES) == shown.not_valid_after_utc.timestamp()
        assert server.log.count("WARNING") == 1
