"""The names of ``tf.compat.v1.initializers``."""

from seedbed.compat.v1 import constants, distributions, matrices, scaling
from seedbed.initializers import Seed

constant = constants.Constant
ones = constants.Ones
zeros = constants.Zeros
random_normal = distributions.RandomNormal
random_uniform = distributions.RandomUniform
truncated_normal = distributions.TruncatedNormal
identity = matrices.Identity
orthogonal = matrices.Orthogonal
glorot_normal = scaling.GlorotNormal
glorot_uniform = scaling.GlorotUniform
uniform_unit_scaling = scaling.UniformUnitScaling
variance_scaling = scaling.VarianceScaling

__all__ = [
    "constant",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "lecun_normal",
    "lecun_uniform",
    "ones",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "truncated_normal",
    "uniform_unit_scaling",
    "variance_scaling",
    "zeros",
]


def he_normal(seed: Seed = None) -> scaling.VarianceScaling:
    """Return the initializer of truncated normals with variance 2 / fan_in. He et al. 2015."""
    return scaling.VarianceScaling(2.0, "fan_in", "truncated_normal", seed)


def he_uniform(seed: Seed = None) -> scaling.VarianceScaling:
    """Return the initializer of uniform numbers with variance 2 / fan_in. He et al. 2015."""
    return scaling.VarianceScaling(2.0, "fan_in", "uniform", seed)


def lecun_normal(seed: Seed = None) -> scaling.VarianceScaling:
    """Return the initializer of truncated normals with variance 1 / fan_in. LeCun et al. 1998."""
    return scaling.VarianceScaling(1.0, "fan_in", "truncated_normal", seed)


def lecun_uniform(seed: Seed = None) -> scaling.VarianceScaling:
    """Return the initializer of uniform numbers with variance 1 / fan_in. LeCun et al. 1998."""
    return scaling.VarianceScaling(1.0, "fan_in", "uniform", seed)
