"""A progress bar for long fetches, on standard error."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext


def progress_bar(
    total_bytes: int, label: str, *, is_shown: bool
) -> AbstractContextManager[Callable[[int], None]]:
    """Return a context that shows a bar and yields a function that counts new bytes."""
    return _bar(total_bytes, label) if is_shown else nullcontext(_ignore)


@contextmanager
def _bar(total_bytes: int, label: str) -> Iterator[Callable[[int], None]]:
    from tqdm.auto import tqdm  # only who wants a bar pays for its import

    with tqdm(total=total_bytes, desc=label, unit="B", unit_scale=True, unit_divisor=1024) as bar:

        def advance(size_bytes: int) -> None:
            bar.update(size_bytes)

        yield advance


def _ignore(size_bytes: int) -> None:
    """Take note of nothing."""
