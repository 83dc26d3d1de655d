"""Row 11: how long a server takes from its process's start until it serves."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from benchmarks.checkouts import Checkouts
from benchmarks.result import Result
from benchmarks.servers import seedbed_server
from benchmarks.sizes import Sizes

CACHED_BAR_SECONDS = 2.0
FIRST_BAR_SECONDS = 15.0


def until_serving(sizes: Sizes, rounds: int, checkouts: Checkouts) -> Iterator[Result]:
    """Yield row 11: without compiled kernels, and with them."""
    firsts: dict[str, list[float]] = {name: [] for name in checkouts}
    cached: dict[str, list[float]] = {name: [] for name in checkouts}
    with ExitStack() as stack:
        caches: dict[str, str] = {}
        for _ in range(min(rounds, sizes.first_starts)):
            for name, checkout in checkouts.items():
                caches[name] = stack.enter_context(tempfile.TemporaryDirectory())
                firsts[name].append(_start_seconds(checkout, caches[name]))
        for _ in range(rounds):
            for name, checkout in checkouts.items():
                cached[name].append(_start_seconds(checkout, caches[name]))
    yield _result("start with compiled kernels", cached, CACHED_BAR_SECONDS)
    yield _result("first start, which compiles them", firsts, FIRST_BAR_SECONDS)


def _start_seconds(checkout: Path, cache: str) -> float:
    started = time.perf_counter()
    with seedbed_server(environment={"SEEDBED_KERNEL_CACHE_DIR": cache}, checkout=checkout):
        return time.perf_counter() - started


def _result(title: str, samples: dict[str, list[float]], bar: float) -> Result:
    return Result(11, title, "s", higher_is_better=False, samples=samples, bar=bar, bar_on="value")
