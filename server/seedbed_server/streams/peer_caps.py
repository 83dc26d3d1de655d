"""Caps: what a peer may hold at most, however much is free."""

from collections.abc import Callable
from typing import NamedTuple

from seedbed_server.refusals import QuotaError

# What is held is given back when a stream, or what it computes, ends; nobody knows when.
RETRY_SECONDS = 1.0


class PeerCap:
    """A cap on one thing, or on the sum of several.

    Args:
        quota: what refusals call it.
        most: returns how much a peer may hold; None is without a cap.
    """

    def __init__(self, quota: str, most: Callable[[str], int | None] = lambda _: None) -> None:
        self._quota = quota
        self._most = most
        self._held: dict[str, int] = {}

    def has_room(self, peer: str, amount: int) -> bool:
        """Return whether a peer may hold so much more."""
        most = self._most(peer) if amount else None
        return most is None or self._held.get(peer, 0) + amount <= most

    def hold(self, peer: str, amount: int) -> None:
        """Count what a peer holds more, or less where it is negative."""
        held = self._held.get(peer, 0) + amount
        if held:
            self._held[peer] = held
        else:
            self._held.pop(peer, None)

    def check(self, peer: str, amount: int) -> None:
        """Raise QuotaError unless a peer may hold so much more."""
        if not self.has_room(peer, amount):
            raise QuotaError(
                f"{amount} more are beyond {self._quota}, {self._most(peer)}, with the "
                f"{self._held.get(peer, 0)} in use",
                quota=self._quota,
                retry_after_seconds=RETRY_SECONDS,
            )


class PeerCaps(NamedTuple):
    """The caps of a process's peers."""

    held_bytes: PeerCap
    """On sampled chunks and on memory for computing, together."""
    matrices: PeerCap
    """On tensors that are being computed whole."""


def no_caps() -> PeerCaps:
    """Return caps that nobody comes up to."""
    return PeerCaps(PeerCap("inflight_bytes"), PeerCap("matrices"))
