"""How fast something is that only orders work: repeated until its time is up, then waited for."""

import statistics
import time
from collections.abc import Callable

ROUNDS = 5


def gigabytes_per_second(
    size_bytes: int,
    order: Callable[[], object],
    wait: Callable[[], object] = lambda: None,
    *,
    seconds: float,
) -> float:
    """Return the median rate of some rounds, in 10**9 bytes each second.

    Args:
        size_bytes: what one call of ``order`` moves.
        order: gives the work, or does it.
        wait: returns when all that was given is done.
        seconds: how long a round is to take at least.
    """
    order()
    wait()
    repeats = 1
    while (took := _round(order, wait, repeats)) < seconds:
        repeats = max(2 * repeats, min(100 * repeats, int(repeats * seconds / max(took, 1e-9))))
    rounds = [_round(order, wait, repeats) for _ in range(ROUNDS)]
    return size_bytes * repeats / statistics.median(rounds) / 1e9


def _round(order: Callable[[], object], wait: Callable[[], object], repeats: int) -> float:
    began = time.perf_counter()
    for _ in range(repeats):
        order()
    wait()
    return time.perf_counter() - began
