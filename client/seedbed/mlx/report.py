"""A report of a module's parameters, or of any tree of arrays."""

from os import PathLike
from typing import Any

from numpy.typing import NDArray

from seedbed.client import Client
from seedbed.manifest import Manifest
from seedbed.mlx.digests import bytes_of
from seedbed.mlx.names import arrays_by_name
from seedbed.reports.live_arrays import LiveArrays
from seedbed.reports.live_report import live_report
from seedbed.reports.report import Report
from seedbed.spec.dtypes import as_dtype


def report(
    tree: Any,
    *,
    manifest: Manifest | str | PathLike[str] | None = None,
    against: Any = None,
    title: str = "",
    prefix: str = "",
    client: Client | None = None,
) -> Report:
    """Return a report of a module's parameters, or of any tree of arrays.

    It shows sizes and distributions, and what is unusual. Its digest is
    :func:`digest`'s. One array is copied to the host at a time.

    Args:
        tree: as in :func:`digests`.
        manifest: what the tree was filled by, such as :func:`manifest_of` gives, or its file: each
            tensor is then held against its rule's exact distribution.
        against: another one, shown beside it; or a manifest, such as :func:`manifest_of` gives, a
            file of either, or numpy arrays by name.
        title: of the report; by default its class.
        prefix: put before each name of a live model.
        client: samples a manifest; None is the default client.

    Raises:
        InvalidValueError: as :func:`digests` does, or if an array has a dtype that seedbed does not
            know.

    Example:
        >>> import mlx.core as mx
        >>> report({"w": mx.ones((4, 2))}).findings
        ()
    """
    return live_report(
        tree,
        lambda each: LiveArrays(arrays_by_name(each, prefix), _array),
        manifest=manifest,
        against=against,
        title=title,
        client=client,
    )


def _array(name: str, leaf: Any) -> NDArray[Any]:
    content = bytes_of(name, leaf)
    return content.view(as_dtype(leaf.dtype, field=f"{name}.dtype").numpy).reshape(leaf.shape)
