"""Tables in HTML for notebooks: no script, and the notebook's own colours, light or dark."""

import html
from collections.abc import Iterable, Sequence

MAX_ROWS = 50
"""Rows that are shown at once; more are folded."""

# Jupyter's variables; elsewhere the page's own text colour, and a grey for light and dark alike.
_TABLE = (
    "border-collapse:collapse;font-size:var(--jp-code-font-size,13px);"
    "color:var(--jp-content-font-color1,inherit);background:none"
)
_MUTED = "color:var(--jp-content-font-color2,inherit);opacity:.85"
_CELL = (
    "padding:2px 12px 2px 0;text-align:{};vertical-align:top;{};"
    "background:none;border:0;border-bottom:1px solid var(--jp-border-color2,rgba(128,128,128,.3))"
)
# A name may be long, figures are not.
_WRAPPED, _WHOLE = "overflow-wrap:anywhere;min-width:8em", "white-space:nowrap"
_OUTER = "overflow-x:auto;font-family:var(--jp-ui-font-family,sans-serif)"
_MONOSPACE = ";font-family:var(--jp-code-font-family,monospace)"


def table(
    caption: str,
    headings: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    right: Iterable[str] = (),
    shown: int = MAX_ROWS,
) -> str:
    """Return a table of texts, which are escaped.

    Args:
        caption: above it.
        headings: of its columns.
        rows: the texts of each row.
        right: the headings of columns of numbers.
        shown: how many rows are shown; all others are folded.
    """
    all_rows = [list(row) for row in rows]
    sides = ["right" if heading in set(right) else "left" for heading in headings]
    parts = [_plain_table(headings, all_rows[:shown], sides)]
    if rest := all_rows[shown:]:
        summary = f"<summary>{len(rest):,} more rows</summary>"
        parts.append(f"<details>{summary}{_plain_table(headings, rest, sides)}</details>")
    above = f'<div style="{_MUTED}">{escaped(caption)}</div>'
    return f'<div style="{_OUTER}">{above}{"".join(parts)}</div>'


def pairs(caption: str, rows: Iterable[tuple[str, str]]) -> str:
    """Return a table of labels and values, without the rows that have no value."""
    kept = [row for row in rows if row[1]]
    return table(caption, (), kept, shown=len(kept))


def escaped(text: str) -> str:
    """Return text that no browser takes for markup, its control characters as escapes."""
    return html.escape(
        "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    )


def _plain_table(
    headings: Sequence[str], rows: Iterable[Sequence[str]], sides: Sequence[str]
) -> str:
    head = _line("th", headings, sides)
    body = "".join(_line("td", row, sides or ["left"] * len(row)) for row in rows)
    return (
        f'<table style="{_TABLE}">{f"<thead>{head}</thead>" if headings else ""}'
        f"<tbody>{body}</tbody></table>"
    )


def _line(tag: str, texts: Sequence[str], sides: Sequence[str]) -> str:
    font = _MONOSPACE if tag == "td" else f";{_MUTED};font-weight:normal"
    wrapped = 1 if len(texts) == 2 else 0  # a value, or a name
    cells = (
        f'<{tag} style="{_CELL.format(side, _WRAPPED if place == wrapped else _WHOLE)}{font}">'
        f"{escaped(text)}</{tag}>"
        for place, (text, side) in enumerate(zip(texts, sides, strict=True))
    )
    return f"<tr>{''.join(cells)}</tr>"
