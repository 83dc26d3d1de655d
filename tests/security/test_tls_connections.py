"""Who gets through to a server that speaks TLS, and that nobody else leaves a trace."""

import json
import os
import re
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import grpc
import pytest
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from seedbed.v1 import service_pb2
from tests.certificates import Authority, Issued, authority
from tests.raw_calls import MIB, SERVICE, large_request, raw_sample, stub
from tests.security.tls_clients import (
    ANSWER_SECONDS,
    health,
    tls_channel,
    wait_for_no_connections,
)
from tests.servers import LISTENING, ServerProcess, server_process, serving
from tests.waiting import wait_until

GUIDE = (Path(__file__).parents[2] / "docs/how-to/serve-a-team.md").read_text("utf-8")
# After which a connection that has not begun to speak HTTP/2 is closed.
HANDSHAKE_SECONDS = 10.0
HALF_OPEN = 200


def tls_flags(issued: Issued, client_ca: Path | None = None) -> tuple[str, ...]:
    """Return the server's flags for a certificate."""
    clients = ("--tls-client-ca", str(client_ca)) if client_ca else ()
    return ("--tls-cert", str(issued.cert), "--tls-key", str(issued.key), *clients)


class Peer(NamedTuple):
    """A server and what its clients need."""

    server: ServerProcess
    ca: Path
    client: Issued | None

    def answers(self) -> bool:
        """Return whether a client that keeps the rules is answered."""
        with tls_channel(self.server.address, self.ca, self.client) as channel:
            return health(channel) == "SERVING"

    def check_untouched(self) -> None:
        """Fail unless the server is as well as before, and nothing is left of a client."""
        assert self.answers()
        wait_for_no_connections(self.server)
        assert "Traceback" not in self.server.log
        assert "ERROR" not in self.server.log


@pytest.fixture(scope="module")
def tls(ca_file: Path, server_files: Issued) -> Iterator[Peer]:
    """A server with a certificate."""
    with serving(*tls_flags(server_files)) as server:
        yield Peer(server, ca_file, None)


@pytest.fixture(scope="module")
def mutual(
    ca_file: Path,
    server_files: Issued,
    client_files: Issued,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Peer]:
    """A server with a certificate whose clients need one; it listens on a Unix socket as well."""
    path = tmp_path_factory.mktemp("socket") / "seedbed.sock"
    with serving("--listen", f"unix://{path}", *tls_flags(server_files, ca_file)) as server:
        yield Peer(server, ca_file, client_files)


@pytest.mark.parametrize("name", ["tls", "mutual"])
def test_a_client_that_trusts_the_authority_is_served(
    request: pytest.FixtureRequest, name: str
) -> None:
    peer: Peer = request.getfixturevalue(name)
    with tls_channel(peer.server.address, peer.ca, peer.client) as channel:
        assert health(channel) == "SERVING"
        info = stub(channel).GetServerInfo(service_pb2.GetServerInfoRequest(), timeout=60)
        assert info.backend == "cpu"
        received = sum(map(len, raw_sample(channel, large_request(8 * MIB), timeout=60)))
        assert received > 8 * MIB
        requests = iter([reflection_pb2.ServerReflectionRequest(list_services="")])
        reflection: Any = reflection_pb2_grpc.ServerReflectionStub(channel)
        [answer] = reflection.ServerReflectionInfo(requests, timeout=ANSWER_SECONDS)
        assert SERVICE in {each.name for each in answer.list_services_response.service}
    peer.check_untouched()


def test_a_client_of_another_authority_refuses_the_server(tls: Peer, tmp_path: Path) -> None:
    stranger = authority("stranger").write(tmp_path / "stranger.crt")
    with tls_channel(tls.server.address, stranger) as channel:
        assert re.match("UNAVAILABLE: .*CERTIFICATE_VERIFY_FAILED", health(channel))
    tls.check_untouched()


def test_a_client_of_another_name_refuses_the_server(tls: Peer) -> None:
    with tls_channel(
        tls.server.address, tls.ca, ssl_target_name_override="elsewhere.example"
    ) as channel:
        # What is written around the word depends on gRPC's version.
        assert re.match("UNAVAILABLE: .*[Nn]ame", health(channel))
    tls.check_untouched()


def test_a_plain_client_of_a_tls_server_is_turned_away(tls: Peer) -> None:
    with grpc.insecure_channel(tls.server.address) as channel:
        assert health(channel).startswith("UNAVAILABLE: ")
    tls.check_untouched()


