"""What a misspelled word was perhaps meant to be."""

from collections.abc import Iterable

# difflib's own, said here because messages are tested: `std` finds `stddev`, `x` finds nothing.
SIMILAR = 0.6


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` for the nearest known word, or nothing."""
    if not isinstance(word, str):
        return ""
    import difflib  # only where something is wrong: it would cost each import of seedbed

    by_lower_case = {each.lower(): each for each in known}
    near = difflib.get_close_matches(word.lower(), by_lower_case, n=1, cutoff=SIMILAR)
    return f"; did you mean {by_lower_case[near[0]]!r}?" if near else ""
