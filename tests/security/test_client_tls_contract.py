"""Clients speak TLS with the servers that they trust, and say what is wrong with the others."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from numpy.typing import NDArray

import seedbed as sb
from seedbed.transports import remote
from seedbed.transports.grpc_calls import GrpcCalls
from seedbed.transports.http2.connections import Connections
from seedbed.transports.remote import RemoteTransport
from tests.certificates import Authority, Issued, authority
from tests.event_loops import run
from tests.security.conftest import TlsServers
from tests.servers import serving
from tests.waiting import LATE_SECONDS

SMALL = sb.TensorSpec("s", (7, 5), "float32", sb.GlorotUniform(seed=1))
LARGE = sb.TensorSpec("l", (3_000_001,), "float32", sb.RandomUniform(seed=2))
MODEL = sb.Manifest([SMALL, LARGE, sb.TensorSpec("b", (3,), "float64", sb.Ones())])
# Far less than a call's patience.
READY_SECONDS = 120.0


def calls_of(client: sb.Client) -> Any:
    """Return what makes a client's calls."""
    transport = client._transport
    assert isinstance(transport, RemoteTransport)
    return next(iter(transport._replicas))._calls


def digest_of(array: NDArray[Any]) -> sb.Digest:
    return sb.digest_bytes(array.tobytes())


def port_of(address: str) -> str:
    return address.rpartition(":")[2]


# What comes.


def test_calls_under_tls_are_made_by_grpc(server: str, plain_server: str, ca_file: Path) -> None:
    with sb.connect(server, tls=sb.Tls(ca=ca_file)) as client:
        assert isinstance(calls_of(client), GrpcCalls)
    with sb.connect(plain_server, tls=False) as client:
        assert isinstance(calls_of(client), Connections)


@pytest.mark.parametrize("channels", [1, 3])
def test_everything_comes_over_tls(
    server: str, ca_file: Path, channels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "PORTION_BYTES", 2**20)
    with (
        sb.connect("embedded:") as here,
        sb.connect(server, tls=sb.Tls(ca=ca_file), channels=channels) as client,
    ):
        client.wait_ready(READY_SECONDS)
        assert client.server_info().numerics == here.server_info().numerics
        for spec in (SMALL, LARGE):
            expected = here.digest(spec)
            assert digest_of(client.sample(spec)) == expected
            assert client.digest(spec) == expected
        found = client.sample_all(MODEL)
        assert {name: digest_of(array) for name, array in found.items()} == here.digest_all(MODEL)
        chunks = list(client.chunks(LARGE, first_byte=8))
        assert b"".join(bytes(each.data) for each in chunks) == here.sample(LARGE).tobytes()[8:]


def test_the_asynchronous_client_is_the_same(server: str, ca_file: Path) -> None:
    async def main() -> Any:
        async with sb.aio.connect(server, tls=sb.Tls(ca=ca_file)) as client:
            return await client.sample(LARGE)

    with sb.connect("embedded:") as here:
        assert digest_of(run(main())) == here.digest(LARGE)


def test_a_server_of_ours_speaks_tls(
    server_files: Issued, client_files: Issued, ca_file: Path
) -> None:
    arguments = (
        "--tls-cert",
        server_files.cert,
        "--tls-key",
        server_files.key,
        "--tls-client-ca",
        ca_file,
    )
    tls = sb.Tls(ca=ca_file, cert=client_files.cert, key=client_files.key)
    with (
        serving(*map(str, arguments)) as process,
        sb.connect("embedded:") as here,
        sb.connect(process.address, tls=tls) as client,
    ):
        assert digest_of(client.sample(LARGE)) == here.digest(LARGE)


def test_a_client_shows_its_certificate(mutual: str, ca_file: Path, client_files: Issued) -> None:
    tls = sb.Tls(ca=ca_file, cert=client_files.cert, key=client_files.key)
    with sb.connect(mutual, tls=tls) as client:
        assert client.digest(SMALL) == digest_of(client.sample(SMALL))


NAMES = {"its name": "localhost", "IPv4": "127.0.0.1"}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_certificate_is_for_names_and_addresses(server: str, ca_file: Path, name: str) -> None:
    tls = sb.Tls(ca=ca_file)
    with sb.connect(f"{name}:{port_of(server)}", tls=tls) as client:
        client.server_info()


