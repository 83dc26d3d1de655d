"""The threads of a process that sample; everything else happens on the event loop."""

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from seedbed_server.backends.base import Backend
from seedbed_server.sampling.sampler import SamplePlan

# Sampled in some ten microseconds, which is what a hand-over to another thread takes.
IN_PLACE_BYTES = 2**14

T = TypeVar("T")
OnSampled = Callable[[SamplePlan, int], None]


class SamplingThreads:
    """Runs what takes long for the event loop.

    Args:
        backend: who samples; closed with the threads.
        on_sampled: told, on the loop, what was sampled and how many bytes.
    """

    def __init__(self, backend: Backend, *, on_sampled: OnSampled) -> None:
        self.backend = backend
        self.on_sampled = on_sampled
        self._chunks = ThreadPoolExecutor(backend.threads, thread_name_prefix="seedbed-sample")
        # What is computed whole uses every processor itself, and as much memory as all else.
        self._matrices = ThreadPoolExecutor(1, thread_name_prefix="seedbed-matrix")

    def run(self, plan: SamplePlan, function: Callable[..., T], *args: Any) -> asyncio.Future[T]:
        """Return what becomes the function's result; cancelled before its turn, it never runs."""
        pool = self._chunks if plan.is_elementwise else self._matrices
        return asyncio.get_running_loop().run_in_executor(pool, function, *args)

    async def run_all(self, plan: SamplePlan, functions: Iterable[Callable[[], object]]) -> None:
        """Run functions, a few at a time: others' work finds a turn between them."""
        under_way: set[asyncio.Future[object]] = set()
        try:
            for function in functions:
                if len(under_way) > self.backend.threads:
                    await self._some(under_way)
                under_way.add(self.run(plan, function))
            while under_way:
                await self._some(under_way)
        finally:
            for each in under_way:
                each.cancel()

    @staticmethod
    async def _some(under_way: set[asyncio.Future[object]]) -> None:
        done, _ = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
        under_way -= done
        for each in done:
            each.result()

    def samples_in_place(self, plan: SamplePlan, size_bytes: int) -> bool:
        """Return whether the loop samples so many bytes faster than it hands them over."""
        return (
            size_bytes <= IN_PLACE_BYTES and plan.is_elementwise and self.backend.samples_in_place
        )

    def close(self) -> None:
        """End the threads; what waits is dropped."""
        self._chunks.shutdown(wait=False, cancel_futures=True)
        self._matrices.shutdown(wait=False, cancel_futures=True)
        self.backend.close()
