"""How docs/numerics.md writes numbers."""

from collections.abc import Iterable


def power(number: int) -> str:
    """Return an integer in powers of two, as the page writes it."""
    if number < 0:
        return "-" + power(-number)
    bits = number.bit_length()
    if number == 1 << (bits - 1):
        return f"2**{bits - 1}"
    rest = (1 << bits) - number
    assert rest.bit_count() == 1
    return f"2**{bits} - {'1' if rest == 1 else power(rest)}"


def written(value: object) -> str:
    """Return a parameter's default as the page writes it."""
    return f"{value:g}" if isinstance(value, float) else str(value).lower()


def scientific(number: float, digits: int) -> str:
    """Return a small number as the page writes it, such as 5e-7."""
    return f"{number:.{digits}e}".replace("e-0", "e-")


def hexadecimal(numbers: Iterable[int]) -> str:
    """Return uint32 numbers as the page prints them."""
    return ", ".join(f"0x{number:08X}" for number in numbers)
