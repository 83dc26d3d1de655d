"""What quotas come to: limits of a server's that are tighter, and bytes counted by the day."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache

from seedbed.spec.errors import Words, over_limit
from seedbed.spec.info import Limits
from seedbed_server.refusals import QuotaError
from seedbed_server.security.policy import Quotas

DAY_SECONDS = 86_400
BYTES_PER_DAY = "bytes_per_day"


@lru_cache(maxsize=256)
def tightened(limits: Limits, quotas: Quotas) -> Limits:
    """Return the limits of a caller, who can never have more than its quotas."""
    working_bytes, seconds = limits.max_working_bytes, limits.max_request_cost_seconds
    if quotas.inflight_bytes is not None:
        working_bytes = min(working_bytes, quotas.inflight_bytes)
    if quotas.cost_seconds_per_request is not None:
        seconds = min(seconds, quotas.cost_seconds_per_request)
    return replace(limits, max_working_bytes=working_bytes, max_request_cost_seconds=seconds)


class DailyBytes:
    """The bytes that each identity has had since midnight, UTC. Belongs to the event loop.

    Args:
        workers: how many processes count, each for itself: each gives its share of a quota.
        clock: the time in seconds since 1970.
    """

    def __init__(self, workers: int = 1, clock: Callable[[], float] = time.time) -> None:
        self._workers = workers
        self._clock = clock
        self._day = 0
        self._taken: Counter[str] = Counter()

    @contextmanager
    def taken(
        self, identity: str, quota: int, wanted: int, given: Callable[[], int]
    ) -> Iterator[None]:
        """Take what a request wants; after the block, what was not given may be taken anew.

        Args:
            identity: who wants it.
            quota: how much it may have in a day, of all workers.
            wanted: how much it asks for.
            given: returns how much it got.

        Raises:
            InvalidValueError: if it is more than a whole day's.
            QuotaError: if it is more than what is left of this day's.
        """
        most, day = quota // self._workers, self._today()
        if wanted > most:
            allowed = f"of at most {most} bytes in all ({BYTES_PER_DAY})"
            raise over_limit("tensors", allowed, Words(f"{wanted} bytes"))
        left = most - self._taken[identity]
        if wanted > left:
            raise QuotaError(
                f"{wanted} bytes are more than the {max(left, 0)} that are left today of {most} "
                f"({BYTES_PER_DAY}); the next day begins at 00:00 UTC",
                quota=BYTES_PER_DAY,
                retry_after_seconds=(day + 1) * DAY_SECONDS - self._clock(),
            )
        self._taken[identity] += wanted
        try:
            yield
        finally:
            if self._today() == day:
                self._taken[identity] -= wanted - given()

    def _today(self) -> int:
        """Return the number of the day; with a new one, all begin anew."""
        day = int(self._clock() // DAY_SECONDS)
        if day != self._day:
            self._day = day
            self._taken.clear()
        return day
