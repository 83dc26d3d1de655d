"""Open calls that do nothing keep nobody else from being served."""

import pytest

from benchmarks.crowd import Bound, Crowd, measure
from tests.waiting import LATE_SECONDS

SILENT_CALLS, UNREAD_STREAMS = 300, 100
# So many may gRPC begin of its own at any time.
MORE_THREADS = 8


@pytest.fixture(scope="module")
def bounds() -> list[Bound]:
    """How a server came out with a crowd of calls, some silent and some unread."""
    found = measure(Crowd(silent=SILENT_CALLS, unread=UNREAD_STREAMS))
    print(*found, sep="\n")
    return found


def figure(bounds: list[Bound], what: str) -> float:
    """Return how one line of the table came out."""
    (bound,) = [bound for bound in bounds if bound.what == what]
    return bound.figure


@pytest.mark.parametrize(
    "what",
    [
        "memory in the crowd, beyond idle (MiB)",
        "memory after it, beyond idle (MiB)",
        "open files after it, beyond idle",
    ],
)
def test_a_crowd_of_idle_calls_holds_and_leaves_no_more_than_its_bounds(
    bounds: list[Bound], what: str
) -> None:
    (bound,) = [bound for bound in bounds if bound.what == what]
    assert bound.is_kept, bound


def test_nobody_is_locked_out_by_a_crowd_of_idle_calls(bounds: list[Bound]) -> None:
    # How fast others are served is a measurement, for machines that do nothing else:
    # `python -m benchmarks.crowd`. Here it must only go on.
    assert figure(bounds, "health in the crowd, worst (ms)") < 1_000 * LATE_SECONDS
    assert figure(bounds, "health after it, worst (ms)") < 1_000 * LATE_SECONDS
    assert figure(bounds, "its speed over the lone speed (%)") > 0


def test_a_crowd_of_calls_takes_no_threads(bounds: list[Bound]) -> None:
    idle, crowded = figure(bounds, "threads when idle"), figure(bounds, "threads in the crowd")
    assert crowded <= idle + MORE_THREADS
