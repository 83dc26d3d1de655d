"""A progress bar for long fetches, on standard error."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_bar(total_bytes: int, label: str, *, is_shown: bool) -> Iterator[Callable[[int], None]]:
    """Yield what is to be called with the number of new bytes."""
    if not is_shown:
        yield _ignore
        return
    from tqdm.auto import tqdm  # only who wants a bar pays for its import

    with tqdm(total=total_bytes, desc=label, unit="B", unit_scale=True, unit_divisor=1024) as bar:

        def advance(size_bytes: int) -> None:
            bar.update(size_bytes)

        yield advance


def _ignore(size_bytes: int) -> None:
    """Take note of nothing."""
