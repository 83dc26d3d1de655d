"""Measures seedbed beside its peers and prints one table.

    python -m benchmarks [--only 3,4] [--rounds N] [--smoke] [--json FILE] [--picture FILE.png]
    [--from FILE] [--beside CHECKOUT]

Every contender runs in a process of its own, and all take turns, after a turn that does not count.
The table gives medians with their range; a ratio is the median of the ratios of each round, to the
peer whose median is best. Peers that are not installed are said to be missing.
"""

import argparse
import dataclasses
import datetime as dt
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks import picture, report
from benchmarks.checkouts import Checkouts, checkouts
from benchmarks.comparison import comparisons
from benchmarks.machine import machine
from benchmarks.result import Result
from benchmarks.rows import ROWS
from benchmarks.sizes import GIB, SMOKE, Sizes
from benchmarks.table import table

ROUNDS = 5
FAILED = "failed"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return 0 if every benchmark ran, whatever its figures."""
    options = _parser().parse_args(arguments)
    # Ends what was started.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # noqa: ARG005
    earlier = [result for path in options.earlier for result in report.read(path)]
    rows = options.only if options.only is not None else [] if earlier else list(ROWS)
    sizes = SMOKE if options.smoke else Sizes(stream_bytes=options.stream_gibibytes * GIB)
    circumstances = {
        "measured": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        **machine(),
        "rounds": options.rounds,
        "sizes": dataclasses.asdict(sizes),
    }
    results = [result for result in earlier if result.row not in rows]
    for row in rows:
        for result in _measured(row, sizes, options.rounds, checkouts(options.beside)):
            results.append(result)
            # At once, so that a run that is stopped has not been in vain.
            if options.json:
                report.write(options.json, _in_order(results), circumstances)
    results = _in_order(results)
    if options.json:
        report.write(options.json, results, circumstances)
    if options.picture:
        picture.draw(options.picture, comparisons(results))
    print(table(results))
    return int(any(result.unavailable.startswith(FAILED) for result in results))


def _measured(row: int, sizes: Sizes, rounds: int, of: Checkouts) -> Iterator[Result]:
    """Yield the results of one row, or its failure, so that other rows still run."""
    print(f"row {row} ...", file=sys.stderr, flush=True)
    try:
        yield from ROWS[row](sizes, rounds, of)
    except Exception as error:  # noqa: BLE001  # see above
        reason = f"{FAILED}: {type(error).__name__}: {error}"
        yield Result(row, "", "", higher_is_better=True, unavailable=reason)


def _in_order(results: Sequence[Result]) -> list[Result]:
    return sorted(results, key=lambda result: result.row)


def _parser() -> argparse.ArgumentParser:
    description, _, more = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=description,
        epilog=more.partition("\n\n")[2],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--only", type=_rows, metavar="ROWS", help=f"such as 3,4 (there are 1 to {max(ROWS)})"
    )
    parser.add_argument(
        "--rounds", type=_positive, default=ROUNDS, help=f"turns of everyone (default: {ROUNDS})"
    )
    parser.add_argument(
        "--smoke", action="store_true", help="tiny sizes, which only show that everything works"
    )
    parser.add_argument(
        "--stream-gibibytes", type=_positive, default=8, help="what row 10 streams (default: 8)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure to a file")
    parser.add_argument(
        "--picture", type=Path, metavar="FILE.png", help="draw how fast seedbed is beside its peers"
    )
    parser.add_argument(
        "--from",
        dest="earlier",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="take the results of an earlier --json, and measure only what --only names;"
        " may be given several times",
    )
    parser.add_argument(
        "--beside",
        type=_checkout,
        metavar="CHECKOUT",
        help="another checkout of seedbed, such as an older one, whose server and client take turns"
        " with this one's",
    )
    return parser


def _checkout(text: str) -> Path:
    folder = Path(text)
    if not (folder / "client" / "seedbed").is_dir():
        raise argparse.ArgumentTypeError(f"must be a checkout of seedbed. Received: {text!r}")
    return folder


def _rows(text: str) -> list[int]:
    try:
        rows = sorted({int(number) for number in text.split(",")})
    except ValueError:
        rows = []
    if not rows or not set(rows) <= set(ROWS):
        raise argparse.ArgumentTypeError(
            f"must be numbers from 1 to {max(ROWS)}, such as 3,4. Received: {text!r}"
        )
    return rows


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more. Received: {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
