"""A command's result: once for people, once for programs."""

import dataclasses
import enum
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from seedbed.spec.errors import SeedbedError
from seedbed.spec.slices import Shard


class CommandError(SeedbedError):
    """A command that cannot do what was asked, for a reason outside its arguments."""


@dataclasses.dataclass(frozen=True, slots=True)
class Report:
    """A command's result."""

    fields: Mapping[str, Any]
    """For programs (``--json``)."""
    text: str
    """For people, without a newline at its end."""
    failure: str = ""
    """Why the exit code is 1 although there is a result; empty if all is well."""

    def as_json(self) -> str:
        """Return the fields as one line of strict JSON."""
        return json.dumps(_plain(self.fields), allow_nan=False)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, enum.Enum):
        return value.value
    # JSON has no infinities; a bound may be one.
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def pairs(rows: Iterable[tuple[str, str]]) -> str:
    """Return aligned lines of labels and values, without the rows that have no value."""
    shown = [(label, value) for label, value in rows if value]
    width = max((len(label) for label, _ in shown), default=0)
    return "\n".join(f"{label:<{width}}  {value}" for label, value in shown)


def table(
    headings: Sequence[str], rows: Sequence[Sequence[str]], *, right: Iterable[str] = ()
) -> str:
    """Return a table with aligned columns; those named in ``right`` end at one edge."""
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    numeric = [heading in set(right) for heading in headings]

    def line(cells: Sequence[str]) -> str:
        aligned = (
            cell.rjust(width) if is_number else cell.ljust(width)
            for cell, width, is_number in zip(cells, widths, numeric, strict=True)
        )
        return "  ".join(aligned).rstrip()

    rule = "  ".join("-" * width for width in widths)
    return "\n".join([line(headings), rule, *map(line, rows)])


def printable(text: str) -> str:
    """Return a name that is safe for a terminal.

    Control characters, which could rewrite the screen, are escaped.
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def size_text(size_bytes: int) -> str:
    """Return a size such as ``474.7 MiB``."""
    size = float(size_bytes)
    for unit in ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB"):
        if size < 1024:
            return f"{size_bytes} bytes" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} EiB"


def number_text(value: float | None) -> str:
    """Return a number with seven significant digits, or a dash for none."""
    return "-" if value is None else f"{value:.7g}"


def shape_text(shape: Sequence[int]) -> str:
    """Return a shape as ``--shape`` takes it; ``()`` is a scalar."""
    return ",".join(map(str, shape)) or "()"


def count_text(count: int, noun: str) -> str:
    """Return ``1 tensor`` or ``1,234 tensors``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def shard_text(shard: Shard | None) -> str:
    """Return a shard in words, or nothing for the whole."""
    return "" if shard is None else f"{shard.index} of 0..{shard.count - 1} along axis {shard.axis}"
