"""A pool of threads that is whole, whatever a signal breaks off."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from seedbed.interrupts.held_signals import signals_held

P = ParamSpec("P")
T = TypeVar("T")


class Threads(ThreadPoolExecutor):
    """A pool that knows each of its threads, so that the process can end.

    An executor takes note of a thread after it has waited for its start. One that it does not know
    of, as Ctrl-C came between the two, is never told to end, and the interpreter's end waits for
    it for ever. Here signals wait for the note, and for what Python calls when a thread is deleted:
    nothing can be raised there.
    """

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Let a thread call the function; see :class:`concurrent.futures.Executor`."""
        jobs: list[Future[T]] = []
        self.submit_to(jobs, fn, *args, **kwargs)
        return jobs[0]

    def submit_to(
        self, jobs: list[Future[T]], fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
    ) -> None:
        """Do the same, and append the job to a list, which misses none whatever a signal raises."""
        with signals_held():
            jobs.append(super().submit(fn, *args, **kwargs))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the threads; see :class:`concurrent.futures.Executor`."""
        super().shutdown(wait, cancel_futures=cancel_futures)
        if wait:
            with signals_held():
                self._threads = set()
