"""The threads of a process that sample; everything else happens on the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from seedbed_server.backends.base import Backend
from seedbed_server.sampling.sampler import SamplePlan
from seedbed_server.streams.fair_shares import FairShares
from seedbed_server.streams.lanes import Lane
from seedbed_server.streams.peer_caps import PeerCaps, no_caps

# Sampled in some ten microseconds, which is what a hand-over to another thread takes.
IN_PLACE_BYTES = 2**14

# What is computed whole waits only for what is not much longer than itself: up to so many core
# seconds, a lane of one thread each.
LANE_SECONDS = (0.1, 3.0, float("inf"))

T = TypeVar("T")
OnSampled = Callable[[SamplePlan, int], None]


class SamplingThreads:
    """Runs what takes long for the event loop, for peers in turn.

    Args:
        backend: who samples; closed with the threads.
        on_sampled: told, on the loop, what was sampled and how many bytes.
        working_bytes: what tensors that are computed whole, and plans of requests, may hold.
        caps: what else bounds a peer.
    """

    def __init__(
        self,
        backend: Backend,
        *,
        on_sampled: OnSampled,
        working_bytes: int = 2**32,
        caps: PeerCaps | None = None,
    ) -> None:
        self.backend = backend
        self.on_sampled = on_sampled
        caps = caps or no_caps()
        self.working = FairShares(working_bytes, caps.held_bytes)
        """The memory beside chunks in flight, in bytes."""
        self.matrices = caps.matrices
        """How many tensors each peer has that are being computed whole."""
        # As many jobs as a stream alone has ahead need no turn.
        self._chunks = Lane("seedbed-sample", backend.threads, ahead=backend.threads)
        self._computing = [Lane(f"seedbed-matrix-{i}", 1) for i in range(len(LANE_SECONDS))]
        # Planning holds the interpreter, so more threads would only slow the loop down.
        self._planning = Lane("seedbed-plan", 1)

    @property
    def waiting(self) -> dict[str, int]:
        """How many jobs wait, by lane."""
        names = (*(f"computed_{most:g}s" for most in LANE_SECONDS[:-1]), "computed_longer")
        waiting = (lane.waiting for lane in self._computing)
        computing = dict(zip(names, waiting, strict=True))
        return {"chunks": self._chunks.waiting, "plans": self._planning.waiting, **computing}

    def sample(
        self, peer: str, size_bytes: int, function: Callable[..., T], *args: Any
    ) -> "asyncio.Future[T]":
        """Run what takes about as long as sampling so many bytes; see :meth:`Lane.submit`."""
        return asyncio.wrap_future(self._chunks.submit(peer, size_bytes, function, *args))

    def compute(
        self, peer: str, core_seconds: float, function: Callable[..., T], *args: Any
    ) -> "Future[T]":
        """Run what takes so long; see :meth:`Lane.submit`."""
        for most, lane in zip(LANE_SECONDS, self._computing, strict=True):
            if core_seconds <= most:
                return lane.submit(peer, core_seconds, function, *args)
        raise AssertionError(core_seconds)

    def plan(
        self, peer: str, tensors: int, function: Callable[..., T], *args: Any
    ) -> "asyncio.Future[T]":
        """Run what plans so many tensors; see :meth:`Lane.submit`."""
        return asyncio.wrap_future(self._planning.submit(peer, tensors, function, *args))

    def samples_in_place(self, plan: SamplePlan, size_bytes: int) -> bool:
        """Return whether the loop samples so many bytes faster than it hands them over."""
        return (
            size_bytes <= IN_PLACE_BYTES and plan.is_elementwise and self.backend.samples_in_place
        )

    def close(self) -> None:
        """End the threads; what waits is dropped."""
        for lane in (self._chunks, *self._computing, self._planning):
            lane.close()
        self.backend.close()
