"""The deprecated names of torch.nn.init's functions, without the underscore at their end."""

import functools
import warnings
from collections.abc import Callable
from typing import Any

import torch

from seedbed.torch import initializers

Function = Callable[..., torch.Tensor]


def _deprecated(function: Function) -> Function:
    new = function.__name__
    old = new.removesuffix("_")

    @functools.wraps(function)
    def deprecated(*args: Any, **kwargs: Any) -> torch.Tensor:
        warnings.warn(
            f"`seedbed.torch.{old}` is deprecated, as `torch.nn.init.{old}` is: use {new}",
            FutureWarning,
            stacklevel=2,
        )
        return function(*args, **kwargs)

    deprecated.__name__ = deprecated.__qualname__ = old
    deprecated.__doc__ = f"Do as :func:`{new}`, whose older name this is.\n\n    {function.__doc__}"
    return deprecated


constant = _deprecated(initializers.constant_)
dirac = _deprecated(initializers.dirac_)
eye = _deprecated(initializers.eye_)
kaiming_normal = _deprecated(initializers.kaiming_normal_)
kaiming_uniform = _deprecated(initializers.kaiming_uniform_)
normal = _deprecated(initializers.normal_)
orthogonal = _deprecated(initializers.orthogonal_)
sparse = _deprecated(initializers.sparse_)
uniform = _deprecated(initializers.uniform_)
xavier_normal = _deprecated(initializers.xavier_normal_)
xavier_uniform = _deprecated(initializers.xavier_uniform_)
