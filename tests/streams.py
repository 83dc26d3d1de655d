"""How tests read streams without a server: in a loop of their own, one or several in step."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from seedbed.spec.tensors import TensorRequest, TensorSpec
from seedbed.wire.parts import Part, decode_parts
from seedbed_server.backends.base import Backend
from seedbed_server.sampling.sampler import SamplePlan, plan
from seedbed_server.streams.inflight import SHARE_BYTES, InflightBytes
from seedbed_server.streams.messages import encode
from seedbed_server.streams.peer_caps import PeerCaps, no_caps
from seedbed_server.streams.resources import StreamResources
from seedbed_server.streams.sampling_threads import OnSampled, SamplingThreads
from seedbed_server.streams.shared_tensors import SharedTensors
from seedbed_server.streams.stream import TensorStream

STREAMS = 64
T = TypeVar("T")


def nothing(plan: SamplePlan, size_bytes: int) -> None:
    """Take no note of what is sampled."""


def resources_of(
    backend: Backend,
    *,
    window_bytes: int = 0,
    inflight_bytes: int = 2**29,
    working_bytes: int = 2**32,
    on_sampled: OnSampled = nothing,
    caps: PeerCaps | None = None,
) -> StreamResources:
    """Return what a server's streams share; to be made in a running loop."""
    caps = caps or no_caps()
    threads = SamplingThreads(
        backend, on_sampled=on_sampled, working_bytes=working_bytes, caps=caps
    )
    return StreamResources(
        threads,
        SharedTensors(threads, window_bytes=window_bytes),
        InflightBytes(inflight_bytes + SHARE_BYTES * STREAMS, STREAMS, caps.held_bytes),
    )


def stream_of(
    resources: StreamResources, *specs: TensorSpec, peer: str = "127.0.0.1", **options: Any
) -> TensorStream:
    """Return a stream of some tensors."""
    plans = [plan(TensorRequest(spec)) for spec in specs]
    return TensorStream(plans, resources, peer, **{"max_chunk_bytes": 2**15, **options})


class Reader:
    """Reads the messages of one stream, one at a time."""

    def __init__(self, stream: TensorStream) -> None:
        self.stream = stream
        self.messages: list[bytes] = []
        self._rendered = stream.rendered(encode)

    async def read(self, count: int | None = None) -> list[bytes]:
        """Return all messages so far, with some more of them; None is all the rest."""
        while count is None or count > 0:
            message = await anext(self._rendered, None)
            if message is None:
                break
            self.messages.append(message)
            count = None if count is None else count - 1
        return self.messages

    def leave(self) -> None:
        """End the stream wherever it is."""
        self.stream.__exit__()


async def all_messages(stream: TensorStream) -> list[bytes]:
    """Return the messages of a stream."""
    with stream:
        return [message async for message in stream.rendered(encode)]


def only_part(message: bytes) -> Part:
    """Return what a message of one part says."""
    (part,) = decode_parts(message)
    return part


def run(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Return what work in a loop of its own returns."""
    return asyncio.run(work())


async def until(is_so: Callable[[], object], seconds: float = 60.0) -> None:
    """Return when something is so; fail if that takes too long."""
    async with asyncio.timeout(seconds):
        while not is_so():
            await asyncio.sleep(0.002)
