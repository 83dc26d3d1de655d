"""Tables and pairs that fit a terminal: long cells are cut, less important columns left out."""

import textwrap
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

GAP = "  "
ELLIPSIS = "…"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    heading: str
    """What stands above it."""
    cells: Sequence[str] = field(repr=False)
    """Its texts, one for each row."""
    rank: int
    """Columns of a higher rank are left out before it; 0 never is."""
    least: int | None = None
    """The width to which its cells may be cut; None where they may not."""
    right: bool = False
    """Whether its cells end at one edge, as numbers do."""

    @property
    def width(self) -> int:
        """The columns of a terminal that it takes whole."""
        return max(map(text_width, (self.heading, *self.cells)))

    @property
    def least_width(self) -> int:
        """The columns of a terminal that it takes at least."""
        return self.width if self.least is None else min(self.width, self.least)

    @property
    def value(self) -> str | None:
        """The value of all its cells; None if they differ."""
        return self.cells[0] if len(set(self.cells)) == 1 else None


class Fitted(NamedTuple):
    """A table as text."""

    text: str
    left_out: Sequence[Column]
    """The columns for which there was no room."""


def fitted_table(
    columns: Sequence[Column], width: int | None, *, ellipsis: str = ELLIPSIS
) -> Fitted:
    """Return a table that is at most so wide, if one of its columns can be.

    Columns with one value for all rows are left out first, since one line can say it.

    Args:
        columns: all columns, from left to right.
        width: of the terminal; None is as wide as it gets.
        ellipsis: stands for what is cut from the middle of a cell.
    """
    kept, left_out = list(columns), []
    while width is not None and len(kept) > 1 and _total(c.least_width for c in kept) > width:
        last = max(kept, key=lambda each: (each.value is not None and each.rank > 0, each.rank))
        kept.remove(last)
        left_out.append(last)
    widths = _widths(kept, width)

    def line(cells: Iterable[str]) -> str:
        shown = zip(cells, widths, kept, strict=True)
        return GAP.join(
            _aligned(cut_in_the_middle(cell, room, ellipsis), room, column.right)
            for cell, room, column in shown
        ).rstrip()

    rows = zip(*(column.cells for column in kept), strict=True)
    head = line(column.heading for column in kept)
    rule = GAP.join("-" * room for room in widths)
    return Fitted("\n".join([head, rule, *map(line, rows)]), sorted(left_out, key=columns.index))


def fitted_pairs(rows: Iterable[tuple[str, str]], width: int | None) -> str:
    """Return aligned lines of labels and values, folded, without those that have no value."""
    shown = [(label, value) for label, value in rows if value]
    indent = max((len(label) for label, _ in shown), default=0) + len(GAP)
    lines = (f"{label:<{indent}}{value}" for label, value in shown)
    return "\n".join(folded(line, width, indent) for line in lines)


def folded(text: str, width: int | None, indent: int = 0) -> str:
    """Return a text in lines that are at most so wide, where its words are not wider."""
    if width is None or text_width(text) <= width:
        return text
    return textwrap.fill(
        text,
        max(width, 1),
        subsequent_indent=" " * min(indent, max(width - 1, 0) // 2),
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
    )


def cut_in_the_middle(text: str, width: int, ellipsis: str = ELLIPSIS) -> str:
    """Return a text that takes at most so many columns of a terminal, with both of its ends.

    Example:
        >>> cut_in_the_middle("h.11.attn.c_proj.weight", 16)
        'h.11.att….weight'
    """
    if text_width(text) <= width:
        return text
    room = width - text_width(ellipsis)
    if room < 1:
        return ellipsis[: max(width, 0)]
    head = _beginning(text, (room + 1) // 2)
    return head + ellipsis + _beginning(text[::-1], room - text_width(head))[::-1]


def text_width(text: str) -> int:
    """Return the columns of a terminal that a text takes: wide characters take two."""
    return len(text) if text.isascii() else sum(map(_character_width, text))


def _character_width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _beginning(text: str, width: int) -> str:
    taken = 0
    for place, character in enumerate(text):
        taken += _character_width(character)
        if taken > width:
            return text[:place]
    return text


def _aligned(text: str, width: int, right: bool) -> str:
    space = " " * (width - text_width(text))
    return space + text if right else text + space


def _total(widths: Iterable[int]) -> int:
    listed = list(widths)
    return sum(listed) + len(GAP) * (len(listed) - 1)


def _widths(columns: Sequence[Column], width: int | None) -> list[int]:
    """Return the width of each column: the widest ones that may be cut are cut first."""
    widths = [column.width for column in columns]
    if width is None:
        return widths
    if len(columns) == 1:
        return [min(widths[0], width)]
    least_widths = [column.least_width for column in columns]
    while _total(widths) > width:
        spare = [
            (room, -place)
            for place, (room, least) in enumerate(zip(widths, least_widths, strict=True))
            if room > least
        ]
        if not spare:
            break
        widths[-max(spare)[1]] -= 1
    return widths
