"""A stream: the tensors of one request, sampled a little ahead of their reader and never more.

A step is what one part carries: a chunk of a tensor, or a whole one. Steps wait in a row, the
first ones due soon and the others sampled meanwhile. The size of chunks, and the number that wait,
start small and grow with what the reader takes: a reader that takes nothing costs 64 KiB.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self, TypeVar

import numpy as np

from seedbed.spec.digests import Digest, DigestAlgorithm, Digester
from seedbed_server.backends.rules import Fill
from seedbed_server.refusals import NoRoomError
from seedbed_server.sampling.sampler import SamplePlan, TensorSource
from seedbed_server.streams.events import (
    Heartbeat,
    StreamEvent,
    TensorBegin,
    TensorBytes,
    TensorEnd,
    TensorFill,
    TensorSegment,
)
from seedbed_server.streams.inflight import SHARE_BYTES
from seedbed_server.streams.resources import StreamResources
from seedbed_server.streams.segment import MIN_SEGMENT_BYTES
from seedbed_server.streams.segment_folder import Lease
from seedbed_server.streams.shared_tensors import ChunkRange, SharedChunk, SharedTensor

# Silence after which a reader is told that the server is still computing.
HEARTBEAT_SECONDS = 5.0

# By how much each chunk may be larger than the one before.
GROWTH = 8

# The digest of a constant tensor hashes one block of it again and again.
FILL_BLOCK_BYTES = 2**20
HASHED_BYTES_PER_SECOND: dict[DigestAlgorithm, float] = {"xxh3_128": 1e10, "sha256": 4e8}
# What takes longer than a chunk does is no work for the threads that sample chunks.
QUICK_SECONDS = 0.01

T = TypeVar("T")
Events = tuple[StreamEvent, ...]


@dataclass(slots=True)
class _Tensor:
    """A tensor of the request, from its first step to its last."""

    index: int
    plan: SamplePlan
    begins_at: int
    """The first byte of its slice that is wanted."""
    form: SharedTensor | Lease | None
    """Where its bytes are; None where each step samples them by itself."""
    digester: Digester


@dataclass(slots=True)
class _Step:
    """What comes next of a tensor: some bytes of it, which may be none, or all of it."""

    tensor: _Tensor
    where: ChunkRange
    chunk: SharedChunk | None = None
    awaited: "asyncio.Future[Any] | None" = None
    """Done when the step's bytes are there; None where nothing needs to be waited for."""
    taken_bytes: int = 0
    """Of the process's budget."""
    sampled_bytes: int = 0
    """How much is sampled for this stream; what another one had sampled is only read."""

    @property
    def is_last(self) -> bool:
        """Whether nothing of the tensor comes after it."""
        return self.where.byte_offset + self.where.size_bytes == self.tensor.plan.size_bytes


