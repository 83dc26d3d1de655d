"""Row 8: how long a client waits for one small tensor."""

from collections.abc import Iterator

from benchmarks.checkouts import Checkouts
from benchmarks.result import Result
from benchmarks.rows.contests import contest_of
from benchmarks.servers import peer_server
from benchmarks.sizes import Sizes

BAR = 2.0
SHAPE = (2, 2)


def of_one_tensor(sizes: Sizes, rounds: int, checkouts: Checkouts) -> Iterator[Result]:
    """Yield row 8: the median and the 99th percentile, beside a bare unary echo; all is warm."""
    settings = {"shape": SHAPE, "calls": sizes.latency_calls}
    with (
        contest_of(checkouts, "seedbed_client", settings) as contest,
        peer_server("bare_server") as bare,
    ):
        contest.start(
            "bare gRPC echo", "bare_client", {"address": bare.address, "calls": sizes.latency_calls}
        )
        turns = contest.turns("latency", rounds)
    for percentile, bar in (("p50", BAR), ("p99", None)):
        yield Result(
            row=8,
            title=f"latency of one 2x2 tensor, {percentile}",
            unit="µs",
            higher_is_better=False,
            samples=turns.samples(percentile),
            absent=turns.absent,
            bar=bar,
        )
