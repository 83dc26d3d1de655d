"""Keras-style initializers: a name, a seed and parameters; a client samples their tensors.

Names, parameters, defaults and the meaning of a seed are those of the Keras 2 page "Layer weight
initializers" and of the TensorFlow pages of its classes. Distributions and formulas are those of
:mod:`seedbed.spec.initializers`. There is a module for each family.
"""

from seedbed.initializers.base import DEFAULT_DTYPE, Initializer, Seed
from seedbed.initializers.constants import Constant, Ones, Zeros
from seedbed.initializers.dirac import Dirac
from seedbed.initializers.distributions import RandomNormal, RandomUniform, TruncatedNormal
from seedbed.initializers.gains import KaimingNormal, KaimingUniform, XavierNormal, XavierUniform
from seedbed.initializers.identity import Identity
from seedbed.initializers.orthogonal import DeltaOrthogonal, Orthogonal
from seedbed.initializers.scaling import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    VarianceScaling,
)
from seedbed.initializers.sparse import Sparse
from seedbed.initializers.stft import STFT

zeros = Zeros
ones = Ones
constant = Constant
random_uniform = RandomUniform
random_normal = RandomNormal
truncated_normal = TruncatedNormal
variance_scaling = VarianceScaling
glorot_uniform = GlorotUniform
glorot_normal = GlorotNormal
he_uniform = HeUniform
he_normal = HeNormal
lecun_uniform = LecunUniform
lecun_normal = LecunNormal
xavier_uniform = XavierUniform
xavier_normal = XavierNormal
kaiming_uniform = KaimingUniform
kaiming_normal = KaimingNormal
identity = Identity
orthogonal = Orthogonal
delta_orthogonal = DeltaOrthogonal
dirac = Dirac
sparse = Sparse
stft = STFT

__all__ = [
    "DEFAULT_DTYPE",
    "STFT",
    "Constant",
    "DeltaOrthogonal",
    "Dirac",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "Initializer",
    "KaimingNormal",
    "KaimingUniform",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "RandomNormal",
    "RandomUniform",
    "Seed",
    "Sparse",
    "TruncatedNormal",
    "VarianceScaling",
    "XavierNormal",
    "XavierUniform",
    "Zeros",
    "constant",
    "delta_orthogonal",
    "dirac",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "kaiming_normal",
    "kaiming_uniform",
    "lecun_normal",
    "lecun_uniform",
    "ones",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "sparse",
    "stft",
    "truncated_normal",
    "variance_scaling",
    "xavier_normal",
    "xavier_uniform",
    "zeros",
]
