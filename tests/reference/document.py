"""The parts of docs/numerics.md: tables and blocks of code, so that the public text is tested."""

import functools
import re
from pathlib import Path

from tests.reference.floats import FLOAT32, FLOAT64, decode

DOCUMENT = Path(__file__).parents[2] / "docs" / "numerics.md"
_HEADING = re.compile(r"^### Table `(\w+)`", re.MULTILINE)
_ROW = re.compile(r"^\| (\d+) \| `([^`]+)` \| `0x([0-9A-F]+)` \|$", re.MULTILINE)
_SECTION = re.compile(r"^###? (\d[.\d]*) ", re.MULTILINE)
_BLOCK = re.compile(r"^```\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@functools.cache
def text() -> str:
    """Return the whole document."""
    return DOCUMENT.read_text(encoding="utf-8")


def sections() -> dict[str, tuple[int, int]]:
    """Return where each section begins and ends, by its number, such as ``7.2``."""
    found = [(match[1].rstrip("."), match.start()) for match in _SECTION.finditer(text())]
    ends = [start for _, start in found[1:]] + [len(text())]
    return {number: (start, end) for (number, start), end in zip(found, ends, strict=True)}


def section(number: str) -> str:
    """Return the text of a section, without its subsections."""
    start, end = sections()[number]
    return text()[start:end]


def blocks() -> list[tuple[str, int, int]]:
    """Return the section of each block of code, and where its lines begin and end."""
    parts = sections().items()
    return [
        (next(n for n, (start, end) in parts if start < block.start() < end), *block.span(1))
        for block in _BLOCK.finditer(text())
    ]


@functools.cache
def tables() -> dict[str, tuple[float, ...]]:
    """Return every table by name, constant term first."""
    found: dict[str, tuple[float, ...]] = {}
    _, *parts = _HEADING.split(text())
    for name, rows in zip(parts[::2], parts[1::2], strict=True):
        numbers: list[float] = []
        for order, decimal, digits in _ROW.findall(rows):
            value = decode(int(digits, 16), FLOAT64 if len(digits) == 16 else FLOAT32)
            if int(order) != len(numbers) or repr(value) != decimal:
                row = f"table {name}, row {order}"
                raise ValueError(f"{row}: {decimal} is not 0x{digits}, or the row is out of order")
            numbers.append(value)
        found[name] = tuple(numbers)
    return found
