"""The servers that a client may ask, in turn."""

import itertools
from collections.abc import Iterable, Iterator, Sequence

from seedbed.errors import SeedbedError
from seedbed.transports.replica import Replica
from seedbed.transports.statuses import UNWELCOME


class Replicas:
    """One server, or several that give the same bits. Safe to use from several threads.

    Args:
        replicas: at least one, each another server.
        channels: connections to each that a fetch uses.
    """

    def __init__(self, replicas: Sequence[Replica], channels: int = 1) -> None:
        self._replicas = tuple(replicas)
        self._channels = channels
        self._turns = itertools.count()

    def __iter__(self) -> Iterator[Replica]:
        return iter(self._replicas)

    def __len__(self) -> int:
        return len(self._replicas)

    @property
    def target(self) -> str:
        """All targets, separated by commas."""
        return ",".join(each.target for each in self._replicas)

    @property
    def is_closed(self) -> bool:
        """Whether the client has been closed."""
        return any(each.is_closed for each in self._replicas)

    @property
    def most_lanes(self) -> int:
        """How many connections a fetch may use."""
        return len(self._replicas) * self._channels

    @property
    def ready_in_seconds(self) -> float:
        """When the first of them may be asked by its own words; 0 if none has said so."""
        return min(each.ready_in_seconds for each in self._replicas)

    def next(self, avoiding: Replica | None = None) -> Replica:
        """Return whose turn it is, of those that are not set aside; if all are, of all.

        Args:
            avoiding: one that is taken only if there is no other.
        """
        first = next(self._turns)
        in_turn = [self._replicas[(first + i) % len(self)] for i in range(len(self))]
        return min(in_turn, key=lambda each: (each.is_set_aside, each is avoiding))

    def lanes(self, count: int) -> list[Replica]:
        """Return the server of each of the connections that a fetch shall use, at most ``count``.

        Those that are set aside come last, and are used at all only where nobody else is.
        """
        first = next(self._turns)
        in_turn = [self._replicas[(first + i) % len(self)] for i in range(len(self))]
        ready = [each for each in in_turn if not each.is_set_aside] or in_turn
        return (ready * self._channels)[:count]


def check_welcome(error: SeedbedError, replica: Replica, replicas: Iterable[Replica]) -> None:
    """Raise the error of a replica that refuses the caller, unless another one is to be asked."""
    if isinstance(error, UNWELCOME) and all(
        each is replica or each.is_set_aside for each in replicas
    ):
        raise error
