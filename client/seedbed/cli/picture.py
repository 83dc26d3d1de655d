"""``--plot``: where a sample's picture goes, and its file."""

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from seedbed.cli.output_file import check_replaceable, checked_output, unfinished
from seedbed.cli.result import CommandError
from seedbed.spec.errors import InvalidValueError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = (".png", ".svg", ".pdf")


def checked_plot(path: str | None, *, is_forced: bool) -> Path | None:
    """Return where the picture is to go, checked before any work is done.

    Raises:
        InvalidValueError: if the format is unknown.
        CommandError: if matplotlib is missing, the place is not fit for a file, or has one.
    """
    if path is None:
        return None
    if Path(path).suffix not in FORMATS:
        raise InvalidValueError(f"--plot must end in {', '.join(FORMATS)}. Received: {path!r}")
    if importlib.util.find_spec("matplotlib") is None:
        raise CommandError("--plot needs matplotlib: pip install 'seedbed[plot]'")
    check_replaceable(path, is_forced=is_forced)
    return checked_output(path)


def save(figure: "Figure", path: Path, *, is_forced: bool) -> None:
    """Write the picture of a sample."""
    with unfinished(path, is_forced=is_forced) as partial:
        figure.savefig(partial, format=path.suffix[1:])