class TensorStream:
    """One pass over the tensors of a request, from a resume point on.

    Args:
        plans: what to sample.
        resources: what all streams of the process share.
        peer: who reads.
        max_chunk_bytes: the largest chunk; at least one element.
        algorithm: of the digests.
        first_tensor: the first one wanted.
        first_byte: where in it the stream begins.
        accepts_fill: whether a constant tensor may come as one element.
        accepts_segments: whether a large tensor may come in shared memory.
        on_sampled: told how many bytes were sampled for this stream, and not for another one.
    """

    def __init__(
        self,
        plans: Sequence[SamplePlan],
        resources: StreamResources,
        peer: str,
        *,
        max_chunk_bytes: int,
        algorithm: DigestAlgorithm = "xxh3_128",
        first_tensor: int = 0,
        first_byte: int = 0,
        accepts_fill: bool = False,
        accepts_segments: bool = False,
        on_sampled: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._plans = plans
        self._resources = resources
        self._peer = peer
        self._max_chunk_bytes = max_chunk_bytes
        self._algorithm: DigestAlgorithm = algorithm
        self._first_byte = first_byte
        self._accepts_fill = accepts_fill
        self._on_sampled = on_sampled
        self._accepts_segments = accepts_segments and resources.segments is not None
        self._next_tensor = first_tensor
        self._next_offset = 0
        self._tensor: _Tensor | None = None
        self._begun = -1  # the last tensor whose beginning was said
        self._leases: list[Lease] = []
        self._taken_bytes = 0
        self._steps: deque[_Step] = deque()
        self._chunk_bytes = min(SHARE_BYTES, max_chunk_bytes)
        self._most_steps = 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        for step in self._steps:
            self._let_go(step)
        if self._tensor is not None:  # it has steps that were never made
            self._leave(self._tensor)
        for lease in self._leases:
            assert self._resources.segments is not None
            self._resources.segments.give_back(lease)
        self._give_back(self._taken_bytes)

    @property
    def has_segments(self) -> bool:
        """Whether the reader has files to open; they are there until the stream is left."""
        return bool(self._leases)

    @property
    def is_complete(self) -> bool:
        """Whether all has been rendered."""
        return not self._steps and self._tensor is None and self._next_tensor == len(self._plans)

    @property
    def ready_bytes(self) -> int | None:
        """How much data the next group of events has, if it is there; None if it is not yet."""
        if not self._steps:
            return None
        step = self._steps[0]
        if step.awaited is None:
            return step.where.size_bytes
        if not step.awaited.done():
            return None
        # Without a chunk it is one element, or the name of a file.
        return step.where.size_bytes if step.chunk is not None else 0

    async def rendered(self, render: Callable[[Events], T]) -> AsyncIterator[T]:
        """Yield what ``render`` makes of each group of events.

        The events' data is valid while ``render`` runs, so that their memory can be used again
        before what it made has been sent.
        """
        self._look_ahead()
        while self._steps:
            step = self._steps[0]
            while step.awaited is not None and not step.awaited.done():
                done, _ = await asyncio.wait((step.awaited,), timeout=HEARTBEAT_SECONDS)
                if not done:
                    alive = Heartbeat(step.tensor.index, step.where.byte_offset)
                    yield render((*self._beginning(step), alive))
            size = step.where.size_bytes if step.chunk is not None else 0
            await self._resources.loop_turns.turn(self._peer, size)
            if step.chunk is not None:
                await self._hash(step.tensor.digester, step.chunk)
            result = render((*self._beginning(step), *self._contents(step), *self._end(step)))
            self._on_sampled(step.sampled_bytes)
            self._steps.popleft()
            self._let_go(step)
            yield result
            self._give_back(step.taken_bytes)
            self._grow()
            self._look_ahead()

    # What is sampled, and when.

    def _grow(self) -> None:
        self._chunk_bytes = min(self._chunk_bytes * GROWTH, self._max_chunk_bytes)
        self._most_steps = min(self._most_steps + 1, self._resources.threads.backend.threads + 1)

    def _look_ahead(self) -> None:
        while len(self._steps) < self._most_steps:
            step = self._next_step()
            if step is None:
                return
            self._steps.append(step)

    def _next_step(self) -> _Step | None:
        """Return the next step, started; None at the end, or while there is no room."""
        tensor = self._tensor
        if tensor is None:
            if self._next_tensor == len(self._plans):
                return None
            try:
                tensor = self._tensor = self._enter_tensor()
            except NoRoomError:
                if self._steps:  # once they have been read, there may be room
                    return None
                raise
        step = self._whole_step(tensor) or self._chunk_step(tensor)
        if step is None:
            return None
        self._next_offset = step.where.byte_offset + step.where.size_bytes
        if step.is_last:
            self._tensor = None
        return step

    def _enter_tensor(self) -> _Tensor:
        index, plan = self._next_tensor, self._plans[self._next_tensor]
        form = self._form_of(plan)
        begins_at, self._first_byte = self._first_byte, 0
        self._next_tensor += 1
        self._next_offset = begins_at
        return _Tensor(index, plan, begins_at, form, Digester(self._algorithm))

    def _form_of(self, plan: SamplePlan) -> SharedTensor | Lease | None:
        threads, segments = self._resources.threads, self._resources.segments
        if self._is_fill(plan):
            return None
        if plan.size_bytes <= self._max_chunk_bytes and threads.samples_in_place(
            plan, plan.size_bytes
        ):
            return None
        if self._accepts_segments and segments and plan.size_bytes >= MIN_SEGMENT_BYTES:
            lease = segments.lease(plan, self._peer, threads)
            if lease is not None:
                self._leases.append(lease)
                return lease
        return self._resources.tensors.enter(plan, self._peer)

    def _whole_step(self, tensor: _Tensor) -> _Step | None:
        """Return the one step of a tensor that has no chunks; None for one that has."""
        where = ChunkRange(tensor.begins_at, tensor.plan.size_bytes - tensor.begins_at)
        if isinstance(tensor.form, Lease):
            size = where.size_bytes if tensor.form.is_new else 0
            return _Step(tensor, where, awaited=tensor.form.filled, sampled_bytes=size)
        if self._is_fill(tensor.plan):
            source = TensorSource(tensor.plan, self._resources.threads.backend)
            work = self._hashed_constant(source, where.size_bytes)
            # Nobody waits for a constant that was cancelled, though a thread may still hash it.
            work.add_done_callback(lambda _: source.cancel())
            size = min(where.size_bytes, FILL_BLOCK_BYTES)
            return _Step(tensor, where, awaited=work, sampled_bytes=size)
        if tensor.form is None or not where.size_bytes:
            return _Step(tensor, where, sampled_bytes=where.size_bytes)
        return None

    def _hashed_constant(
        self, source: TensorSource, size_bytes: int
    ) -> "asyncio.Future[_Constant]":
        threads, arguments = self._resources.threads, (source, size_bytes, self._algorithm)
        seconds = size_bytes / HASHED_BYTES_PER_SECOND[self._algorithm]
        if seconds < QUICK_SECONDS:
            return threads.sample(self._peer, size_bytes, _constant, *arguments)
        return asyncio.wrap_future(threads.compute(self._peer, seconds, _constant, *arguments))

    def _chunk_step(self, tensor: _Tensor) -> _Step | None:
        assert isinstance(tensor.form, SharedTensor)
        left = tensor.plan.size_bytes - self._next_offset
        itemsize = tensor.plan.dtype.itemsize
        size = min(left, max(self._chunk_bytes // itemsize, 1) * itemsize)
        taken = size if self._resources.inflight.take(self._peer, size) else 0
        if not taken:
            if self._steps:
                return None
            size = min(size, max(SHARE_BYTES // itemsize, 1) * itemsize)
        self._taken_bytes += taken
        where = ChunkRange(self._next_offset, size)
        chunk = self._resources.tensors.join(tensor.form, where, self._peer)
        return _Step(tensor, where, chunk, chunk.sampled, taken, size if chunk.is_new else 0)

    def _is_fill(self, plan: SamplePlan) -> bool:
        return self._accepts_fill and isinstance(plan.rule, Fill) and bool(plan.size_bytes)

    # What is given up.

    def _let_go(self, step: _Step) -> None:
        """Give back what a step uses, and after a tensor's last step what the tensor uses."""
        form = step.tensor.form
        if step.chunk is not None and isinstance(form, SharedTensor):
            self._resources.tensors.part(form, step.chunk)
        elif form is None and step.awaited is not None:
            step.awaited.cancel()
        if step.is_last:
            self._leave(step.tensor)

    def _leave(self, tensor: _Tensor) -> None:
        if isinstance(tensor.form, SharedTensor):
            self._resources.tensors.leave(tensor.form)

    def _give_back(self, taken_bytes: int) -> None:
        if taken_bytes:
            self._taken_bytes -= taken_bytes
            self._resources.inflight.give_back(self._peer, taken_bytes)

    # What is said.

    def _beginning(self, step: _Step) -> Events:
        if self._begun == step.tensor.index:
            return ()
        self._begun = step.tensor.index
        return (TensorBegin(step.tensor.index, step.tensor.plan),)

    def _contents(self, step: _Step) -> Events:
        index, where = step.tensor.index, step.where
        if step.awaited is not None:
            step.awaited.result()  # raises what sampling raised
        if step.chunk is not None:
            running = step.tensor.digester.digest().value
            return (TensorBytes(index, where.byte_offset, step.chunk.data.data, running),)
        if isinstance(step.tensor.form, Lease):
            lease = step.tensor.form
            assert self._resources.segments is not None
            directory = str(self._resources.segments.directory)
            return (TensorSegment(index, directory, lease.path, where.size_bytes),)
        if not where.size_bytes:
            return ()
        if step.awaited is not None:
            self._resources.threads.on_sampled(step.tensor.plan, step.sampled_bytes)
            return (TensorFill(index, step.awaited.result().element, where.size_bytes),)
        return (self._sampled_in_place(step),)

    def _sampled_in_place(self, step: _Step) -> TensorBytes:
        plan, where = step.tensor.plan, step.where
        out = np.empty(where.size_bytes, np.uint8)
        source = TensorSource(plan, self._resources.threads.backend)
        source.fill(where.byte_offset // plan.dtype.itemsize, out)
        self._resources.threads.on_sampled(plan, out.size)
        step.tensor.digester.update(out.data)
        running = step.tensor.digester.digest().value
        return TensorBytes(step.tensor.index, where.byte_offset, out.data, running)

    def _end(self, step: _Step) -> Events:
        if not step.is_last:
            return ()
        digest: Digest | None = None
        if step.tensor.form is None and step.awaited is not None:
            digest = step.awaited.result().digest
        elif not isinstance(step.tensor.form, Lease):
            digest = step.tensor.digester.digest()
        return (TensorEnd(step.tensor.index, digest),)

    async def _hash(self, digester: Digester, chunk: SharedChunk) -> None:
        if chunk.sampled.exception() is not None:
            return
        if self._algorithm == "sha256":
            # Ten times as slow as the other one: the loop has better things to do meanwhile.
            await asyncio.to_thread(digester.update, chunk.data.data)
        else:
            digester.update(chunk.data.data)


class _Constant(NamedTuple):
    """A tensor whose elements are all equal."""

    element: bytes
    digest: Digest


def _constant(source: TensorSource, size_bytes: int, algorithm: DigestAlgorithm) -> _Constant:
    """Sample one block of a constant tensor, and hash it as often as it fits."""
    itemsize = source.plan.dtype.itemsize
    block = np.empty(min(size_bytes, FILL_BLOCK_BYTES), np.uint8)
    source.fill(0, block)
    digester = Digester(algorithm)
    for begin in range(0, size_bytes, block.size):
        source.check_wanted()
        digester.update(block[: size_bytes - begin].data)
    return _Constant(block[:itemsize].tobytes(), digester.digest())