@pytest.mark.parametrize("name", ["seedbed.example", "::1", "10.0.0.1"])
def test_a_server_may_have_another_name_than_the_targets_host(
    servers: TlsServers, ca: Authority, ca_file: Path, tmp_path: Path, name: str
) -> None:
    issued = ca.issue(tmp_path, "named", names=["seedbed.example"], ips=["::1", "10.0.0.1"])
    tls = sb.Tls(ca=ca_file, server_name=name)
    with sb.connect(servers.start(issued), tls=tls) as client:
        client.server_info()


def test_a_certificate_may_be_trusted_as_such(server: str, server_files: Issued) -> None:
    with sb.connect(server, tls=sb.Tls(ca=server_files.cert)) as client:
        client.server_info()


def test_the_systems_authorities_are_trusted_by_default(
    server: str, ca_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(ca_file))
    with sb.connect(server, tls=True) as client:
        client.server_info()
    monkeypatch.setenv("SEEDBED_TLS", "1")
    with sb.connect(server) as client:
        client.server_info()


# What does not.


def _out_of_date(ca: Authority, folder: Path, name: str, begin: int, end: int) -> Issued:
    now = datetime.now(UTC)
    begin_time, end_time = now + timedelta(days=begin), now + timedelta(days=end)
    return ca.issue(folder, name, valid_from=begin_time, valid_until=end_time)


class Cases:
    """Servers and clients that do not trust each other; each returns a target and its TLS."""

    def __init__(
        self,
        servers: TlsServers,
        ca: Authority,
        folder: Path,
        *,
        addresses: tuple[str, str, str],
    ) -> None:
        self._servers, self._signing, self._folder = servers, ca, folder
        self._server, self._mutual, self._plain = addresses
        self._ca = ca.write(folder / "ca.crt")

    def of(self, name: str) -> tuple[str, sb.Tls | bool]:
        """Return the target and the TLS of a case."""
        found: tuple[str, sb.Tls | bool] = getattr(self, f"_{name}")()
        return found

    def _unknown_authority(self) -> tuple[str, sb.Tls | bool]:
        return self._server, True

    def _other_authority(self) -> tuple[str, sb.Tls | bool]:
        return self._server, sb.Tls(ca=authority("other").write(self._folder / "other.crt"))

    def _expired(self) -> tuple[str, sb.Tls | bool]:
        issued = _out_of_date(self._signing, self._folder, "expired", -3, -2)
        return self._servers.start(issued), sb.Tls(ca=self._ca)

    def _early(self) -> tuple[str, sb.Tls | bool]:
        issued = _out_of_date(self._signing, self._folder, "early", 2, 3)
        return self._servers.start(issued), sb.Tls(ca=self._ca)

    def _other_name(self) -> tuple[str, sb.Tls | bool]:
        return self._server, sb.Tls(ca=self._ca, server_name="seedbed.example")

    def _other_address(self) -> tuple[str, sb.Tls | bool]:
        issued = self._signing.issue(self._folder, "elsewhere", ips=("10.0.0.1",))
        return self._servers.start(issued), sb.Tls(ca=self._ca)

    def _no_client_certificate(self) -> tuple[str, sb.Tls | bool]:
        return self._mutual, sb.Tls(ca=self._ca)

    def _other_client_certificate(self) -> tuple[str, sb.Tls | bool]:
        issued = authority("other").issue(self._folder, "stranger")
        return self._mutual, sb.Tls(ca=self._ca, cert=issued.cert, key=issued.key)

    def _expired_client_certificate(self) -> tuple[str, sb.Tls | bool]:
        issued = _out_of_date(self._signing, self._folder, "expired-client", -3, -2)
        return self._mutual, sb.Tls(ca=self._ca, cert=issued.cert, key=issued.key)

    def _plain_server(self) -> tuple[str, sb.Tls | bool]:
        return self._plain, sb.Tls(ca=self._ca)

    def _plain_client(self) -> tuple[str, sb.Tls | bool]:
        return self._server, False


@pytest.fixture
def cases(
    servers: TlsServers,
    ca: Authority,
    tmp_path: Path,
    server: str,
    mutual: str,
    plain_server: str,
) -> Cases:
    """The cases."""
    return Cases(servers, ca, tmp_path, addresses=(server, mutual, plain_server))


