"""Turns: what waits is served in turn by peer, whatever the number of a peer's streams.

Start-time fair queueing (Goyal, Vin and Cheng 1996, doi:10.1145/248157.248171): each peer's next
turn is due at what it has used so far, and whoever is due first is served. A newcomer, or a peer
that had nothing waiting when its turn came, begins where the others are.
"""

import heapq
import itertools
from collections.abc import Callable
from typing import Generic, NamedTuple, Protocol, TypeVar


class Wish(Protocol):
    """What whoever waits holds: a future."""

    def cancelled(self) -> bool:
        """Return whether nobody wants it any more."""


W = TypeVar("W", bound=Wish)


class Waiting(NamedTuple):
    """Something that waits for its turn."""

    due: float
    """Orders what a peer has waiting: when it came, and what it costs."""
    number: int
    """Ties are served in order."""
    cost: float
    """What it uses, in any unit."""
    wish: Wish
    """Cancelled by whoever no longer wants it."""
    start: Callable[[], None]
    """Called when its turn has come."""


class PeerTurns(Generic[W]):
    """What waits, by peer. Within a peer the cheap go first, but nothing is overtaken for ever."""

    def __init__(self) -> None:
        self._now = 0.0
        self._numbers = itertools.count()
        # Each peer that is known is in both: a peer is forgotten when its turn finds nothing.
        self._peers: list[tuple[float, int, str]] = []
        self._waiting: dict[str, list[Waiting]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def __bool__(self) -> bool:
        return bool(self._peers)

    def add(self, peer: str, cost: float, wish: W, start: Callable[[], None]) -> None:
        """Let something wait for a turn of its peer's."""
        if peer not in self._waiting:
            self._waiting[peer] = []
            heapq.heappush(self._peers, (self._now, next(self._numbers), peer))
        waiting = Waiting(self._now + cost, next(self._numbers), cost, wish, start)
        heapq.heappush(self._waiting[peer], waiting)

    def start_next(self) -> bool:
        """Start what is next, and return whether there was anything."""
        while self._peers:
            used, _, peer = heapq.heappop(self._peers)
            self._now = used
            waiting = self._waiting[peer]
            while waiting and waiting[0].wish.cancelled():
                heapq.heappop(waiting)
            if not waiting:
                del self._waiting[peer]
                continue
            chosen = heapq.heappop(waiting)
            heapq.heappush(self._peers, (used + chosen.cost, next(self._numbers), peer))
            chosen.start()
            return True
        return False