def test_a_tls_client_of_a_plain_server_is_turned_away(ca_file: Path) -> None:
    with server_process() as server:
        with tls_channel(server.address, ca_file) as channel:
            assert health(channel).startswith("UNAVAILABLE: ")
        with grpc.insecure_channel(server.address) as channel:
            assert health(channel) in {"NOT_SERVING", "SERVING"}
        wait_for_no_connections(server)
        assert "Traceback" not in server.log


def test_an_expired_server_says_so_once_and_clients_refuse_it(
    ca: Authority, ca_file: Path, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    issued = ca.issue(
        tmp_path, "old", valid_from=now - timedelta(days=9), valid_until=now - timedelta(days=2)
    )
    with server_process(*tls_flags(issued)) as server:
        with tls_channel(server.address, ca_file) as channel:
            assert re.match("UNAVAILABLE: .*CERTIFICATE_VERIFY_FAILED", health(channel))
        date = f"{now - timedelta(days=2):%Y-%m-%d}"
        server.wait_for(f"WARNING the certificate is not valid now .*valid_until={date}T")
        wait_for_no_connections(server)
        assert server.log.count("WARNING") == 1
        assert "Traceback" not in server.log


def no_certificate(ca: Authority, folder: Path) -> Issued | None:
    del ca, folder
    return None


def a_strangers(ca: Authority, folder: Path) -> Issued:
    del ca
    return authority("stranger").issue(folder, "client")


def an_expired_one(ca: Authority, folder: Path) -> Issued:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    return ca.issue(
        folder, "client", valid_from=yesterday - timedelta(days=9), valid_until=yesterday
    )


def one_of_its_own(ca: Authority, folder: Path) -> Issued:
    """Return one by an authority that only calls itself as the right one does."""
    return authority(ca.certificate.subject.rfc4514_string().removeprefix("CN=")).issue(
        folder, "client"
    )


@pytest.mark.parametrize("shown", [no_certificate, a_strangers, an_expired_one, one_of_its_own])
def test_a_client_without_a_good_certificate_is_turned_away(
    mutual: Peer, ca: Authority, tmp_path: Path, shown: Any
) -> None:
    with tls_channel(mutual.server.address, mutual.ca, shown(ca, tmp_path)) as channel:
        assert health(channel).startswith("UNAVAILABLE: ")
        with pytest.raises(grpc.RpcError) as refused:
            list(raw_sample(channel, large_request(MIB), timeout=ANSWER_SECONDS))
        failed: Any = refused.value
        assert failed.code() is grpc.StatusCode.UNAVAILABLE
    mutual.check_untouched()


def test_a_unix_socket_stays_plain(mutual: Peer) -> None:
    path = mutual.server.wait_for(r"INFO listening address=(unix:\S+)")
    with grpc.insecure_channel(path) as channel:
        assert health(channel) == "SERVING"
        assert sum(map(len, raw_sample(channel, large_request(MIB), timeout=60))) > MIB


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_from_1_2_on_agrees_on_http2(tls: Peer, version: ssl.TLSVersion) -> None:
    context = ssl.create_default_context(cafile=str(tls.ca))
    context.minimum_version = context.maximum_version = version
    context.set_alpn_protocols(["http/1.1", "h2"])
    with (
        socket.create_connection(_where(tls.server), ANSWER_SECONDS) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as connection,
    ):
        assert connection.selected_alpn_protocol() == "h2"
    tls.check_untouched()


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_older_tls_is_refused(tls: Peer, version: ssl.TLSVersion) -> None:
    context = ssl.create_default_context(cafile=str(tls.ca))
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    with (
        socket.create_connection(_where(tls.server), ANSWER_SECONDS) as plain,
        pytest.raises(OSError, match=r"ALERT_PROTOCOL_VERSION|EOF"),
    ):
        context.wrap_socket(plain, server_hostname="localhost")
    tls.check_untouched()


GARBAGE = {
    "random bytes": os.urandom(2**16),
    "zeros": bytes(2**16),
    "an HTTP request": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a plain HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(64),
    "a record that is too long": b"\x16\x03\x01\xff\xff" + bytes(2**16 - 1),
    "an alert": b"\x15\x03\x03\x00\x02\x02\x28",
    "application data": b"\x17\x03\x03\x00\x10" + bytes(16),
    "a broken hello": b"\x16\x03\x01\x00\x10\x01\x00\x00\x0c" + bytes(12),
}


@pytest.mark.parametrize("data", GARBAGE.values(), ids=GARBAGE.keys())
def test_garbage_is_hung_up_on(tls: Peer, data: bytes) -> None:
    with socket.create_connection(_where(tls.server), 2 * HANDSHAKE_SECONDS) as connection:
        _send(connection, data)
        _read_to_the_end(connection)
    tls.check_untouched()


def test_half_open_handshakes_keep_nobody_out_and_end(mutual: Peer) -> None:
    hello = _client_hello()
    beginnings = [b"", hello[:3], hello[: len(hello) // 2], hello]
    outcomes: list[bool] = []
    is_over = threading.Event()

    def call_all_the_time() -> None:
        while not is_over.is_set():
            outcomes.append(mutual.answers())

    good = threading.Thread(target=call_all_the_time)
    with ExitStack() as stack:
        good.start()
        stack.callback(good.join)
        stack.callback(is_over.set)
        connections = [
            stack.enter_context(
                socket.create_connection(_where(mutual.server), 4 * HANDSHAKE_SECONDS)
            )
            for _ in range(HALF_OPEN)
        ]
        for index, each in enumerate(connections):
            _send(each, beginnings[index % len(beginnings)])
        wait_until(lambda: len(outcomes) > 10)
        for each in connections:
            _read_to_the_end(each)
    assert all(outcomes)
    mutual.check_untouched()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_server_whose_files_do_not_fit_ends_with_one_line(
    server_files: Issued, client_files: Issued, workers: str
) -> None:
    flags = tls_flags(replace(server_files, key=client_files.key))
    with server_process("--device", "cpu", "--workers", workers, *flags) as server:
        assert server.wait() == 1
    [line] = server.log.splitlines()
    assert f"ERROR the key in {client_files.key} does not belong" in line


def test_the_documented_certificate_for_a_trial_works(tmp_path: Path) -> None:
    [commands] = re.findall(r"^```sh\n(openssl .*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
    subprocess.run(["sh", "-ec", commands], cwd=tmp_path, check=True, capture_output=True)
    issued = Issued(tmp_path / "server.crt", tmp_path / "server.key", serial=0)
    with server_process(*tls_flags(issued)) as server:
        for host in ("localhost", "127.0.0.1"):
            address = f"{host}:{server.address.rpartition(':')[2]}"
            with tls_channel(address, tmp_path / "ca.crt") as channel:
                assert health(channel) in {"NOT_SERVING", "SERVING"}
        # As strict as Python's clients are by default from 3.13 on.
        context = ssl.create_default_context(cafile=str(tmp_path / "ca.crt"))
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        with (
            socket.create_connection(_where(server), ANSWER_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as connection,
        ):
            assert connection.getpeercert()


def test_workers_share_a_tls_port(
    ca_file: Path, server_files: Issued, client_files: Issued
) -> None:
    flags = ("--device", "cpu", "--workers", "2", "--admin-listen", "127.0.0.1:0")
    with server_process(*flags, *tls_flags(server_files, ca_file)) as server:
        server.wait_for_count("INFO serving", 2, seconds=120)
        assert len(set(re.findall(LISTENING, server.log))) == 1
        for _ in range(8):
            with tls_channel(server.address, ca_file, client_files) as channel:
                assert health(channel) == "SERVING"
        with tls_channel(server.address, ca_file) as channel:
            assert health(channel).startswith("UNAVAILABLE: ")
        expires = server.metric("seedbed_tls_certificate_expires_timestamp_seconds")
        assert expires > datetime.now(UTC).timestamp()
        seen = json.loads(server.admin("/status.json"))
        assert seen["certificate_expires_at"] == expires
        assert "Traceback" not in server.log


def _where(server: ServerProcess) -> tuple[str, int]:
    host, _, port = server.address.rpartition(":")
    return host, int(port)


def _client_hello() -> bytes:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context()
    begun = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        begun.do_handshake()
    return outgoing.read()


def _send(connection: socket.socket, data: bytes) -> None:
    with suppress(BrokenPipeError, ConnectionResetError):  # it hung up before all had come
        connection.sendall(data)


def _read_to_the_end(connection: socket.socket) -> None:
    """Read until the server hangs up; fail if that takes longer than the socket waits."""
    with suppress(ConnectionResetError):
        while connection.recv(2**16):
            pass
