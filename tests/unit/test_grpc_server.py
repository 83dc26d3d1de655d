"""A server of gRPC lets crowds in, ends whole, and is noticed when it ends by itself."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest

from seedbed_server.service.app import Server
from seedbed_server.service.grpc_server import grpc_server
from seedbed_server.service.listeners import open_tcp
from seedbed_server.service.registration import add_service
from seedbed_server.settings import Settings
from tests.floods.connection import Connection, connect

SERVICE, METHOD = "tests.Crowd", "/tests.Crowd/Call"
CROWD = 16
# Of the loop, to take what has come: two each, and a few to begin with. One after another that
# gRPC is asked for only then take five each, and time.
MOST_PASSES = 3 * CROWD


@asynccontextmanager
async def crowded(begun: list[bytes]) -> AsyncIterator[tuple[grpc.aio.Server, Connection]]:
    """Yield a server that notes when it begins a call, and a connection to it."""

    async def note(_: AsyncIterator[bytes], context: grpc.aio.ServicerContext[Any, Any]) -> None:
        begun.append(await context.read())

    server = grpc_server(())
    add_service(server, SERVICE, {"Call": grpc.stream_stream_rpc_method_handler(note)})
    address = open_tcp(server, "127.0.0.1:0", tls=None, share_port=False)
    await server.start()
    try:
        async with connect(address) as connection:
            yield server, connection
    finally:
        await server.stop(None)


def test_a_crowd_that_came_while_the_loop_was_busy_is_let_in_within_a_few_passes() -> None:
    async def passes(connection: Connection, begun: list[bytes], busy_seconds: float) -> int:
        calls = [connection.open_call(METHOD, b"") for _ in range(CROWD)]
        time.sleep(busy_seconds)  # the loop is busy
        count = 0
        while len(begun) < CROWD:
            await asyncio.sleep(0)
            count += 1
        begun.clear()
        for call in calls:
            if call in connection.answers:
                await connection.ended(call)
        return count

    async def fewest() -> int:
        begun: list[bytes] = []
        async with crowded(begun) as (_, connection):
            found: list[int] = []
            # A machine may be too busy for all of them to have come.
            while len(found) < 20 and min(found, default=MOST_PASSES + 1) > MOST_PASSES:
                found.append(await passes(connection, begun, 0.1 * (1 + len(found))))
            return min(found)

    assert asyncio.run(fewest()) <= MOST_PASSES


def test_calls_that_came_as_the_server_ended_are_ended_and_hold_it_up_for_no_time() -> None:
    complaints: list[dict[str, Any]] = []

    async def stop() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, what: complaints.append(what))
        async with crowded([]) as (server, connection):
            for _ in range(CROWD):
                connection.open_call(METHOD, b"")
            time.sleep(0.5)  # the loop is busy, and they have come meanwhile
            await server.stop(grace=3600)
            while connection.answers and not connection.lost.is_set():
                await asyncio.sleep(0.01)
        gc.collect()

    asyncio.run(asyncio.wait_for(stop(), 120))
    assert not complaints


def test_a_server_whose_grpc_has_ended_says_that_it_does_not_serve(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    crash = RuntimeError("the loop that accepts calls has ended")

    async def ended(_: object, timeout: float | None = None) -> bool:
        del timeout
        raise crash

    monkeypatch.setattr("grpc.aio._server.Server.wait_for_termination", ended)
    failures: list[Exception] = []

    async def use() -> None:
        server = Server(Settings(listen=("127.0.0.1:0",)), failures.append)
        (address,) = await server.listen()
        while not failures:
            await asyncio.sleep(0.01)
        async with grpc.aio.insecure_channel(address) as channel:
            call: Any = channel.unary_unary("/seedbed.v1.SeedbedService/GetServerInfo")
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await call(b"")
            assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        await server.stop()

    asyncio.run(asyncio.wait_for(use(), 120))
    assert failures == [crash]
