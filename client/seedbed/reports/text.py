"""Names, sizes, shapes and tables as text for people."""

from collections.abc import Iterable, Sequence

from seedbed.spec.slices import Shard


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


def shortened(text: str, longest: int) -> str:
    """Return text that is cut, with an ellipsis for what is left out, where it is too long."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


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


def sides_text(shape: Sequence[int]) -> str:
    """Return a shape as pages and pictures show it, such as ``50257 × 768``."""
    return " × ".join(map(str, shape)) or "scalar"


def count_text(count: int, noun: str) -> str:
    """Return ``1 tensor`` or ``1,234 tensors``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def shard_text(shard: Shard | None) -> str:
    """Return a shard in words, or nothing for the whole."""
    return "" if shard is None else f"{shard.index} of 0..{shard.count - 1} along axis {shard.axis}"
