"""The threads that sample, shared by all streams of a process."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from seedbed_server.backends.base import Backend
from seedbed_server.sampling.sampler import SamplePlan
from seedbed_server.streams.shared_chunks import Flights

OnSampled = Callable[[SamplePlan, int], None]


class SamplingPools:
    """The threads that sample, shared by all streams of a process, and what they sampled a moment ago.

    Args:
        backend: who samples; closed with the pools.
        window_bytes: how much of what was sent is kept for other streams that ask for the same.
        on_sampled: told, in the thread that did it, what was sampled and how many bytes.
    """

    def __init__(
        self, backend: Backend, *, window_bytes: int = 0, on_sampled: OnSampled | None = None
    ) -> None:
        self.backend = backend
        self.on_sampled = on_sampled
        self.flights = Flights(window_bytes)
        self._streams = 0
        self._lock = threading.Lock()
        self._chunks = ThreadPoolExecutor(backend.threads, thread_name_prefix="seedbed-sample")
        # One piece that is computed whole at a time: it uses every thread, and as much memory as
        # all else together.
        self._matrices = ThreadPoolExecutor(1, thread_name_prefix="seedbed-matrix")

    @property
    def are_needed(self) -> bool:
        """Whether there are processors that the streams do not keep busy themselves."""
        return self._streams < self.backend.threads

    def enter(self) -> None:
        """Take note that a stream has begun, which keeps a processor busy."""
        with self._lock:
            self._streams += 1

    def exit(self) -> None:
        """Take note that one has ended."""
        with self._lock:
            self._streams -= 1

    def can_sample_here(self, plan: SamplePlan) -> bool:
        """Whether a call's own thread may sample: no device is waited for, nor work that uses every thread."""
        return plan.is_elementwise and self.backend.name == "cpu"

    def pool_for(self, plan: SamplePlan) -> ThreadPoolExecutor:
        """Return where the chunks of a plan are sampled."""
        return self._chunks if plan.is_elementwise else self._matrices

    def close(self) -> None:
        """End the threads; what waits is dropped."""
        self._chunks.shutdown(wait=False, cancel_futures=True)
        self._matrices.shutdown(wait=False, cancel_futures=True)
        self.backend.close()