WORDS = {
    "unknown_authority": (
        r"has a certificate not signed by a CA that the system trusts: pass tls=sb\.Tls\(ca=\.\.\."
    ),
    "other_authority": r"has a certificate not signed by a CA in \S+/other\.crt: pass tls=",
    "expired": r"has a certificate that expired on \d{4}-\d\d-\d\d \d\d:\d\d UTC: its operator",
    "early": r"has a certificate that is not valid before \d{4}-\d\d-\d\d \d\d:\d\d UTC: its opera",
    "other_name": (
        r"has a certificate for localhost, 127\.0\.0\.1, not for seedbed\.example: connect"
    ),
    "other_address": r"has a certificate for localhost, 10\.0\.0\.1, not for 127\.0\.0\.1: connect",
    "no_client_certificate": r"asks for a client certificate: pass tls=sb\.Tls\(cert=",
    "other_client_certificate": r"does not accept the client certificate in \S+/stranger\.crt: ",
    "expired_client_certificate": r"does not accept the client certificate in \S+\.crt: ",
    "plain_server": r"does not speak TLS: pass tls=False",
    "plain_client": r"wants TLS: pass tls=True",
}

CALLS: dict[str, Callable[[sb.Client], object]] = {
    "server_info": lambda client: client.server_info(),
    "sample": lambda client: client.sample(LARGE),
    "chunks": lambda client: list(client.chunks(LARGE)),
    "wait_ready": lambda client: client.wait_ready(),
}


@pytest.mark.parametrize(("name", "words"), WORDS.items(), ids=WORDS)
def test_who_is_not_trusted_hears_why_at_once(cases: Cases, name: str, words: str) -> None:
    target, tls = cases.of(name)
    for call in CALLS.values():
        with sb.connect(target, tls=tls) as client:
            begin = time.monotonic()
            with pytest.raises(sb.TlsError, match=rf"^{target} {words}") as caught:
                call(client)
            assert time.monotonic() - begin < LATE_SECONDS
            assert isinstance(caught.value, (sb.TransportError, ConnectionError))
            assert caught.value.__cause__ is None


@pytest.mark.parametrize("name", ["other_authority", "no_client_certificate", "plain_server"])
def test_the_asynchronous_client_hears_the_same(cases: Cases, name: str) -> None:
    target, tls = cases.of(name)

    async def main() -> None:
        async with sb.aio.connect(target, tls=tls) as client:
            await client.sample(SMALL)

    with pytest.raises(sb.TlsError, match=rf"^{target} {WORDS[name]}"):
        run(main())


def test_several_connections_hear_it_too(cases: Cases) -> None:
    target, tls = cases.of("other_authority")
    with (
        sb.connect(target, tls=tls, channels=3) as client,
        pytest.raises(sb.TlsError, match=WORDS["other_authority"]),
    ):
        client.sample(LARGE)


@pytest.mark.parametrize("channels", [1, 2])
def test_another_replica_is_asked_where_one_is_not_trusted(
    cases: Cases, channels: int, server: str
) -> None:
    expired, tls = cases.of("expired")
    with (
        sb.connect("embedded:") as here,
        sb.connect([expired, server], tls=tls, channels=channels) as client,
    ):
        client.wait_ready(READY_SECONDS)
        for _ in range(3):
            assert digest_of(client.sample(LARGE)) == here.digest(LARGE)
    other = cases.of("other_address")[0]
    with sb.connect([expired, other], tls=tls, channels=channels) as client:
        begin = time.monotonic()
        with pytest.raises(sb.TlsError, match="has a certificate "):
            client.sample(LARGE)
        assert time.monotonic() - begin < LATE_SECONDS


@pytest.mark.parametrize(
    "options", [None, {"grpc.max_receive_message_length": -1}], ids=["bulk", "gRPC"]
)
def test_a_plain_client_hears_why_by_either_transport(server: str, options: Any) -> None:
    with (
        sb.connect(server, tls=False, options=options) as client,
        pytest.raises(sb.TlsError, match=rf"^{server} {WORDS['plain_client']}"),
    ):
        client.sample(SMALL)


def test_nobody_at_the_address_is_nobody_and_no_question_of_tls(ca_file: Path) -> None:
    tls = sb.Tls(ca=ca_file)
    with (
        sb.connect("127.0.0.1:1", tls=tls, patience_seconds=0) as client,
        pytest.raises(sb.UnavailableError, match="does not answer"),
    ):
        client.server_info()
