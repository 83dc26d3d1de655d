"""seedbed for MLX: the initializers of ``mlx.nn.init``, and all parameters of a model at once.

In a program::

    from seedbed import mlx as init  # instead of: from mlx.nn import init

    weight = init.glorot_uniform(seed=42)(mx.zeros((256, 512)))
    init.initialize(model, seed=42, rules=rules)  # every parameter, by its name
    init.digest(model)  # the same on every machine
"""

from seedbed.frameworks import require

require("mlx.core", title="MLX", extra="mlx")

from seedbed.mlx.digests import digest, digests  # noqa: E402  # only where there is an MLX
from seedbed.mlx.initializers import (  # noqa: E402
    constant,
    glorot_normal,
    glorot_uniform,
    he_normal,
    he_uniform,
    identity,
    normal,
    orthogonal,
    sparse,
    uniform,
)
from seedbed.mlx.model import initialize, manifest_of  # noqa: E402
from seedbed.mlx.report import report  # noqa: E402

__all__ = [
    "constant",
    "digest",
    "digests",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "initialize",
    "manifest_of",
    "normal",
    "orthogonal",
    "report",
    "sparse",
    "uniform",
]
