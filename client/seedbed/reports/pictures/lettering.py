"""Text that a picture can show: letters of its font, in lines that are not too long."""

import functools
from collections.abc import Sequence

# What fits into a line of small letters.
LINE_LETTERS = 110
SEPARATOR = "   ·   "


def drawable(text: str) -> str:
    """Return text with the letters that matplotlib's font lacks as escapes.

    They would all be the same box otherwise.
    """
    return "".join(c if ord(c) in _letters() else c.encode("unicode_escape").decode() for c in text)


@functools.cache
def _letters() -> frozenset[int]:
    from matplotlib.font_manager import FontProperties, findfont, get_font

    return frozenset(get_font(findfont(FontProperties())).get_charmap())


def wrapped(details: Sequence[str], longest: int = LINE_LETTERS) -> str:
    """Return details beside each other, in as many lines as they need."""
    lines = [details[0]]
    for detail in details[1:]:
        if len(lines[-1]) + len(SEPARATOR) + len(detail) <= longest:
            lines[-1] += SEPARATOR + detail
        else:
            lines.append(detail)
    return "\n".join(lines)
