"""The coefficient tables as docs/numerics.md prints them, so that the public text is tested."""

import functools
import re
from pathlib import Path

from tests.reference.floats import FLOAT32, FLOAT64, decode

DOCUMENT = Path(__file__).parents[2] / "docs" / "numerics.md"
_HEADING = re.compile(r"^### Table `(\w+)`", re.MULTILINE)
_ROW = re.compile(r"^\| (\d+) \| `([^`]+)` \| `0x([0-9A-F]+)` \|$", re.MULTILINE)


@functools.cache
def tables() -> dict[str, tuple[float, ...]]:
    """Return every table by name, constant term first."""
    found: dict[str, tuple[float, ...]] = {}
    _, *parts = _HEADING.split(DOCUMENT.read_text(encoding="utf-8"))
    for name, text in zip(parts[::2], parts[1::2], strict=True):
        numbers: list[float] = []
        for order, decimal, digits in _ROW.findall(text):
            value = decode(int(digits, 16), FLOAT64 if len(digits) == 16 else FLOAT32)
            if int(order) != len(numbers) or value != float(decimal):
                row = f"table {name}, row {order}"
                raise ValueError(f"{row}: {decimal} is not 0x{digits}, or the row is out of order")
            numbers.append(value)
        found[name] = tuple(numbers)
    return found
