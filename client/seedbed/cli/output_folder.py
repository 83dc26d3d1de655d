"""A folder of weights that appears whole or not at all."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from seedbed.checkpoint_files import is_weight_file
from seedbed.cli.result import CommandError


@contextmanager
def made_folder(folder: Path) -> Iterator[None]:
    """Make a folder and those above it; what was made is removed if the block fails.

    Raises:
        CommandError: if something else is there.
    """
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise CommandError(f"{folder} is no folder, or below a file") from None
    try:
        yield
    except BaseException:
        with suppress(OSError):  # somebody else put something there
            for each in missing:
                each.rmdir()
        raise


def replaced(folder: Path, paths: Mapping[str, Path], *, is_folder: bool) -> None:
    """Give complete files their names.

    In a folder, all weights that are there are replaced, under whatever names: a reader would take
    an old single file before new ones. They go first and an index, the last of the names, comes
    last, so that at no moment old and new files seem to be one model.

    Args:
        folder: where the files are to go.
        paths: where each is, by its name.
        is_folder: whether the folder is one of weights, and not only that of a file.
    """
    if is_folder:
        for old in folder.iterdir():
            if is_weight_file(old.name) and not old.is_dir():
                old.unlink()
    for name, path in paths.items():
        path.replace(folder / name)
