"""Targets that are reached without gRPC, with address and name; gRPC takes the others."""

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import grpc
import pytest

from seedbed.transports.cancellation import Cancellation
from seedbed.transports.http2 import address as http2_address
from seedbed.transports.http2.address import Address, plain_address
from seedbed.transports.http2.connections import Connections
from seedbed.transports.proxies import PROXY_VARIABLES
from seedbed.transports.remote import calls_to
from tests.http2_calls import connections_to, error_of, messages_of
from tests.http2_server import METHOD, scripted_server, unix_listener
from tests.left_open import nothing_left_open


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        *PROXY_VARIABLES,
        *(name.upper() for name in PROXY_VARIABLES),
        "no_proxy",
        "NO_PROXY",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def _nothing_is_left_open() -> Iterator[None]:
    with nothing_left_open():
        yield


PLAIN = {
    "localhost:50051": Address(None, "localhost", 50051),
    "127.0.0.1:1": Address(None, "127.0.0.1", 1),
    "a-host_1.example.com:65535": Address(None, "a-host_1.example.com", 65535),
    "A.EXAMPLE.:80": Address(None, "A.EXAMPLE.", 80),
    "[::1]:50051": Address(None, "[::1]", 50051),
    "[fe80::1:2]:1": Address(None, "[fe80::1:2]", 1),
    "[::ffff:127.0.0.1]:1": Address(None, "[::ffff:127.0.0.1]", 1),
    "dns:localhost:1": Address(None, "localhost", 1),
    "dns:///localhost:1": Address(None, "localhost", 1),
    "dns:///[::1]:1": Address(None, "[::1]", 1),
    "dns:[::1]:1": Address(None, "[::1]", 1),
    "ipv4:127.0.0.1:1": Address(None, "127.0.0.1", 1),
    "ipv6:[::1]:1": Address(None, "[::1]", 1),
    "unix:relative": Address("relative", "", 0),
    "unix:relative/with:colon,comma": Address("relative/with:colon,comma", "", 0),
    "unix:/absolute": Address("/absolute", "", 0),
    "unix:///absolute/deeper": Address("/absolute/deeper", "", 0),
}
GRPCS = [
    "",
    "localhost",
    "localhost:",
    ":50051",
    "localhost:http",
    "localhost:123456",
    "localhost:-1",
    "localhost:1:2",
    "::1:50051",
    "[::1]",
    "[::1%eth0]:1",
    "[::1%25eth0]:1",
    "dns:localhost",
    "dns:///localhost",
    "dns://8.8.8.8/localhost:1",
    "dns:////localhost:1",
    "dns:/localhost:1",
    "DNS:localhost:1",
    "ipv4:127.0.0.1:1,127.0.0.1:2",
    "ipv6:[::1]:1,[::1]:2",
    "localhost:1,localhost:2",
    "xds:///service",
    "xds:service:1",
    "unix:",
    "unix:a%20b",
    "unix:///a%2Fb",
    "unix-abstract:name",
    "https://localhost:1",
    "http://localhost:1",
    "user@localhost:1",
    "local%68ost:1",
    "dns:///local%68ost:1",
    "höst:1",
    "localhost:\u0661",
    "localhost:1\n",
    " localhost:1",
    "localhost:1/path",
    "localhost:1?query",
    "embedded:",
]


@pytest.mark.parametrize(("target", "address"), PLAIN.items(), ids=PLAIN.keys())
def test_a_plain_target_is_reached_directly(target: str, address: Address) -> None:
    assert plain_address(target, {}) == address


@pytest.mark.parametrize("target", GRPCS)
def test_any_other_target_is_left_to_grpc(target: str) -> None:
    assert plain_address(target, {}) is None


@pytest.mark.parametrize("target", ["localhost:1", "unix:relative"])
def test_whoever_sets_options_of_grpc_gets_grpc(target: str) -> None:
    assert plain_address(target, {"grpc.max_receive_message_length": -1}) is None
    assert plain_address(target, {}) is not None


@pytest.mark.parametrize("name", ["grpc_proxy", "https_proxy", "http_proxy"])
def test_a_proxy_is_left_to_grpc(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "")
    assert plain_address("localhost:1", {}) is not None
    monkeypatch.setenv(name, "http://proxy:3128")
    for target in ("localhost:1", "dns:///localhost:1", "ipv4:127.0.0.1:1", "[::1]:1"):
        assert plain_address(target, {}) is None
    assert plain_address("unix:relative", {}) is not None


def test_the_address_proxy_of_newer_grpc_is_left_to_grpc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRPC_ADDRESS_HTTP_PROXY", "127.0.0.1:3128")
    monkeypatch.setenv("GRPC_ADDRESS_HTTP_PROXY_ENABLED_ADDRESSES", "0.0.0.0/0")
    assert plain_address("127.0.0.1:1", {}) is None


