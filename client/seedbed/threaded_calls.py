"""Calls of the synchronous client in threads, which an event loop awaits and can cancel."""

import asyncio
import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar

from seedbed import client as synchronous
from seedbed.deadlines import Remaining
from seedbed.errors import CancelledError
from seedbed.interrupts.threads import Threads
from seedbed.spec.stats import ClientStats
from seedbed.spec.targets import EMBEDDED
from seedbed.transports.base import Transport, embedded_transport
from seedbed.transports.endings import cancelled
from seedbed.transports.forks import forgets_after_fork

T = TypeVar("T")


class Engine:
    """The engine in this process, loaded by the first call: its kernels may have to be compiled."""

    target = EMBEDDED

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._engine: Transport | None = None
        forgets_after_fork(self)

    def forget(self) -> None:
        """Have no lock in a forked child that a thread has which is not there."""
        self._lock = threading.Lock()

    def another(self) -> Transport:
        """Return a transport whose calls are cancelled apart from all others."""
        with self._lock:
            if self._engine is None:
                self._engine = embedded_transport()
            return self._engine.another()

    def stats(self) -> ClientStats:
        """Return that no server has been asked."""
        return ClientStats(())

    def close(self) -> None:
        """Do nothing: the engine belongs to the process."""


class ThreadedCall:
    """One call in a thread, which the event loop can cancel.

    Args:
        transport: makes the call; cancelling it leaves other calls alone.
    """

    def __init__(self, transport: Transport | Engine) -> None:
        self._transport = transport
        self._opened: list[Transport] = []
        self._is_cancelled = False
        self._job: Future[Any] | None = None

    def client(self) -> synchronous.Client:
        """Return the synchronous client for this call; to be used in the thread."""
        return synchronous.Client(
            self._open(self._transport.another),
            lambda: self._open(embedded_transport),
            lambda: self._open(self._transport.another),
        )

    def _open(self, open_transport: Callable[[], Transport]) -> Transport:
        transport = open_transport()
        # In this order, and ``cancel`` in the other one: one of the two sees what the other did.
        self._opened.append(transport)
        if self._is_cancelled:
            transport.cancel()
        return transport

    def cancel(self) -> None:
        """End the call soon, whether it has begun or not."""
        self._is_cancelled = True
        for transport in tuple(self._opened):
            transport.cancel()
        if self._job is not None:
            self._job.cancel()

    async def run(
        self,
        threads: Threads,
        work: Callable[[], T],
        remaining: Remaining | None = None,
    ) -> T:
        """Return what a function returns that runs in a thread and makes this call.

        However this ends, the function has ended, too: a task that was cancelled may use the
        memory again that the call wrote to.

        Raises:
            CancelledError: if the client was closed meanwhile.
            DeadlineError: if the time was over before a thread was free.
        """
        if self._is_cancelled:
            raise self._cancelled()
        # In the caller's context: the call is a part of its trace.
        try:
            self._job = job = threads.submit(contextvars.copy_context().run, work)
        except RuntimeError:  # the threads have been ended
            if self._is_cancelled:
                raise self._cancelled() from None
            raise
        try:
            await self._begun_in_time(job, remaining)
            await _done(job)
        except BaseException as error:
            self.cancel()
            # A coroutine that is thrown away has no event loop any more to wait in.
            if not isinstance(error, GeneratorExit):
                await ended(job)
            raise
        if self._is_cancelled and (job.cancelled() or job.exception() is not None):
            raise self._cancelled()
        return job.result()

    async def ended(self) -> None:
        """Return when the thread has ended its work."""
        if self._job is not None:
            await ended(self._job)

    async def _begun_in_time(self, job: Future[T], remaining: Remaining | None) -> None:
        """Raise unless the function has begun within its time, which it minds itself then."""
        seconds = remaining() if remaining is not None else None
        if remaining is None or seconds is None:
            return
        with suppress(TimeoutError):
            # Event loops' timers may be early by the resolution of their clock.
            async with asyncio.timeout(seconds + 1e-3):
                await _done(job)
        if not job.done() and job.cancel():
            remaining()

    def _cancelled(self) -> CancelledError:
        return cancelled(self._transport.target)


async def ended(job: Future[Any]) -> None:
    """Return when a job has ended, or raise then if this task is cancelled meanwhile."""
    cancelled: asyncio.CancelledError | None = None
    while not job.done():
        try:
            await _done(job)
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled


async def _done(job: Future[Any]) -> None:
    """Return when a job has ended; cancelling this does not cancel the job."""
    loop = asyncio.get_running_loop()
    done = asyncio.Event()

    def tell(_: Future[Any]) -> None:
        with suppress(RuntimeError):  # the event loop was closed, and nobody waits
            loop.call_soon_threadsafe(done.set)

    job.add_done_callback(tell)
    await done.wait()
