"""Row 9: how long an orthogonal matrix takes."""

from collections.abc import Iterator

from benchmarks.checkouts import Checkouts
from benchmarks.result import Result
from benchmarks.sizes import Sizes
from benchmarks.turns import Contest, Turns

KERAS = "Keras on TensorFlow"
# Its BLAS spins while threads wait for each other, so that on a machine with other work one thread
# can be quicker.
NUMPY = {2: "numpy.linalg.qr, float64", 1: "numpy.linalg.qr, float64, 1 thread"}
# Which peers, and how much of the quickest one's time.
BARS = ({KERAS}, 0.8), (set(NUMPY.values()), 1.0)
THREADS = 2


def beside_peers(sizes: Sizes, rounds: int, checkouts: Checkouts) -> Iterator[Result]:
    """Yield row 9: beside Keras, and beside the QR alone."""
    rows = sizes.orthogonal_rows
    with Contest() as contest:
        for name, checkout in checkouts.items():
            contest.start(name, "seedbed_local", {"rows": rows}, threads=THREADS, checkout=checkout)
        keras = {"threads": THREADS, "shape": (rows, rows)}
        contest.start(KERAS, "keras_local", keras, needs=("keras", "tensorflow"), threads=THREADS)
        for threads, name in NUMPY.items():
            contest.start(name, "numpy_qr", {"rows": rows}, threads=threads)
        turns = contest.turns("orthogonal", rounds)
    for peers, bar in BARS:
        chosen = _only(turns, peers | checkouts.keys())
        yield Result(
            row=9,
            title=f"Orthogonal {rows}x{rows} float32, {THREADS} threads",
            unit="ms",
            higher_is_better=False,
            samples=chosen.converted(lambda figures: figures["seconds"] * 1000),
            absent=chosen.absent,
            bar=bar,
        )


def _only(turns: Turns, names: set[str]) -> Turns:
    """Return the turns of some contenders."""
    return Turns(
        {who: figures for who, figures in turns.figures.items() if who in names},
        {who: reason for who, reason in turns.absent.items() if who in names},
    )
