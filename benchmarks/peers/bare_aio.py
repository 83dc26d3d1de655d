"""A client of the bare server on asyncio: as simple as gRPC in Python allows."""

import asyncio
from typing import Any

import grpc
import numpy as np

from benchmarks.peers.bare_server import SEND
from benchmarks.work import Action


def actions(*, address: str, total_bytes: int) -> dict[str, Action]:
    """Return what receives the stream into an array.

    Args:
        address: of the server.
        total_bytes: the stream's.
    """
    loop = asyncio.Runner()
    out = np.ones(total_bytes, np.uint8).data

    async def connect() -> Any:
        return grpc.aio.insecure_channel(address).unary_stream(SEND)

    send = loop.run(connect())

    async def receive() -> None:
        at = 0
        async for message in send(b""):
            out[at : at + len(message)] = message
            at += len(message)
        if at != total_bytes:
            raise EOFError(f"the stream ended after {at} of {total_bytes} bytes")

    def fetch() -> None:
        loop.run(receive())

    return {"fetch": fetch}
