"""A client of the bare server: as simple and as quick as gRPC in Python allows."""

from typing import Any

import grpc
import numpy as np

from benchmarks.peers.bare_server import ECHO, SEND
from benchmarks.peers.latencies import latencies
from benchmarks.work import Action
from seedbed.transports.channel import DEFAULT_OPTIONS

# About the size of the request for one tensor.
ECHOED_BYTES = 64


def actions(
    *, address: str, total_bytes: int = 0, is_tuned: bool = False, calls: int = 1
) -> dict[str, Action]:
    """Return what receives the stream into an array, and what calls the echo.

    Args:
        address: of the server.
        total_bytes: the stream's.
        is_tuned: whether the channel has seedbed's settings, or gRPC's own.
        calls: to the echo, in one turn.
    """
    channel = grpc.insecure_channel(address, list(DEFAULT_OPTIONS.items()) if is_tuned else None)
    out = np.ones(total_bytes, np.uint8).data
    echo: Any = channel.unary_unary(ECHO)
    payload = np.random.default_rng(1).bytes(ECHOED_BYTES)

    def fetch() -> None:
        send: Any = channel.unary_stream(SEND)
        at = 0
        for message in send(b""):
            out[at : at + len(message)] = message
            at += len(message)
        if at != total_bytes:
            raise EOFError(f"the stream ended after {at} of {total_bytes} bytes")

    return {"fetch": fetch, "latency": latencies(lambda: payload, echo, calls)}
