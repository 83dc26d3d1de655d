"""seedbed for MLX: the initializers of ``mlx.nn.init`` under their names, with the same bits on every machine.

from seedbed import mlx as init                             # instead of: from mlx.nn import init
weight = init.glorot_uniform(seed=42)(mx.zeros((256, 512)))
"""

from seedbed.frameworks import require

require("mlx.core", title="MLX", extra="mlx")

from seedbed.mlx.initializers import (  # noqa: E402  # only where there is an MLX
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

__all__ = [
    "constant",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "normal",
    "orthogonal",
    "sparse",
    "uniform",
]
