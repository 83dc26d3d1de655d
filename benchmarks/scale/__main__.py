"""Says how long a start of many ranks takes, what limits it, and what to deploy.

    python -m benchmarks.scale [--figure NAME=VALUE ...] [--picture FILE.png] [--page FILE.md]

Prints the tables of docs/scaling.md, from measured figures or the reader's own.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.scale.figures import Figures
from benchmarks.scale.page import write_tables
from benchmarks.scale.picture import draw
from benchmarks.scale.tables import balanced, deployments, figures_used, ways

TABLES = (deployments, ways, balanced, figures_used)


def main(arguments: Sequence[str] | None = None) -> int:
    """Calculate, print, and return 0."""
    description, _, more = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scale",
        description=description,
        epilog=more.partition("\n\n")[2],
        allow_abbrev=False,
    )
    parser.add_argument(
        "--figure",
        type=_change,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a figure of your own, in the unit of the table; may be given several times",
    )
    parser.add_argument("--picture", type=Path, metavar="FILE.png", help="draw the ways")
    parser.add_argument("--page", type=Path, metavar="FILE.md", help="renew the tables of a page")
    options = parser.parse_args(arguments)
    try:
        figures = Figures.with_changes(dict(options.figure))
    except ValueError as error:
        parser.error(f"--figure: {error}")
    tables = [each(figures) for each in TABLES]
    print(*tables, sep="\n\n")
    if options.picture:
        draw(options.picture, figures)
    if options.page:
        write_tables(options.page, tables)
    return 0


def _change(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must be NAME=VALUE, such as sampling=0.5. Received: {text!r}"
        ) from None


if __name__ == "__main__":
    sys.exit(main())
