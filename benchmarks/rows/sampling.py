"""Rows 1 and 2: how fast one process samples, beside its peers and on two threads over one."""

from collections.abc import Iterator

from benchmarks.checkouts import ROOT, Checkouts
from benchmarks.peers.names import DISTRIBUTIONS, DTYPES, ITEM_BYTES, cell
from benchmarks.result import OURS, Result
from benchmarks.sizes import Sizes
from benchmarks.turns import Contest

THREADS = (1, 2)
# How many times as fast as the fastest peer, in float32.
BARS = {"uniform": 2.0, "normal": 3.0, "truncated normal": 5.0}
SCALING_BAR = 1.8
UNIT = "GB/s"


def beside_peers(sizes: Sizes, rounds: int, checkouts: Checkouts) -> Iterator[Result]:
    """Yield row 1: every distribution and dtype beside every library that has it."""
    for threads in THREADS:
        with Contest() as contest:
            _start_ours(contest, sizes, checkouts, threads)
            _start_peers(contest, sizes.sampling_bytes, threads)
            for dtype in DTYPES:
                for distribution in DISTRIBUTIONS:
                    turns = contest.turns(cell(distribution, dtype), rounds)
                    yield Result(
                        row=1,
                        title=(
                            f"{distribution} {dtype}, {threads} thread{'s' if threads > 1 else ''}"
                        ),
                        unit=UNIT,
                        higher_is_better=True,
                        samples=turns.rates(_gigabytes(sizes, dtype)),
                        absent=turns.absent,
                        bar=BARS[distribution] if dtype == "float32" else None,
                    )


def scaling(sizes: Sizes, rounds: int, checkouts: Checkouts) -> Iterator[Result]:
    """Yield row 2: two threads beside one."""
    with Contest() as contest:
        _start_ours(contest, sizes, checkouts, 2)
        _start_ours(contest, sizes, {f"{OURS}, 1 thread": ROOT}, 1)
        for distribution in DISTRIBUTIONS:
            turns = contest.turns(cell(distribution, "float32"), rounds)
            yield Result(
                row=2,
                title=f"{distribution} float32, 2 threads over 1",
                unit=UNIT,
                higher_is_better=True,
                samples=turns.rates(_gigabytes(sizes, "float32")),
                absent=turns.absent,
                bar=SCALING_BAR,
            )


def _start_ours(contest: Contest, sizes: Sizes, checkouts: Checkouts, threads: int) -> None:
    settings = {"size_bytes": sizes.sampling_bytes, "threads": threads}
    for name, checkout in checkouts.items():
        # The one script that looks behind the public interface, so it comes with what it looks at.
        contest.start(
            name,
            "seedbed_sampling",
            settings,
            threads=threads,
            checkout=checkout,
            scripts=checkout,
        )


def _start_peers(contest: Contest, size_bytes: int, threads: int) -> None:
    size = {"size_bytes": size_bytes}
    both = {**size, "threads": threads}
    contest.start("numpy", "numpy_sampling", both, threads=threads)
    contest.start("PyTorch", "torch_sampling", both, needs=("torch",), threads=threads)
    contest.start("TensorFlow", "tensorflow_sampling", both, needs=("tensorflow",), threads=threads)
    for name, generator in (("JAX", "threefry2x32"), ("JAX rbg", "rbg")):
        contest.start(
            name, "jax_sampling", {**size, "generator": generator}, needs=("jax",), threads=threads
        )
    contest.start("MLX", "mlx_sampling", size, needs=("mlx",), threads=threads)


def _gigabytes(sizes: Sizes, dtype: str) -> float:
    return sizes.sampling_bytes // ITEM_BYTES[dtype] * ITEM_BYTES[dtype] / 1e9
