"""A task that seedbed and an alternative were timed at, as a reader wants to know it."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.result import OURS, Result

SAMPLING = "Sampling float32 in one process"
FETCHING = "Fetching from a server on the same machine"
LATENCY = "One round trip to a server"
MATRICES = "Orthogonal matrices"
ORDER = (SAMPLING, FETCHING, LATENCY, MATRICES)
# By the benchmark's number; all others are fetches.
GROUPS = {1: SAMPLING, 8: LATENCY, 9: MATRICES}


@dataclass(frozen=True, slots=True)
class Comparison:
    """How many times as fast as an alternative seedbed is."""

    group: str
    """What kind of task."""
    task: str
    """The task."""
    peer: str
    """The fastest alternative, and what it does where that is less."""
    speedup: float
    """The median over the rounds; above 1, seedbed is faster."""
    slowest: float
    """In the worst round."""
    fastest: float
    """In the best round."""


def comparisons(results: Sequence[Result]) -> list[Comparison]:
    """Return the results that have a peer which is not seedbed itself; of dtypes, float32's.

    They are together by group.
    """
    shown = [_comparison(result) for result in results if _is_shown(result)]
    return sorted(shown, key=lambda each: ORDER.index(each.group))


def _is_shown(result: Result) -> bool:
    if not result.ratios or result.peers[0].startswith(OURS):
        return False
    return GROUPS.get(result.row) != SAMPLING or "float32" in result.title


def _comparison(result: Result) -> Comparison:
    speedups = result.speedups(result.peers[0])
    return Comparison(
        GROUPS.get(result.row, FETCHING),
        result.title.removeprefix("fetch ").replace(" float32", ""),
        result.peers[0],
        median(speedups),
        min(speedups),
        max(speedups),
    )
