"""``--plot``: where a sample's picture goes, and its file."""

import importlib.util
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from seedbed.cli.output_file import checked_output, unfinished
from seedbed.cli.result import CommandError
from seedbed.reports.pictures.figure import figure_of
from seedbed.spec.errors import InvalidValueError
from seedbed.spec.info import TensorDescription
from seedbed.spec.slices import TensorSlice
from seedbed.spec.tensors import TensorSpec

FORMATS = (".png", ".svg", ".pdf")


def checked_plot(path: str | None) -> Path | None:
    """Return where the picture is to go, checked before any work is done.

    Raises:
        InvalidValueError: if the format is unknown.
        CommandError: if matplotlib is missing, or the place is not fit for a file.
    """
    if path is None:
        return None
    if Path(path).suffix not in FORMATS:
        raise InvalidValueError(f"--plot must end in {', '.join(FORMATS)}. Received: {path!r}")
    if importlib.util.find_spec("matplotlib") is None:
        raise CommandError("--plot needs matplotlib: pip install 'seedbed[plot]'")
    return checked_output(path)


def draw(
    path: Path,
    array: NDArray[Any],
    spec: TensorSpec,
    description: TensorDescription,
    part: TensorSlice | None,
) -> None:
    """Write the picture of a sample."""
    figure = figure_of(array, spec, description, part)
    with unfinished(path) as partial:
        figure.savefig(partial, format=path.suffix[1:])
