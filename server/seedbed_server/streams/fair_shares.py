"""Fair shares of what is scarce: no peer can take it from the others.

A peer may hold as much of a resource as is still free: the dynamic threshold of Choudhury and Hahne
1998, doi:10.1109/90.664262. One peer alone gets half, two get a third each, and some is always left
for who comes next. It takes no list of peers, no weights and no waiting.
"""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

from seedbed.spec.reasons import Reason
from seedbed_server.refusals import NoRoomError
from seedbed_server.streams.peer_caps import PeerCap

# What those that are refused are told to wait: the more there were lately, the longer, so that a
# crowd that comes back comes back spread out.
SHORTEST_RETRY_SECONDS = 0.2
LONGEST_RETRY_SECONDS = 5.0
RETRIES_PER_SECOND = 100
# How long a refusal counts.
LATELY_SECONDS = 5.0


class FairShares:
    """One resource, and how much of it each peer holds.

    Args:
        total: how much there is.
        cap: what else bounds a peer; others may count to it, too.
    """

    def __init__(self, total: int, cap: PeerCap | None = None) -> None:
        self.total = total
        self._cap = cap
        self.free = total
        self._held: dict[str, int] = {}
        self._refused = 0.0
        self._refused_at = 0.0

    @property
    def held(self) -> int:
        """How much of it all peers hold."""
        return self.total - self.free

    def take(self, peer: str, amount: int) -> bool:
        """Take some, and return whether the peer may have it now."""
        held = self._held.get(peer, 0) + amount
        if held > self.free and amount:
            return False
        if self._cap is not None and not self._cap.has_room(peer, amount):
            return False
        self._hold(peer, held, -amount)
        return True

    def give_back(self, peer: str, amount: int) -> None:
        """Give back what a peer has taken."""
        self._hold(peer, self._held.get(peer, 0) - amount, amount)

    def must_take(self, peer: str, amount: int, message: str, reason: Reason) -> None:
        """Take some; the errors are those of :meth:`taken`."""
        if self.take(peer, amount):
            return
        if self._cap is not None:
            self._cap.check(peer, amount)
        raise self.refusal(message, reason)

    @contextmanager
    def taken(self, peer: str, amount: int, message: str, reason: Reason) -> Iterator[None]:
        """Hold some within the block.

        Raises:
            NoRoomError: with the message and the reason, if the peer may not have it now.
            QuotaError: if it may not for its cap.
        """
        self.must_take(peer, amount, message, reason)
        try:
            yield
        finally:
            self.give_back(peer, amount)

    def refusal(self, message: str, reason: Reason) -> NoRoomError:
        """Return the error for a peer that may not have what it asks for."""
        now = time.monotonic()
        self._refused *= math.exp((self._refused_at - now) / LATELY_SECONDS)
        self._refused_at = now
        self._refused += 1
        seconds = min(
            SHORTEST_RETRY_SECONDS + self._refused / RETRIES_PER_SECOND, LONGEST_RETRY_SECONDS
        )
        return NoRoomError(message, reason=reason, retry_after_seconds=round(seconds, 2))

    def _hold(self, peer: str, held: int, freed: int) -> None:
        self.free += freed
        if self._cap is not None:
            self._cap.hold(peer, -freed)
        if held:
            self._held[peer] = held
        else:
            self._held.pop(peer, None)
