"""Row 11: how long a server takes from its process's start until it serves."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack

from benchmarks.result import OURS, Result
from benchmarks.servers import seedbed_server
from benchmarks.sizes import Sizes

CACHED_BAR_SECONDS = 2.0
FIRST_BAR_SECONDS = 15.0


def until_serving(sizes: Sizes, rounds: int) -> Iterator[Result]:
    """Yield row 11: without compiled kernels, and with them."""
    firsts: list[float] = []
    with ExitStack() as stack:
        for _ in range(min(rounds, sizes.first_starts)):
            cache = stack.enter_context(tempfile.TemporaryDirectory())
            firsts.append(_start_seconds(cache))
        cached = [_start_seconds(cache) for _ in range(rounds)]
    yield _result("start with compiled kernels", cached, CACHED_BAR_SECONDS)
    yield _result("first start, which compiles them", firsts, FIRST_BAR_SECONDS)


def _start_seconds(cache: str) -> float:
    started = time.perf_counter()
    with seedbed_server(environment={"SEEDBED_KERNEL_CACHE_DIR": cache}):
        return time.perf_counter() - started


def _result(title: str, seconds: list[float], bar: float) -> Result:
    return Result(
        11, title, "s", higher_is_better=False, samples={OURS: seconds}, bar=bar, bar_on="value"
    )
