"""TensorFlow 1's initializers under the names of ``tf.compat.v1``; TensorFlow itself is not needed.

Arrays are numpy's::

    import seedbed.compat.v1 as v1

    w = v1.glorot_normal_initializer(seed=42, dtype="float64")((1024, 512))

Constructors and calls are those of ``tf.compat.v1``, and successive calls of one initializer give
different numbers, for every class. What differs: the constructor's dtype counts for every class, a
partition is the exact slice of the whole tensor, and random numbers come in floating dtypes only.
"""

from seedbed.compat.v1 import constants, distributions, initializers, keras, matrices, scaling

constant_initializer = constants.Constant
ones_initializer = constants.Ones
zeros_initializer = constants.Zeros
random_normal_initializer = distributions.RandomNormal
random_uniform_initializer = distributions.RandomUniform
truncated_normal_initializer = distributions.TruncatedNormal
orthogonal_initializer = matrices.Orthogonal
glorot_normal_initializer = scaling.GlorotNormal
glorot_uniform_initializer = scaling.GlorotUniform
uniform_unit_scaling_initializer = scaling.UniformUnitScaling
variance_scaling_initializer = scaling.VarianceScaling

__all__ = [
    "constant_initializer",
    "glorot_normal_initializer",
    "glorot_uniform_initializer",
    "initializers",
    "keras",
    "ones_initializer",
    "orthogonal_initializer",
    "random_normal_initializer",
    "random_uniform_initializer",
    "truncated_normal_initializer",
    "uniform_unit_scaling_initializer",
    "variance_scaling_initializer",
    "zeros_initializer",
]
