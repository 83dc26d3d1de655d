"""A client of a seedbed-server that is gRPC's alone: it reads the bytes, and checks nothing."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import grpc
import numpy as np

import seedbed as sb
from benchmarks.work import Action
from seedbed.spec.tensors import TensorRequest
from seedbed.transports.channel import DEFAULT_OPTIONS
from seedbed.transports.messages import sample_message
from seedbed.transports.replica import SAMPLE

# What a message has besides the bytes of its chunks.
MARGIN = 1.01


def actions(
    *, address: str, ca: str, shape: Sequence[int], initializer: str, is_tuned: bool = False
) -> dict[str, Action]:
    """Return what fetches one tensor over TLS, as it comes, into memory that is there.

    Args:
        address: of the server.
        ca: the file of who signed its certificate.
        shape: the tensor's, of float32.
        initializer: what fills it.
        is_tuned: whether the channel has seedbed's settings, or gRPC's own.
    """
    options = list(DEFAULT_OPTIONS.items()) if is_tuned else None
    credentials = grpc.ssl_channel_credentials(Path(ca).read_bytes())
    channel = grpc.secure_channel(address, credentials, options)
    send: Any = channel.unary_stream(SAMPLE)
    seeds = itertools.count(1)

    def request() -> TensorRequest:
        # Another tensor each time: nothing that anybody keeps may help.
        return TensorRequest(
            sb.TensorSpec("w", tuple(shape), "float32", sb.get(initializer), seed=next(seeds))
        )

    size_bytes = request().size_bytes
    out = np.ones(int(size_bytes * MARGIN), np.uint8).data

    def fetch() -> None:
        at = 0
        for message in send(sample_message([request()], 0).SerializeToString()):
            out[at : at + len(message)] = message
            at += len(message)
        if at < size_bytes:
            raise EOFError(f"the stream ended after {at} of {size_bytes} bytes")

    return {"fetch": fetch}
