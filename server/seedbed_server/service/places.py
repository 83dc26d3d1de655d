"""Places for streams: those beyond wait their turn, and are refused after a while."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from seedbed_server.refusals import OverloadedError

RETRY_SECONDS = 1.0


class Places:
    """A limited number of places for streams.

    Args:
        count: how many there are.
        queue_seconds: how long a stream waits for one.
    """

    def __init__(self, count: int, queue_seconds: float) -> None:
        self._count = count
        self._queue_seconds = queue_seconds
        self._free = asyncio.Semaphore(count)
        self._taken = 0
        self._all_free = asyncio.Event()
        self._all_free.set()

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """Have a place within the block.

        Raises:
            OverloadedError: if none became free in time.
        """
        if self._free.locked():
            await self._wait()
        else:
            await self._free.acquire()
        self._taken += 1
        self._all_free.clear()
        try:
            yield
        finally:
            self._free.release()
            self._taken -= 1
            if not self._taken:
                self._all_free.set()

    async def wait_all_free(self, timeout_seconds: float) -> None:
        """Return when no stream is under way, or after the time."""
        try:
            await asyncio.wait_for(self._all_free.wait(), timeout_seconds)
        except TimeoutError:
            return

    async def _wait(self) -> None:
        try:
            await asyncio.wait_for(self._free.acquire(), self._queue_seconds)
        except TimeoutError:
            raise OverloadedError(
                f"all {self._count} streams are in use (max_concurrent_streams)",
                reason="TOO_MANY_STREAMS",
                retry_after_seconds=RETRY_SECONDS,
            ) from None
