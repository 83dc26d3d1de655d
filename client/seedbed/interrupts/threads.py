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
    it for ever. Here signals wait for the note.
    """

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Let a thread call the function; see :class:`concurrent.futures.Executor`."""
        with signals_held():
            return super().submit(fn, *args, **kwargs)
