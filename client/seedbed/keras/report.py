"""A report of a model's weights."""

from os import PathLike
from typing import Any

from seedbed.client import Client
from seedbed.keras.digests import array_of, named_variables
from seedbed.manifest import Manifest
from seedbed.reports.live_arrays import LiveArrays
from seedbed.reports.live_report import live_report
from seedbed.reports.report import Report


def report(
    model: Any,
    *,
    manifest: Manifest | str | PathLike[str] | None = None,
    against: Any = None,
    title: str = "",
    prefix: str = "",
    client: Client | None = None,
) -> Report:
    """Return a report of a model's weights: sizes, distributions, and what is unusual.

    Its digest is :func:`digest`'s. One array is copied to the host at a time.

    Args:
        model: as in :func:`digests`.
        manifest: what the model was filled by, such as :func:`manifest_of` gives, or its file: each
            tensor is then held against its rule's exact distribution.
        against: another one, shown beside it; or a manifest, such as :func:`manifest_of` gives, a
            file of either, or numpy arrays by name.
        title: of the report; by default its class.
        prefix: put before each name of a live model.
        client: samples a manifest; None is the default client.

    Raises:
        InvalidValueError: if a weight has a dtype that seedbed does not know.
    """
    return live_report(
        model,
        lambda each: LiveArrays(named_variables(each, prefix), array_of),
        manifest=manifest,
        against=against,
        title=title,
        client=client,
    )
