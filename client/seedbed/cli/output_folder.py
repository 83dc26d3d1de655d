"""A folder of weights that appears whole or not at all."""

import secrets
from collections.abc import Iterator, Sequence
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


@contextmanager
def unfinished_files(folder: Path, names: Sequence[str]) -> Iterator[dict[str, Path]]:
    """Yield paths to write to, which get their names when the block ends, or are removed.

    All weights that are in the folder are replaced, under whatever names: a reader would take an
    old single file before new ones. They go first and an index, the last of the names, comes last,
    so that at no moment old and new files seem to be one model.

    Args:
        folder: where the files are to go.
        names: of the files.
    """
    token = secrets.token_hex(4)
    paths = {name: folder / f".{name}.{token}.part" for name in names}
    written = list(paths.values())
    try:
        yield paths
        for old in folder.iterdir():
            if is_weight_file(old.name) and not old.is_dir():
                old.unlink()
        for name, path in paths.items():
            written.append(path.replace(folder / name))
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise
