"""seedbed for JAX: its initializers, sharded arrays, and whole models.

In a program::

    from seedbed.jax import initializers  # instead of: from jax.nn import initializers

    kernel_init = initializers.lecun_normal()  # for Flax linen and nnx, under jit, too

    # In place of jax.jit: as the model's own initializers say.
    init = seedbed.jax.initializing(model.init, seed=42, out_shardings=shardings)
    params = init(key, x)

    # Or by rules.
    rules = {"*/bias": "zeros", "*": "lecun_normal"}
    params = seedbed.jax.initialize(abstract_params, shardings, seed=42, rules=rules)
"""

from seedbed.frameworks import require

require("jax", title="JAX", extra="jax")

from seedbed.jax import initializers  # noqa: E402  # only where there is a JAX
from seedbed.jax.arrays import make_array  # noqa: E402
from seedbed.jax.digests import digest, digests  # noqa: E402
from seedbed.jax.initializers import (  # noqa: E402
    Initializer,
    constant,
    delta_orthogonal,
    glorot_normal,
    glorot_uniform,
    he_normal,
    he_uniform,
    kaiming_normal,
    kaiming_uniform,
    lecun_normal,
    lecun_uniform,
    normal,
    ones,
    orthogonal,
    truncated_normal,
    uniform,
    variance_scaling,
    xavier_normal,
    xavier_uniform,
    zeros,
)
from seedbed.jax.model import initialize, initializing, manifest_of  # noqa: E402
from seedbed.jax.recording import Recording, record  # noqa: E402
from seedbed.jax.report import report  # noqa: E402
from seedbed.jax.seeds import seed_from_key  # noqa: E402

__all__ = [
    "Initializer",
    "Recording",
    "constant",
    "delta_orthogonal",
    "digest",
    "digests",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "initialize",
    "initializers",
    "initializing",
    "kaiming_normal",
    "kaiming_uniform",
    "lecun_normal",
    "lecun_uniform",
    "make_array",
    "manifest_of",
    "normal",
    "ones",
    "orthogonal",
    "record",
    "report",
    "seed_from_key",
    "truncated_normal",
    "uniform",
    "variance_scaling",
    "xavier_normal",
    "xavier_uniform",
    "zeros",
]
