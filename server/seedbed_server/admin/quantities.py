"""Quantities as people read them: three digits and a unit."""

BINARY = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB")
DECIMAL = ("B", "kB", "MB", "GB", "TB", "PB")

NOTHING = "\N{EN DASH}"
"""Stands for a quantity that is not there."""


def size(value: float) -> str:
    """Return bytes of memory, such as ``1.5 GiB``."""
    return _scaled(value, BINARY, 1024)


def throughput(value: float) -> str:
    """Return bytes per second, such as ``1.24 GB/s``."""
    return _scaled(value, DECIMAL, 1000) + "/s"


def rate(value: float) -> str:
    """Return how many there are per second, such as ``1,240/s``."""
    return _digits(value) + "/s"


def count(value: float) -> str:
    """Return a whole number, such as ``1,240``."""
    return f"{value:,.0f}"


def seconds(value: float | None) -> str:
    """Return a short time, such as ``1.2 ms``; a dash for None."""
    if value is None:
        return NOTHING
    if value < 0.001:
        return f"{_digits(value * 1e6)} µs"
    return f"{_digits(value * 1e3)} ms" if value < 1 else f"{_digits(value)} s"


def duration(value: float) -> str:
    """Return a long time by its two largest units, such as ``3 d 4 h``."""
    whole = int(value)
    parts: list[str] = []
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        if whole >= length or parts or unit == "s":
            parts.append(f"{whole // length} {unit}")
        whole %= length
    return " ".join(parts[:2])


def _scaled(value: float, units: tuple[str, ...], factor: int) -> str:
    # A little less, so that no number is rounded up to the next unit's.
    power = 0
    while value >= factor * 0.9995 and power < len(units) - 1:
        value /= factor
        power += 1
    return f"{_digits(value)} {units[power]}"


def _digits(value: float) -> str:
    """Return three digits, or all before the point."""
    for places, most in ((0, 99.95), (1, 9.995), (2, 0.0)):
        if value >= most:
            text = f"{value:,.{places}f}"
            return text.rstrip("0").rstrip(".") if places else text
    raise AssertionError(value)
