"""A token goes with each call to the server it is for, and shows itself nowhere else."""

import logging
import traceback
from collections.abc import Callable
from contextlib import closing
from typing import Any

import hpack
import pytest

import seedbed as sb
from seedbed.transports.calls import Calls
from seedbed.transports.cancellation import Cancellation
from seedbed.transports.grpc_calls import GrpcCalls
from seedbed.transports.http2.connections import Connections, _secret
from seedbed.transports.proxies import PROXY_VARIABLES
from seedbed.transports.security import LONGEST_TOKEN, Security
from seedbed.transports.try_limits import ALONE
from tests.http2_server import METHOD, ScriptedServer, scripted_server
from tests.servers import serving

TOKEN = "s3cret-t0ken"
SMALL = sb.TensorSpec("s", (7, 5), "float32", sb.GlorotUniform(seed=1))
TRANSPORTS: dict[str, dict[str, int | str] | None] = {
    "bulk": None,
    "gRPC": {"grpc.max_receive_message_length": -1},
}


def _bulk(server: ScriptedServer, security: Security) -> Calls:
    return Connections(server.address, security.authorization)


def _grpc(server: ScriptedServer, security: Security) -> Calls:
    return GrpcCalls(server.target, {}, security)


@pytest.mark.parametrize("calls_to", [_bulk, _grpc], ids=["bulk", "gRPC"])
@pytest.mark.parametrize("token", ["t", TOKEN, "x" * LONGEST_TOKEN], ids=["short", "usual", "long"])
def test_each_call_has_the_token(
    calls_to: Callable[[ScriptedServer, Security], Calls],
    token: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    with (
        scripted_server(lambda exchange: exchange.answer()) as server,
        closing(calls_to(server, Security.of(None, token))) as calls,
    ):
        for _ in range(3):
            with calls.call(METHOD, b"", ALONE, Cancellation()) as call:
                assert call.next_message() is None
        for exchange in server.exchanges:
            told = [value for name, value in exchange.headers if name == "authorization"]
            assert told == [f"Bearer {token}"]
    logged = [each for each in caplog.records if each.threadName == "MainThread"]
    assert not [each for each in logged if token in each.getMessage() and len(token) > 1]


@pytest.mark.parametrize("size", [1, 118, 119, 120, 121, 247, LONGEST_TOKEN])
def test_no_table_keeps_a_token(size: int) -> None:
    text = "Bearer " + "x" * size
    decoder = hpack.Decoder(max_header_list_size=2**16)
    (found,) = decoder.decode(_secret(text))
    assert tuple(map(str, found)) == ("authorization", text)
    assert isinstance(found, hpack.NeverIndexedHeaderTuple)
    assert not decoder.header_table.dynamic_entries


@pytest.mark.parametrize("options", TRANSPORTS.values(), ids=list(TRANSPORTS))
def test_no_error_shows_a_token(options: Any) -> None:
    def refuse(exchange: Any) -> None:
        exchange.start([(":status", "200"), ("content-type", "application/grpc")])
        exchange.end("16", ("grpc-message", "the token is unknown"))

    with scripted_server(refuse) as server:
        targets = (server.target, "127.0.0.1:1")
        for target in targets:
            with (
                sb.connect(target, token=TOKEN, options=options, patience_seconds=0) as client,
                pytest.raises(sb.SeedbedError) as caught,
            ):
                client.server_info()
            assert TOKEN not in "".join(traceback.format_exception(caught.value))
            assert TOKEN not in repr(client)
            assert isinstance(caught.value, sb.AuthenticationError) is (target == server.target)


@pytest.mark.parametrize("options", TRANSPORTS.values(), ids=list(TRANSPORTS))
def test_a_token_goes_through_no_proxy(
    monkeypatch: pytest.MonkeyPatch, plain_server: str, options: Any
) -> None:
    """A proxy is another host, and the way there is plain."""
    for name in ("no_proxy", "NO_PROXY", "no_grpc_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(PROXY_VARIABLES[0], "http://127.0.0.1:1")
    with (
        sb.connect(plain_server, options=options, patience_seconds=0) as client,
        pytest.raises(sb.UnavailableError),
    ):
        client.server_info()
    with sb.connect(plain_server, token=TOKEN, options=options) as client:
        client.server_info()


@pytest.mark.parametrize("options", TRANSPORTS.values(), ids=list(TRANSPORTS))
def test_a_token_goes_over_a_unix_socket(tmp_path: Any, options: Any) -> None:
    with (
        serving(listen=f"unix://{tmp_path}/s") as process,
        sb.connect(process.address, token=TOKEN, options=options) as client,
    ):
        assert client.sample(SMALL).shape == (7, 5)
