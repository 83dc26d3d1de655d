"""A server of gRPC that ends by itself is noticed."""

import asyncio
from typing import Any

import grpc
import pytest

from seedbed_server.service.app import Server
from seedbed_server.settings import Settings


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
