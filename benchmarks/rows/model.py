"""Row 7: what one call for all tensors of a model saves over one call for each."""

from collections.abc import Iterator

import seedbed as sb
from benchmarks.result import OURS, Result
from benchmarks.servers import seedbed_server
from benchmarks.sizes import Sizes
from benchmarks.turns import Contest
from benchmarks.worker import ROOT

MANIFEST = str(ROOT / "examples" / "gpt2-small.yaml")
BAR = 3.0


def all_at_once(sizes: Sizes, rounds: int) -> Iterator[Result]:
    """Yield row 7: GPT-2 small, and the same tensors cut to a few elements, so that calls are what costs."""
    tensors = len(sb.Manifest.load(MANIFEST))
    small = sizes.small_tensor_elements
    with seedbed_server() as server:
        for title, elements in (
            ("GPT-2 small", None),
            (f"GPT-2 small cut to {small} elements a tensor", small),
        ):
            settings = {
                "address": server.address,
                "manifest": MANIFEST,
                "longest_axis": sizes.longest_axis,
                "elements": elements,
            }
            with Contest() as contest:
                contest.start(OURS, "seedbed_model", {**settings, "by": "model"})
                contest.start(
                    f"{OURS}, {tensors} calls", "seedbed_model", {**settings, "by": "tensor"}
                )
                turns = contest.turns("fetch all", rounds)
            yield Result(
                row=7,
                title=f"{title}, one call",
                unit="tensors/s",
                higher_is_better=True,
                samples=turns.rates(tensors),
                absent=turns.absent,
                bar=BAR,
            )
