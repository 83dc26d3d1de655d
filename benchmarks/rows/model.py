"""Row 7: what one call for many small tensors saves over one call for each."""

from collections.abc import Iterator

import seedbed as sb
from benchmarks.checkouts import ROOT, Checkouts
from benchmarks.result import OURS, Result
from benchmarks.rows.contests import contest_of
from benchmarks.servers import seedbed_server
from benchmarks.sizes import Sizes

MANIFEST = str(ROOT / "examples" / "gpt2-small.yaml")
BAR = 3.0


def all_at_once(sizes: Sizes, rounds: int, checkouts: Checkouts) -> Iterator[Result]:
    """Yield row 7: GPT-2's tensors cut to a few elements, so that calls are what costs."""
    tensors = len(sb.Manifest.load(MANIFEST))
    elements = sizes.small_tensor_elements
    settings = {"manifest": MANIFEST, "elements": elements}
    with (
        contest_of(checkouts, "seedbed_model", {**settings, "by": "model"}) as contest,
        seedbed_server() as server,
    ):
        one_by_one = {**settings, "address": server.address, "by": "tensor"}
        contest.start(f"{OURS}, {tensors} calls", "seedbed_model", one_by_one)
        turns = contest.turns("fetch all", rounds)
    yield Result(
        row=7,
        title=f"{tensors} tensors of {elements} elements, one call",
        unit="tensors/s",
        higher_is_better=True,
        samples=turns.rates(tensors),
        absent=turns.absent,
        bar=BAR,
    )
