"""How a long fetch tells how far it is: a bar on standard error, or a function of the caller's."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

OnBytes = Callable[[int], None]
"""Called with the number of new bytes."""


def progress_bar(
    total_bytes: int, label: str, progress: bool | OnBytes
) -> AbstractContextManager[OnBytes]:
    """Return a context that shows a bar if asked to, and yields a function that counts new bytes.

    Args:
        total_bytes: how many there will be.
        label: what the bar is of.
        progress: whether to show it, or what to call in its place.
    """
    if callable(progress):
        return nullcontext(progress)
    return _bar(total_bytes, label) if progress else nullcontext(_ignore)


@contextmanager
def _bar(total_bytes: int, label: str) -> Iterator[Callable[[int], None]]:
    from tqdm.auto import tqdm  # only who wants a bar pays for its import

    with tqdm(total=total_bytes, desc=label, unit="B", unit_scale=True, unit_divisor=1024) as bar:

        def advance(size_bytes: int) -> None:
            bar.update(size_bytes)

        yield advance


def _ignore(size_bytes: int) -> None:
    """Take note of nothing."""
