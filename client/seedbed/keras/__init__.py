"""seedbed for Keras 3, on TensorFlow, JAX and PyTorch: initializers of Keras, and all weights of a model at once.

import keras
import seedbed.keras

layer = keras.layers.Dense(3, kernel_initializer=seedbed.keras.GlorotUniform(seed=1))
seedbed.keras.initialize(model, seed=42)          # every weight, by its path

The classes have Keras's names and arguments, and are subclasses of Keras's own. An integer seed
repeats, as in Keras: every call gives draw 0. What a layer gets from them is the same bits on each
backend.
"""

from seedbed.frameworks import require

require(
    "keras", title="Keras 3", extra="keras", also="one of its backends: tensorflow, jax or torch"
)

from seedbed.keras.base import Initializer  # noqa: E402  # the framework may be missing until here
from seedbed.keras.constants import STFT, Constant, Identity, Ones, Zeros  # noqa: E402
from seedbed.keras.conversion import convert  # noqa: E402
from seedbed.keras.digests import digest, digests  # noqa: E402
from seedbed.keras.distributions import (  # noqa: E402
    Orthogonal,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
)
from seedbed.keras.model import initialize  # noqa: E402
from seedbed.keras.scaling import (  # noqa: E402
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    VarianceScaling,
)

IdentityInitializer = Identity
OrthogonalInitializer = Orthogonal
STFTInitializer = STFT
constant = Constant
glorot_normal = GlorotNormal
glorot_uniform = GlorotUniform
he_normal = HeNormal
he_uniform = HeUniform
identity = Identity
lecun_normal = LecunNormal
lecun_uniform = LecunUniform
ones = Ones
orthogonal = Orthogonal
random_normal = RandomNormal
random_uniform = RandomUniform
stft = STFT
truncated_normal = TruncatedNormal
variance_scaling = VarianceScaling
zeros = Zeros

__all__ = [
    "STFT",
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "IdentityInitializer",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "OrthogonalInitializer",
    "RandomNormal",
    "RandomUniform",
    "STFTInitializer",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "constant",
    "convert",
    "digest",
    "digests",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "initialize",
    "lecun_normal",
    "lecun_uniform",
    "ones",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "stft",
    "truncated_normal",
    "variance_scaling",
    "zeros",
]
