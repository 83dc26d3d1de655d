"""A lane: threads that work for peers in turn."""

import asyncio
import traceback
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

from seedbed_server.streams.turns import PeerTurns

T = TypeVar("T")


class Lane:
    """Threads, and the jobs that wait for them. Its state belongs to the event loop.

    Args:
        name: of the threads.
        threads: how many.
        ahead: how many jobs are handed over beyond those that the threads work on, so that no
            thread waits for the loop; a job that comes later cannot go before these.
    """

    def __init__(self, name: str, threads: int, *, ahead: int = 0) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._free = threads + ahead
        self._turns: PeerTurns[Future[Any]] = PeerTurns()

    @property
    def waiting(self) -> int:
        """How many jobs wait."""
        return len(self._turns)

    def submit(self, peer: str, cost: float, function: Callable[..., T], *args: Any) -> "Future[T]":
        """Return what becomes the function's result; cancelled before it begins, it never runs.

        Args:
            peer: whose job it is.
            cost: what it takes, in a unit that all jobs of the lane share.
            function: what to run, in a thread.
            args: its arguments.
        """
        loop = asyncio.get_running_loop()
        job: Future[T] = Future()

        def start() -> None:
            self._free -= 1
            # A thread is free when its function has returned, though nobody waits for it any more.
            self._pool.submit(_work, job, function, args).add_done_callback(ended)

        def ended(_: object) -> None:
            with suppress(RuntimeError):  # the loop has ended, and so will the process
                loop.call_soon_threadsafe(self._ended)

        if self._free:
            start()
        else:
            self._turns.add(peer, cost, job, start)
        return job

    def close(self) -> None:
        """End the threads; what waits is dropped."""
        self._turns = PeerTurns()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _ended(self) -> None:
        self._free += 1
        self._turns.start_next()


def _work(job: "Future[T]", function: Callable[..., T], args: tuple[Any, ...]) -> None:
    if not job.set_running_or_notify_cancel():
        return
    try:
        job.set_result(function(*args))
    except BaseException as error:  # noqa: BLE001  # raised where it is awaited
        # A job lives until garbage is collected: asyncio.wrap_future makes it refer to itself. Its
        # error's traceback must not keep what the frames there held, such as matrices.
        traceback.clear_frames(error.__traceback__)
        del function, args
        job.set_exception(error)
