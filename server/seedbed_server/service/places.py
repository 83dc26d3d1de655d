"""Places for streams: those beyond are refused at once."""

from collections.abc import Iterator
from contextlib import contextmanager

from seedbed.spec.reasons import Reason
from seedbed_server.streams.fair_shares import FairShares


class Places:
    """A limited number of places for streams, fairly shared among peers.

    Args:
        count: how many there are.
    """

    def __init__(self, count: int) -> None:
        self._shares = FairShares(count)

    @property
    def taken_count(self) -> int:
        """How many are taken."""
        return self._shares.held

    @contextmanager
    def taken(self, peer: str) -> Iterator[None]:
        """Have a place within the block.

        Raises:
            NoRoomError: if none is free, or the peer has its share.
        """
        message = (
            f"all streams that one client may have now are in use, of {self._shares.total} "
            "(max_concurrent_streams)"
        )
        with self._shares.taken(peer, 1, message, Reason.TOO_MANY_STREAMS):
            yield
