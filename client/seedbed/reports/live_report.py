"""A report of a live model, for frameworks whose models are of no one class."""

from collections.abc import Callable
from os import PathLike
from typing import Any

from seedbed.client import Client
from seedbed.manifest import Manifest
from seedbed.reports.live_arrays import LiveArrays, is_stored
from seedbed.reports.report import Report, report


def live_report(
    model: Any,
    arrays_of: Callable[[Any], LiveArrays[Any]],
    *,
    manifest: Manifest | str | PathLike[str] | None,
    against: Any,
    title: str,
    client: Client | None,
) -> Report:
    """Return a report of a model, beside another live one or a stored one.

    Args:
        model: what is reported on.
        arrays_of: returns the arrays of a live model.
        manifest: as in :func:`seedbed.report`, like all others.
        against: likewise, or a live model.
        title: likewise; by default the model's class.
        client: likewise.
    """
    is_live = against is not None and not is_stored(against)
    return report(
        arrays_of(model),
        manifest=manifest,
        against=arrays_of(against) if is_live else against,
        title=title or type(model).__name__,
        against_title=type(against).__name__ if is_live else "",
        client=client,
    )
