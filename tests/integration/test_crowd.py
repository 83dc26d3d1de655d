"""Open calls that do nothing keep nobody else from being served."""

import pytest

from benchmarks.crowd import Bound, Crowd, measure

SILENT_CALLS, UNREAD_STREAMS = 300, 100


@pytest.fixture(scope="module")
def bounds() -> list[Bound]:
    """How a server came out with a crowd of calls, some silent and some unread."""
    found = measure(Crowd(silent=SILENT_CALLS, unread=UNREAD_STREAMS))
    print(*found, sep="\n")
    return found


@pytest.mark.parametrize(
    "what",
    [
        "health in the crowd, worst (ms)",
        "health after it, worst (ms)",
        "its speed over the lone speed (%)",
        "memory in the crowd, beyond idle (MiB)",
        "memory after it, beyond idle (MiB)",
        "open files after it, beyond idle",
    ],
)
def test_a_crowd_of_idle_calls_keeps_every_bound(bounds: list[Bound], what: str) -> None:
    (bound,) = [bound for bound in bounds if bound.what == what]
    assert bound.is_kept, bound


def test_every_bound_of_the_crowd_has_a_test(bounds: list[Bound]) -> None:
    assert sum("kept" in str(bound) or "BROKEN" in str(bound) for bound in bounds) == 6
