"""The picture of the figures that docs/performance.md publishes, read from its tables.

python -m benchmarks.published docs/performance.md docs/images/benchmarks.png
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.comparison import FETCHING, LATENCY, MATRICES, SAMPLING, Comparison

DISTRIBUTIONS = ("uniform", "normal", "truncated normal")
# The beginning of a row's first and peer's cell, and how the picture puts it.
TASKS = (
    (
        "1 GiB GlorotUniform over loopback TCP",
        "Arrow Flight",
        FETCHING,
        "1 GiB uniform by TCP",
        "Arrow Flight, sending ready bytes",
    ),
    ("the same", "bare gRPC stream", FETCHING, "1 GiB uniform by TCP", "gRPC, sending ready bytes"),
    (
        "the same by `seedbed.aio`",
        "bare stream",
        FETCHING,
        "1 GiB uniform by TCP, asyncio",
        "gRPC on asyncio, sending ready bytes",
    ),
    (
        "1 GiB GlorotNormal over loopback TCP",
        "Keras",
        FETCHING,
        "1 GiB normal by TCP",
        "Keras, sampling in the process",
    ),
    (
        "1 GiB GlorotUniform by shared memory",
        "Arrow Flight",
        FETCHING,
        "1 GiB uniform by shared memory",
        "Arrow Flight by a Unix socket",
    ),
    (
        "the same in huge pages",
        "Arrow Flight",
        FETCHING,
        "1 GiB uniform by shared memory in huge pages",
        "Arrow Flight by a Unix socket",
    ),
    ("latency of a 2x2 tensor", "bare gRPC echo", LATENCY, "a 2x2 tensor", "a bare gRPC echo"),
    ("Orthogonal 2048x2048", "Keras", MATRICES, "2048x2048, 2 threads", "Keras on TensorFlow"),
    ("the same", "numpy's QR", MATRICES, "2048x2048, 2 threads", "numpy's QR in float64"),
)
RATIO = re.compile(r"([\d.]+) \(([\d.]+)-([\d.]+)\)")


def published(page: str) -> list[Comparison]:
    """Return the comparisons of a page's text.

    Raises:
        ValueError: if the page lacks one of them.
    """
    return [*_sampling(_rows(page, "Kernels")), *_peers(_rows(page, "Compared with its peers"))]


def _rows(page: str, heading: str) -> list[list[str]]:
    """Return the cells of the first table below a heading, without the table's own headings."""
    section = page.split(f"\n## {heading}", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def _sampling(rows: list[list[str]]) -> Iterator[Comparison]:
    by_name = {row[0]: row[1:] for row in rows}
    for threads, first in (("1 thread", 0), ("2 threads", 3)):
        for distribution in DISTRIBUTIONS:
            _, peer, ratio = by_name[f"{distribution} float32"][first : first + 3]
            name = peer.rsplit(maxsplit=1)[0]
            yield _comparison(SAMPLING, f"{distribution}, {threads}", name, ratio)


def _peers(rows: list[list[str]]) -> Iterator[Comparison]:
    for what, peer, group, task, name in TASKS:
        found = (row for row in rows if row[0].startswith(what) and row[2].startswith(peer))
        row = next(found, None)
        if row is None:
            raise ValueError(f"the page has no row {what!r} beside {peer!r}")
        yield _comparison(group, task, name, row[3])


def _comparison(group: str, task: str, peer: str, ratio: str) -> Comparison:
    match = RATIO.fullmatch(ratio)
    if match is None:
        raise ValueError(f"a ratio must look like 2.5 (2.1-2.9). Received: {ratio!r}")
    return Comparison(group, task, peer, *map(float, match.groups()))


def main(page: str, picture: str) -> None:
    """Draw the picture of a page."""
    from benchmarks.picture import draw

    draw(Path(picture), published(Path(page).read_text(encoding="utf-8")))


if __name__ == "__main__":
    main(*sys.argv[1:])
