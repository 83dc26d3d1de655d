"""Tensors that are being read: streams that want the same chunk of one share its bytes.

The ranks of a job ask for the same tensors at about the same time. Content is a pure function of
the request, so what was sampled for one stream is right for all; each puts its own beginning before
the bytes. While several streams read a tensor, a window of fixed size keeps its latest chunks for
those that are behind. One stream alone keeps nothing, and its buffers stay in the processor's
cache.

All of this is plain state of the event loop: only the sampling itself runs elsewhere.
"""

import asyncio
import functools
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedbed_server.sampling.sampler import SamplePlan
from seedbed_server.streams.buffers import Buffers
from seedbed_server.streams.sampling_threads import SamplingThreads
from seedbed_server.streams.tensor_work import Piece, TensorWork


class ChunkRange(NamedTuple):
    """Which bytes of a slice a chunk holds."""

    byte_offset: int
    size_bytes: int


class SharedChunk:
    """Some bytes of a tensor, sampled once for all streams that want them."""

    def __init__(self, where: ChunkRange, memory: NDArray[np.uint8]) -> None:
        self.where = where
        self.memory = memory
        self.readers = 0
        self.served = 0
        """How many streams have had it."""
        self.sampled: asyncio.Future[None]

    @property
    def data(self) -> NDArray[np.uint8]:
        """Exactly the chunk's bytes, once they are sampled."""
        return self.memory[: self.where.size_bytes]

    @property
    def is_good(self) -> bool:
        """Whether its bytes are there, or will be."""
        return not self.sampled.done() or not (self.sampled.cancelled() or self.sampled.exception())

    @property
    def is_new(self) -> bool:
        """Whether its only reader so far is the one for which it is sampled."""
        return self.readers == 1 and not self.served


class SharedTensor:
    """A tensor, for as long as a stream reads it."""

    def __init__(self, content: str, work: TensorWork) -> None:
        self.content = content
        self.work = work
        self.readers = 0
        self.chunks: dict[ChunkRange, SharedChunk] = {}


class SharedTensors:
    """The tensors that the streams of a process read.

    Args:
        threads: who samples.
        window_bytes: how much memory chunks may hold that no stream reads any more.
    """

    def __init__(self, threads: SamplingThreads, *, window_bytes: int = 0) -> None:
        self._threads = threads
        self._window_bytes = window_bytes
        self._buffers = Buffers()
        self._tensors: dict[str, SharedTensor] = {}
        # Oldest first: what nobody reads now, but a stream that is behind may want.
        self._window: OrderedDict[SharedChunk, SharedTensor] = OrderedDict()
        self._held_bytes = 0

    def enter(self, plan: SamplePlan, peer: str) -> SharedTensor:
        """Return a tensor for a new reader.

        Raises:
            NoRoomError: if it is computed whole and there is no memory for it now.
        """
        content = plan.request.key
        tensor = self._tensors.get(content)
        if tensor is None:
            tensor = SharedTensor(content, TensorWork(plan, peer, self._threads))
            self._tensors[content] = tensor
        tensor.readers += 1
        return tensor

    def leave(self, tensor: SharedTensor) -> None:
        """Record that a reader has ended; after the last one, nothing is kept."""
        tensor.readers -= 1
        if tensor.readers:
            return
        del self._tensors[tensor.content]
        for chunk in list(tensor.chunks.values()):
            self._drop(tensor, chunk)
        tensor.work.close()

    def join(self, tensor: SharedTensor, where: ChunkRange, peer: str) -> SharedChunk:
        """Return a chunk for one more stream: one that is there or under way, or a new one."""
        chunk = tensor.chunks.get(where)
        if chunk is None or not chunk.is_good:
            chunk = tensor.chunks[where] = self._sample(tensor, where, peer)
        elif chunk in self._window:
            del self._window[chunk]
            self._held_bytes -= chunk.memory.size
        chunk.readers += 1
        return chunk

    def part(self, tensor: SharedTensor, chunk: SharedChunk) -> None:
        """Record that a stream needs a chunk no longer."""
        chunk.readers -= 1
        chunk.served += 1
        if chunk.readers or tensor.chunks.get(chunk.where) is not chunk:
            return
        is_there = chunk.sampled.done() and chunk.is_good
        if not is_there or chunk.served >= tensor.readers:
            self._drop(tensor, chunk)
            return
        self._window[chunk] = tensor
        self._held_bytes += chunk.memory.size
        while self._held_bytes > self._window_bytes:
            oldest = next(iter(self._window))
            self._drop(self._window[oldest], oldest)

    async def whole(self, plan: SamplePlan, peer: str, on_sampled: Callable[[int], None]) -> bytes:
        """Return all bytes of a small tensor.

        Args:
            plan: what to sample.
            peer: who reads.
            on_sampled: told how many bytes were sampled for this reader.
        """
        tensor = self.enter(plan, peer)
        try:
            chunk = self.join(tensor, ChunkRange(0, plan.size_bytes), peer)
            sampled_bytes = plan.size_bytes if chunk.is_new else 0
            try:
                # Awaited, a call that is cancelled would cancel it for the others, too.
                await asyncio.wait((chunk.sampled,))
                chunk.sampled.result()
                on_sampled(sampled_bytes)
                return chunk.data.tobytes()
            finally:
                self.part(tensor, chunk)
        finally:
            self.leave(tensor)

    def _sample(self, tensor: SharedTensor, where: ChunkRange, peer: str) -> SharedChunk:
        source = tensor.work.source
        chunk = SharedChunk(where, self._buffers.take(where.size_bytes))
        first = where.byte_offset // source.plan.dtype.itemsize
        sample = functools.partial(source.fill, first, chunk.data)
        chunk.sampled = tensor.work.run(peer, Piece(where.size_bytes, sample))

        def count(done: asyncio.Future[None]) -> None:
            # Asking for the error also tells asyncio that somebody has heard of it.
            if not done.cancelled() and done.exception() is None:
                self._threads.on_sampled(source.plan, where.size_bytes)

        chunk.sampled.add_done_callback(count)
        return chunk

    def _drop(self, tensor: SharedTensor, chunk: SharedChunk) -> None:
        if tensor.chunks.get(chunk.where) is chunk:
            del tensor.chunks[chunk.where]
        if self._window.pop(chunk, None) is not None:
            self._held_bytes -= chunk.memory.size
        # A thread may still write to a chunk that was cancelled: its memory is not used again.
        if not chunk.sampled.cancel() and not chunk.sampled.cancelled():
            self._buffers.give_back(chunk.memory)
