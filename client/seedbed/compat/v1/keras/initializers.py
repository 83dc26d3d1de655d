"""The names of ``tf.compat.v1.keras.initializers``."""

from seedbed.compat.v1 import scaling
from seedbed.compat.v1.base import Initializer
from seedbed.compat.v1.constants import Constant, Ones, Zeros
from seedbed.compat.v1.keras.classes import (
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
)
from seedbed.compat.v1.keras.identifiers import deserialize, get, serialize
from seedbed.compat.v1.matrices import Identity, Orthogonal

constant = Constant
identity = Identity
ones = Ones
orthogonal = Orthogonal
zeros = Zeros
he_normal = HeNormal
he_uniform = HeUniform
lecun_normal = LecunNormal
lecun_uniform = LecunUniform
normal = random_normal = RandomNormal
uniform = random_uniform = RandomUniform
truncated_normal = TruncatedNormal

VarianceScaling = scaling.VarianceScaling
glorot_normal = scaling.GlorotNormal
glorot_uniform = scaling.GlorotUniform

__all__ = [
    "Constant",
    "Identity",
    "Initializer",
    "Ones",
    "Orthogonal",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "constant",
    "deserialize",
    "get",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "lecun_normal",
    "lecun_uniform",
    "normal",
    "ones",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "serialize",
    "truncated_normal",
    "uniform",
    "zeros",
]
