"""Places for streams: those beyond are refused at once."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from seedbed_server.streams.fair_shares import FairShares


class Places:
    """A limited number of places for streams, fairly shared among peers.

    Args:
        count: how many there are.
    """

    def __init__(self, count: int) -> None:
        self._shares = FairShares(count)
        self._all_free = asyncio.Event()
        self._all_free.set()

    @property
    def taken_count(self) -> int:
        """How many are taken."""
        return self._shares.held

    @contextmanager
    def taken(self, peer: str) -> Iterator[None]:
        """Have a place within the block.

        Raises:
            OverloadedError: if none is free, or the peer has its share.
        """
        message = (
            f"all streams that one client may have now are in use, of {self._shares.total} "
            "(max_concurrent_streams)"
        )
        try:
            with self._shares.taken(peer, 1, message, "TOO_MANY_STREAMS"):
                self._all_free.clear()
                yield
        finally:
            if not self.taken_count:
                self._all_free.set()

    async def wait_all_free(self, timeout_seconds: float) -> None:
        """Return when no stream is under way, or after the time."""
        try:
            await asyncio.wait_for(self._all_free.wait(), timeout_seconds)
        except TimeoutError:
            return
