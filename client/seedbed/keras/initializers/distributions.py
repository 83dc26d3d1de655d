"""Keras 3's random initializers whose distribution does not depend on the shape."""

from typing import ClassVar

import keras

from seedbed.keras.initializers.base import SpecInitializer
from seedbed.keras.seeds import Seed
from seedbed.spec import initializers as specs
from seedbed.spec.initializers import InitializerSpec

_register = keras.saving.register_keras_serializable(package="seedbed")


@_register
class RandomUniform(SpecInitializer, keras.initializers.RandomUniform):  # type: ignore[misc]
    """Uniform numbers on [minval, maxval). Floating dtypes.

    Args:
        minval: the lower end, included, finite.
        maxval: the upper end, excluded, finite, at least ``minval``.
        seed: an integer of 64 bits, a SeedGenerator, or None for 64 random bits.
    """

    _kind: ClassVar[type[InitializerSpec]] = specs.RandomUniformSpec

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Seed = None) -> None:
        super().__init__(seed, minval=minval, maxval=maxval)


@_register
class RandomNormal(SpecInitializer, keras.initializers.RandomNormal):  # type: ignore[misc]
    """Normal numbers on the whole line. Floating dtypes.

    Args:
        mean: finite.
        stddev: finite, 0 or more.
        seed: an integer of 64 bits, a SeedGenerator, or None for 64 random bits.
    """

    _kind: ClassVar[type[InitializerSpec]] = specs.RandomNormalSpec

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Seed = None) -> None:
        super().__init__(seed, mean=mean, stddev=stddev)


@_register
class TruncatedNormal(SpecInitializer, keras.initializers.TruncatedNormal):  # type: ignore[misc]
    """Normal numbers, conditioned on lying within two standard deviations. Floating dtypes.

    Args:
        mean: before truncation, finite.
        stddev: before truncation, finite, 0 or more.
        seed: an integer of 64 bits, a SeedGenerator, or None for 64 random bits.
    """

    _kind: ClassVar[type[InitializerSpec]] = specs.TruncatedNormalSpec

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Seed = None) -> None:
        super().__init__(seed, mean=mean, stddev=stddev)


@_register
class Orthogonal(SpecInitializer, keras.initializers.Orthogonal):  # type: ignore[misc]
    """A random matrix with orthonormal columns (rows, where there are fewer).

    Saxe et al. 2014. Floating dtypes.

    Args:
        gain: multiplies every element, finite.
        seed: an integer of 64 bits, a SeedGenerator, or None for 64 random bits.
    """

    _kind: ClassVar[type[InitializerSpec]] = specs.OrthogonalSpec

    def __init__(self, gain: float = 1.0, seed: Seed = None) -> None:
        super().__init__(seed, gain=gain)