def test_calls_go_the_way_of_its_target(monkeypatch: pytest.MonkeyPatch) -> None:
    def is_direct(target: str, options: dict[str, int | str]) -> bool:
        with closing(calls_to(target, options)) as calls:
            return isinstance(calls, Connections)

    assert is_direct("localhost:1", {})
    assert not is_direct("localhost:1", {"grpc.keepalive_time_ms": 1000})
    assert not is_direct("ipv4:127.0.0.1:1,127.0.0.1:2", {})
    monkeypatch.setenv("http_proxy", "http://proxy:3128")
    assert not is_direct("localhost:1", {})


# The name under which a server is asked is the one that gRPC would use.

AUTHORITIES = {
    "localhost:{port}": "localhost:{port}",
    "127.0.0.1:{port}": "127.0.0.1:{port}",
    "dns:///localhost:{port}": "localhost:{port}",
    "dns:localhost:{port}": "localhost:{port}",
    "ipv4:127.0.0.1:{port}": "127.0.0.1:{port}",
}


@pytest.mark.parametrize(("target", "authority"), AUTHORITIES.items(), ids=AUTHORITIES.keys())
def test_a_server_is_called_by_the_name_in_its_target(target: str, authority: str) -> None:
    with scripted_server(lambda exchange: exchange.answer()) as server:
        filled = target.format(port=server.address.port)
        address = plain_address(filled, {})
        assert address is not None
        with closing(Connections(address)) as connections:
            messages_of(connections)
        _ask_by_grpc(filled)
        ours, grpcs = (dict(each.headers)[":authority"] for each in server.exchanges)
        assert ours == grpcs == authority.format(port=server.address.port)


def _ask_by_grpc(target: str) -> None:
    with grpc.insecure_channel(target, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
        call = channel.unary_stream(METHOD, request_serializer=bytes, response_deserializer=bytes)
        assert list(call(b"request", timeout=60)) == []


@pytest.mark.parametrize("form", ["unix:{path}", "unix://{path}", "unix:socket"])
def test_a_server_is_reached_over_a_socket_in_the_file_system(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, form: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "socket"
    with scripted_server(
        lambda exchange: exchange.answer(bytes(2**20)), listener=unix_listener(path)
    ) as server:
        address = plain_address(form.format(path=path), {})
        assert address is not None
        with closing(Connections(address)) as connections:
            assert messages_of(connections) == [bytes(2**20)]
            assert messages_of(connections) == [bytes(2**20)]
        assert len(server.lines) == 1
        assert {dict(each.headers)[":authority"] for each in server.exchanges} == {"localhost"}


def test_time_is_kept_over_a_socket_in_the_file_system(tmp_path: Path) -> None:
    with (
        scripted_server(
            lambda exchange: exchange.hold(), listener=unix_listener(tmp_path / "socket")
        ) as server,
        connections_to(server) as connections,
    ):
        error = error_of(connections, timeout_seconds=0.2)
    assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED


def test_a_server_is_reached_over_ipv6_where_the_machine_has_it() -> None:
    try:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        with pytest.raises(OSError, match=r".+"):
            Address(None, "[::1]", 1).connect(1.0, Cancellation())
        return
    with scripted_server(lambda exchange: exchange.answer(b"a"), listener=listener) as server:
        assert server.address.authority.startswith("[::1]:")
        for form in ("{}", "ipv6:{}", "dns:///{}"):
            address = plain_address(form.format(server.address.authority), {})
            assert address == server.address
            with closing(Connections(address)) as connections:
                assert messages_of(connections) == [b"a"]
        authorities = {dict(each.headers)[":authority"] for each in server.exchanges}
        assert authorities == {server.address.authority}


def test_a_name_with_several_addresses_is_tried_at_each() -> None:
    """A server that listens on one of them only is found."""
    with (
        scripted_server(lambda exchange: exchange.answer(b"a")) as server,
        closing(Connections(Address(None, "localhost", server.address.port))) as connections,
    ):
        assert messages_of(connections) == [b"a"]


def test_each_address_of_a_host_gets_its_share_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise one that says nothing would take all of it."""
    places = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in (1, 2, 3)
    ]
    shares, tried = [], []

    def refuse(
        family: int, where: tuple[str, int], timeout_seconds: float, cancellation: Cancellation
    ) -> socket.socket:
        shares.append(timeout_seconds)
        tried.append(where[1])
        raise OSError("refused")

    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: places)
    monkeypatch.setattr(http2_address, "_connected", refuse)
    with pytest.raises(OSError, match="refused"):
        Address(None, "name", 1).connect(60.0, Cancellation())
    assert sorted(tried) == [1, 2, 3]  # beginning with any: connections take turns
    assert [round(60 / share) for share in shares] == [3, 2, 1]
