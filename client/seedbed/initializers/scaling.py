"""Initializers whose variance follows from the fans: variance scaling and its fixed forms."""

from typing import Any, ClassVar

from seedbed.initializers.base import Seed
from seedbed.initializers.fans import FanInitializer
from seedbed.initializers.parameters import Parameter
from seedbed.spec import initializers as specs
from seedbed.spec.fans import Axes
from seedbed.spec.initializers import Distribution, FanMode


class VarianceScaling(FanInitializer):
    """Numbers of variance scale / n, n = max(1, fan).

    Floating dtypes. The same values on each call. ``uniform`` is on [-limit, limit) with limit =
    sqrt(3 scale / n); ``truncated_normal`` (also called ``normal``, as in Keras) is cut at
    ``lower`` and ``upper`` standard deviations, two by default, and widened so that the variance is
    right: by 1 / 0.87962566103423978 for two; ``untruncated_normal`` has stddev = sqrt(scale / n).
    The mean is 0, unless bounds that are not symmetric move it.

    Args:
        scale: finite and positive.
        mode: ``fan_in``, ``fan_out``, ``fan_avg`` (the arithmetic mean of both) or ``fan_geo_avg``
            (the geometric one).
        distribution: ``truncated_normal``, ``untruncated_normal`` or ``uniform``.
        seed: -2**63 to 2**64 - 1, a SeedGenerator, or None for 64 random bits.
        in_axis: the axes that are inputs, an integer or several; by default Keras's rule (see
            ``compute_fans``).
        out_axis: the axes that are outputs, likewise.
        batch_axis: axes that count for neither, such as stacked experts.
        lower: where a truncated normal is cut, in standard deviations before truncation, at most 4;
            may be ``-inf``. Other distributions take no other value than the default.
        upper: where it is cut above, likewise, at least -4; may be ``inf``.
    """

    scale = Parameter[float]()
    mode = Parameter[FanMode]()
    distribution = Parameter[Distribution]()
    lower = Parameter[float]()
    upper = Parameter[float]()

    def __init__(
        self,
        scale: float = 1.0,
        mode: FanMode = "fan_in",
        distribution: Distribution = "truncated_normal",
        seed: Seed = None,
        *,
        in_axis: Axes | None = None,
        out_axis: Axes | None = None,
        batch_axis: Axes = (),
        lower: float = -2.0,
        upper: float = 2.0,
    ) -> None:
        spec = specs.VarianceScalingSpec(scale, mode, distribution, lower, upper)
        super().__init__(spec, seed, in_axis, out_axis, batch_axis)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments; axes and bounds only where they are not Keras's."""
        config = super().get_config()
        if (config["lower"], config["upper"]) == (-2.0, 2.0):
            del config["lower"], config["upper"]
        return config


class _FixedScaling(VarianceScaling):
    """A variance scaling with its parameters in its name; successive calls differ."""

    _repeats: ClassVar[bool] = False
    _kind: ClassVar[type[specs.FixedScalingSpec]]

    def __init__(self, seed: Seed = None) -> None:
        FanInitializer.__init__(self, self._kind(), seed, None, None, ())

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments: the seed."""
        return FanInitializer.get_config(self)


class GlorotUniform(_FixedScaling):
    """Uniform with limit = sqrt(6 / (fan_in + fan_out)). Glorot and Bengio 2010. Floating dtypes.

    Args:
        seed: -2**63 to 2**64 - 1, a SeedGenerator, or None for 64 random bits.
    """

    _kind = specs.GlorotUniformSpec


class GlorotNormal(_FixedScaling):
    """Truncated normal with variance 2 / (fan_in + fan_out).

    Glorot and Bengio 2010. Floating dtypes.

    Args:
        seed: -2**63 to 2**64 - 1, a SeedGenerator, or None for 64 random bits.
    """

    _kind = specs.GlorotNormalSpec


class HeUniform(_FixedScaling):
    """Uniform with limit = sqrt(6 / fan_in). He et al. 2015. Floating dtypes.

    Args:
        seed: -2**63 to 2**64 - 1, a SeedGenerator, or None for 64 random bits.
    """

    _kind = specs.HeUniformSpec


class HeNormal(_FixedScaling):
    """Truncated normal with variance 2 / fan_in. He et al. 2015. Floating dtypes.

    Args:
        seed: -2**63 to 2**64 - 1, a SeedGenerator, or None for 64 random bits.
    """

    _kind = specs.HeNormalSpec


class LecunUniform(_FixedScaling):
    """Uniform with limit = sqrt(3 / fan_in). LeCun et al. 1998. Floating dtypes.

    Args:
        seed: -2**63 to 2**64 - 1, a SeedGenerator, or None for 64 random bits.
    """

    _kind = specs.LecunUniformSpec


class LecunNormal(_FixedScaling):
    """Truncated normal with variance 1 / fan_in. LeCun et al. 1998. Floating dtypes.

    Args:
        seed: -2**63 to 2**64 - 1, a SeedGenerator, or None for 64 random bits.
    """

    _kind = specs.LecunNormalSpec
