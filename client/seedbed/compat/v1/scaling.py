"""TensorFlow 1's initializers whose variance follows from the shape."""

from typing import Any, ClassVar

from seedbed.compat.v1.base import Initializer
from seedbed.initializers import DEFAULT_DTYPE, Seed
from seedbed.initializers.parameters import Parameter
from seedbed.spec import initializers as specs
from seedbed.spec.errors import bad_value
from seedbed.spec.fans import FanAxes
from seedbed.spec.initializers import Distribution, FanMode
from seedbed.spec.numbers import as_finite
from seedbed.spec.shapes import as_ints
from seedbed.spec.tensors import TensorSpec


class VarianceScaling(Initializer):
    """Numbers with mean 0 and variance scale / n, n = max(1, fan). Floating dtypes.

    Args:
        scale: finite and positive.
        mode: ``fan_in``, ``fan_out`` or ``fan_avg``.
        distribution: ``truncated_normal`` (also called ``normal``), ``untruncated_normal`` or
            ``uniform``.
        seed: -2**63 to 2**64 - 1, a SeedGenerator, or None for 64 random bits.
        dtype: of calls that name none.
    """

    scale = Parameter[float]()
    mode = Parameter[FanMode]()
    distribution = Parameter[Distribution]()

    def __init__(
        self,
        scale: float = 1.0,
        mode: FanMode = "fan_in",
        distribution: Distribution = "truncated_normal",
        seed: Seed = None,
        dtype: Any = DEFAULT_DTYPE,
    ) -> None:
        super().__init__(specs.VarianceScalingSpec(scale, mode, distribution), seed, dtype)


class _FixedScaling(VarianceScaling):
    """A variance scaling whose parameters are part of its name."""

    _kind: ClassVar[type[specs.FixedScalingSpec]]

    def __init__(self, seed: Seed = None, dtype: Any = DEFAULT_DTYPE) -> None:
        Initializer.__init__(self, self._kind(), seed, dtype)


class GlorotUniform(_FixedScaling):
    """Uniform with limit = sqrt(6 / (fan_in + fan_out)). Glorot and Bengio 2010. Floating dtypes.

    Args:
        seed: -2**63 to 2**64 - 1, a SeedGenerator, or None for 64 random bits.
        dtype: of calls that name none.
    """

    _kind = specs.GlorotUniformSpec


class GlorotNormal(_FixedScaling):
    """Truncated normal with variance 2 / (fan_in + fan_out).

    Glorot and Bengio 2010. Floating dtypes.

    Args:
        seed: -2**63 to 2**64 - 1, a SeedGenerator, or None for 64 random bits.
        dtype: of calls that name none.
    """

    _kind = specs.GlorotNormalSpec


class UniformUnitScaling(Initializer):
    """Uniform with limit = factor * sqrt(3 / n), n = the product of all lengths but the last.

    Floating dtypes.

    Args:
        factor: finite and positive.
        seed: -2**63 to 2**64 - 1, a SeedGenerator, or None for 64 random bits.
        dtype: of calls that name none.
    """

    def __init__(self, factor: float = 1.0, seed: Seed = None, dtype: Any = DEFAULT_DTYPE) -> None:
        self._factor = as_finite("factor", factor)
        if self._factor <= 0:
            raise bad_value("factor", "positive", factor)
        super().__init__(
            specs.VarianceScalingSpec(self._factor**2, "fan_in", "uniform"), seed, dtype
        )

    @property
    def factor(self) -> float:
        """What multiplies the limit."""
        return self._factor

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, fit for JSON."""
        return {"factor": self._factor, **super().get_config()}

    def fan_axes_of(self, rank: int) -> FanAxes | None:
        """Return the axes that count for the fans of a tensor of a rank."""
        # Keras's rule takes a vector's only axis for its inputs; here it is the last one, which
        # does not count.
        return FanAxes(in_axis=(), out_axis=-1) if rank == 1 else None

    def _tensor_spec(self, name: str, shape: Any, dtype: Any, draw: int) -> TensorSpec:
        axes = self.fan_axes_of(len(as_ints("shape", shape)))
        return TensorSpec(name, shape, dtype, self, self._seed_of_calls, draw, axes)
