"""Seconds, bytes and tables as people read them."""

from collections.abc import Sequence

_UNITS = ((86_400.0, "days"), (3600.0, "h"), (60.0, "min"))


def duration(seconds: float) -> str:
    """Return a time to two digits: ``4 s``, ``3.5 min``."""
    for size, unit in _UNITS:
        if seconds >= 2 * size:
            return f"{_two_digits(seconds / size)} {unit}"
    return f"{_two_digits(seconds)} s"


def volume(gigabytes: float) -> str:
    """Return a size to two digits."""
    for size, unit in ((1e6, "PB"), (1e3, "TB"), (1.0, "GB")):
        if gigabytes >= size:
            return f"{_two_digits(gigabytes / size)} {unit}"
    return "0" if gigabytes == 0 else f"{_two_digits(gigabytes * 1e3)} MB"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _two_digits(number: float) -> str:
    return f"{number:.1f}" if number < 9.95 else f"{float(f'{number:.2g}'):,.0f}"
