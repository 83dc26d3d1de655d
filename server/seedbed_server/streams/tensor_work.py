"""The sampling of one tensor by the threads, and the memory that this takes."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import NamedTuple

from seedbed.spec.reasons import Reason
from seedbed_server.sampling.sampler import SamplePlan, TensorSource
from seedbed_server.streams.sampling_threads import SamplingThreads


class Piece(NamedTuple):
    """Some bytes of a tensor, and what samples them."""

    size_bytes: int
    sample: Callable[[], None]


class TensorWork:
    """A tensor while it is sampled.

    Parts of a tensor whose elements are computed one by one are sampled in any order. Those of one
    that is computed whole come one after another, each in the lane for what it takes by then: what
    has been computed is only looked up, and no thread waits for another one.

    Args:
        plan: what to sample.
        peer: who asked first, and holds the memory.
        threads: who samples.

    Raises:
        NoRoomError: if there is no room for it now.
        QuotaError: if the peer may not have it now.
    """

    def __init__(self, plan: SamplePlan, peer: str, threads: SamplingThreads) -> None:
        self.source = TensorSource(plan, threads.backend)
        self._peer = peer
        self._threads = threads
        self._order = asyncio.Lock()
        self._closing: asyncio.Task[None] | None = None
        self._held_matrices = int(not plan.is_elementwise)
        self._held_bytes = 0 if plan.is_elementwise else plan.cost.working_bytes
        threads.matrices.check(peer, self._held_matrices)
        threads.working.must_take(
            peer,
            self._held_bytes,
            "the tensors that are being computed leave no room for this one (max_working_bytes)",
            Reason.TOO_MANY_MATRICES,
        )
        threads.matrices.hold(peer, self._held_matrices)

    def run(self, peer: str, piece: Piece) -> "asyncio.Future[None]":
        """Sample a piece for a peer; cancelled before its turn, it is not sampled."""
        if self.source.plan.is_elementwise:
            return self._threads.sample(peer, piece.size_bytes, piece.sample)
        return asyncio.get_running_loop().create_task(self._in_order(peer, piece))

    async def run_all(self, peer: str, pieces: Iterator[Piece]) -> None:
        """Sample all pieces, a few at a time: others' work finds a turn between them."""
        under_way: set[asyncio.Future[None]] = set()
        try:
            for piece in pieces:
                if len(under_way) > self._threads.backend.threads:
                    await _some(under_way)
                under_way.add(self.run(peer, piece))
            while under_way:
                await _some(under_way)
        finally:
            for each in under_way:
                each.cancel()
        plan = self.source.plan
        self._threads.on_sampled(plan, plan.size_bytes)

    def close(self) -> None:
        """End the work, and give the memory back as soon as no thread uses it."""
        self.source.cancel()
        if self._order.locked():
            self._closing = asyncio.get_running_loop().create_task(self._close_in_order())
        else:
            self._give_back()

    async def _in_order(self, peer: str, piece: Piece) -> None:
        async with self._order:
            count = piece.size_bytes // self.source.plan.dtype.itemsize
            job = self._threads.compute(peer, self.source.core_seconds(count), piece.sample)
            try:
                await asyncio.wrap_future(job)
            except asyncio.CancelledError:
                if not job.cancel():
                    await _ended(job)
                raise

    async def _close_in_order(self) -> None:
        async with self._order:
            self._give_back()

    def _give_back(self) -> None:
        self._threads.working.give_back(self._peer, self._held_bytes)
        self._threads.matrices.hold(self._peer, -self._held_matrices)


async def _ended(job: "Future[None]") -> None:
    """Return when a thread has left a job, however that ends."""
    ended = asyncio.wrap_future(job)
    # Asking for the error tells asyncio that somebody has heard of it.
    ended.add_done_callback(lambda done: done.cancelled() or done.exception())
    await asyncio.wait((ended,))


async def _some(under_way: set["asyncio.Future[None]"]) -> None:
    done, _ = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
    under_way -= done
    for each in done:
        each.result()
