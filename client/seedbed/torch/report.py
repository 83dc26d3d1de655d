"""A report of a module's parameters."""

from os import PathLike
from typing import Any

import torch
from numpy.typing import NDArray
from torch import nn

from seedbed.client import Client
from seedbed.manifest import Manifest
from seedbed.reports.live_arrays import LiveArrays
from seedbed.reports.report import Report
from seedbed.reports.report import report as report_of
from seedbed.reports.subjects import Subject
from seedbed.spec.dtypes import as_dtype
from seedbed.torch.digests import bytes_of, parameters_of


def report(
    module: nn.Module,
    *,
    manifest: Manifest | str | PathLike[str] | None = None,
    against: nn.Module | Subject | None = None,
    title: str = "",
    prefix: str = "",
    client: Client | None = None,
) -> Report:
    """Return a report of a module's parameters: sizes, distributions, and what is unusual.

    Its digest is :func:`digest`'s. One whole parameter of each module is in memory at a time. For
    DTensors it is a collective call, as :func:`digests`: every rank makes it, and any may save what
    it returns.

    Args:
        module: the module.
        manifest: what the module was filled by, such as :func:`manifest_of` gives, or its file:
            each parameter is then held against its rule's exact distribution.
        against: another one, shown beside it: a module, a manifest such as :func:`manifest_of`
            gives, a file of either, or numpy arrays by name.
        title: of the report; by default the module's class.
        prefix: put before each name of a module.
        client: samples a manifest; None is the default client.

    Raises:
        InvalidValueError: if a parameter is sparse, on the meta device, or has a dtype that numbers
            are not read from.

    Example:
        >>> report(torch.nn.Linear(4, 2)).findings
        ()
    """
    return report_of(
        _arrays(module, prefix),
        manifest=manifest,
        against=_arrays(against, prefix) if isinstance(against, nn.Module) else against,
        title=title or type(module).__name__,
        against_title=type(against).__name__ if isinstance(against, nn.Module) else "",
        client=client,
    )


def _arrays(module: nn.Module, prefix: str) -> LiveArrays[torch.Tensor]:
    return LiveArrays(parameters_of(module, prefix), _array)


def _array(name: str, parameter: torch.Tensor) -> NDArray[Any]:
    dtype = as_dtype(parameter.dtype, field=f"{name}.dtype").numpy
    return bytes_of(name, parameter).view(dtype).reshape(tuple(parameter.shape))
