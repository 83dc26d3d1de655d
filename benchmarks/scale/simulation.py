"""Ranks over time: they arrive, are refused and come back, share the service, and are ready.

Processor sharing by virtual time: everyone who is served has the same share of the capacity, and is
ready when the shares that it was given add up to its work.
"""

import heapq
from collections import deque
from dataclasses import dataclass

STEPS = 2000
# Servers tell those that they refuse different times, so that they come back spread out.
RETRY_PARTS = 10


@dataclass(frozen=True, slots=True)
class Crowd:
    """Ranks that all do the same."""

    ranks: int
    arrival_seconds: float
    """Over how long they arrive, evenly; schedulers start no job's ranks at once."""
    lone_seconds: float
    """How long one rank takes that has everything to itself."""
    busy_seconds: float
    """How long what is busiest takes for all of them."""
    places: int
    """How many are served at a time; others are refused."""
    retry_seconds: float
    """Until when ranks that were refused have come back."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a crowd."""

    ready: tuple[tuple[float, float], ...]
    """At which second how many were ready, in the order of time."""
    refusals: float
    """How many calls were refused."""

    @property
    def seconds(self) -> float:
        """When the last rank was ready."""
        return self.ready[-1][0]

    @property
    def ranks(self) -> float:
        """How many were ready in the end."""
        return self.ready[-1][1]


def simulate(crowd: Crowd) -> Outcome:
    """Return when the ranks of a crowd are ready."""
    least = max(crowd.arrival_seconds + crowd.lone_seconds, crowd.busy_seconds)
    step = least / STEPS
    # A rank's work is 1. In a second all get `capacity` of it, and one at most `alone`.
    capacity, alone = crowd.ranks / crowd.busy_seconds, 1.0 / crowd.lone_seconds
    arriving = deque(_arrivals(crowd, step))
    served: deque[tuple[float, float]] = deque()  # when they will be ready by virtual time, ranks
    waiting: list[tuple[float, float]] = []  # when they come back, ranks
    now = virtual = active = done = refusals = 0.0
    ready: list[tuple[float, float]] = [(0.0, 0.0)]
    while done < crowd.ranks * (1 - 1e-9):
        coming = 0.0
        while arriving and arriving[0][0] <= now:
            coming += arriving.popleft()[1]
        while waiting and waiting[0][0] <= now:
            coming += heapq.heappop(waiting)[1]
        taken = min(coming, crowd.places - active)
        if taken > 0:
            served.append((virtual + 1.0, taken))
            active += taken
        if coming > taken:
            refusals += coming - taken
            for part in range(1, RETRY_PARTS + 1):
                back = now + crowd.retry_seconds * part / RETRY_PARTS
                heapq.heappush(waiting, (back, (coming - taken) / RETRY_PARTS))
        now += step
        virtual += step * min(alone, capacity / active if active > 0 else 0.0)
        while served and served[0][0] <= virtual + 1e-9:
            _, ranks = served.popleft()
            active -= ranks
            done += ranks
            ready.append((now, done))
    return Outcome(tuple(ready), refusals)


def _arrivals(crowd: Crowd, step: float) -> list[tuple[float, float]]:
    steps = max(1, round(crowd.arrival_seconds / step))
    return [(i * step, crowd.ranks / steps) for i in range(steps)]
