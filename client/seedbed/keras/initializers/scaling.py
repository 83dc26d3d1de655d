"""Keras 3's initializers whose variance follows from the fans."""

from typing import Any, ClassVar

import keras

from seedbed.keras.initializers.base import SpecInitializer
from seedbed.keras.seeds import Seed
from seedbed.spec import initializers as specs
from seedbed.spec.fans import Axes, FanAxes
from seedbed.spec.initializers import Distribution, FanMode, FixedScalingSpec, InitializerSpec
from seedbed.spec.shapes import as_ints

_register = keras.saving.register_keras_serializable(package="seedbed")


def axes_of(rank: int, input_axes: Axes, output_axes: Axes) -> FanAxes:
    """Return the fan axes that Keras's ``input_axes`` and ``output_axes`` mean.

    What neither names does not count.
    """
    named = {
        axis % rank
        for axis in (*as_ints("input_axes", input_axes), *as_ints("output_axes", output_axes))
        if rank
    }
    return FanAxes(input_axes, output_axes, [axis for axis in range(rank) if axis not in named])


class _Scaling(SpecInitializer):
    """A variance scaling, whose fans may count other axes than the last two.

    ``EinsumDense``, and with it ``MultiHeadAttention``, makes a copy that names the axes of its
    kernel.
    """

    input_axes: Axes | None
    output_axes: Axes | None

    def __init__(
        self, seed: Seed, input_axes: Axes | None, output_axes: Axes | None, **arguments: Any
    ) -> None:
        super().__init__(seed, **arguments)
        for name, axes in (("input_axes", input_axes), ("output_axes", output_axes)):
            setattr(self, name, None if axes is None else list(as_ints(name, axes)))

    def fan_axes_of(self, rank: int) -> FanAxes | None:
        """Return the axes that count for the fans; Keras's rule unless both kinds are named."""
        if self.input_axes is None or self.output_axes is None:
            return None
        return axes_of(rank, self.input_axes, self.output_axes)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments; the axes, new to Keras, only where they are given."""
        axes = {"input_axes": self.input_axes, "output_axes": self.output_axes}
        return {
            **super().get_config(),
            **{name: value for name, value in axes.items() if value is not None},
        }


@_register
class VarianceScaling(_Scaling, keras.initializers.VarianceScaling):  # type: ignore[misc]
    """Numbers with mean 0 and variance scale / n, n = max(1, fan). Floating dtypes.

    Args:
        scale: finite and positive.
        mode: ``fan_in``, ``fan_out``, ``fan_avg``, or seedbed's own ``fan_geo_avg`` (the geometric
            mean of both), whose configuration Keras's own class does not read.
        distribution: ``truncated_normal`` (also called ``normal``), ``untruncated_normal`` or
            ``uniform``.
        seed: an integer of 64 bits, a SeedGenerator, or None for 64 random bits.
        input_axes: the axes that are inputs; all that neither argument names do not count.
        output_axes: the axes that are outputs.
    """

    _kind: ClassVar[type[InitializerSpec]] = specs.VarianceScalingSpec

    def __init__(
        self,
        scale: float = 1.0,
        mode: FanMode = "fan_in",
        distribution: Distribution = "truncated_normal",
        seed: Seed = None,
        input_axes: Axes | None = None,
        output_axes: Axes | None = None,
    ) -> None:
        super().__init__(
            seed, input_axes, output_axes, scale=scale, mode=mode, distribution=distribution
        )


class _FixedScaling(VarianceScaling):
    """A variance scaling whose parameters are part of its name, and attributes."""

    _kind: ClassVar[type[FixedScalingSpec]]

    def __init__(
        self, seed: Seed = None, input_axes: Axes | None = None, output_axes: Axes | None = None
    ) -> None:
        _Scaling.__init__(self, seed, input_axes, output_axes)

    @property
    def scale(self) -> float:
        """The scale of the variance."""
        return self._kind.scaling.scale

    @property
    def mode(self) -> FanMode:
        """Which fan divides the scale."""
        return self._kind.scaling.mode

    @property
    def distribution(self) -> Distribution:
        """Which distribution."""
        return self._kind.scaling.distribution


@_register
class GlorotUniform(_FixedScaling, keras.initializers.GlorotUniform):  # type: ignore[misc]
    """Uniform with limit = sqrt(6 / (fan_in + fan_out)). Glorot and Bengio 2010.

    Arguments as VarianceScaling's.
    """

    _kind = specs.GlorotUniformSpec


@_register
class GlorotNormal(_FixedScaling, keras.initializers.GlorotNormal):  # type: ignore[misc]
    """Truncated normal with variance 2 / (fan_in + fan_out). Glorot and Bengio 2010.

    Arguments as VarianceScaling's.
    """

    _kind = specs.GlorotNormalSpec


@_register
class HeUniform(_FixedScaling, keras.initializers.HeUniform):  # type: ignore[misc]
    """Uniform with limit = sqrt(6 / fan_in). He et al. 2015. Arguments as VarianceScaling's."""

    _kind = specs.HeUniformSpec


@_register
class HeNormal(_FixedScaling, keras.initializers.HeNormal):  # type: ignore[misc]
    """Truncated normal with variance 2 / fan_in. He et al. 2015. Arguments as VarianceScaling's."""

    _kind = specs.HeNormalSpec


@_register
class LecunUniform(_FixedScaling, keras.initializers.LecunUniform):  # type: ignore[misc]
    """Uniform with limit = sqrt(3 / fan_in). LeCun et al. 1998. Arguments as VarianceScaling's."""

    _kind = specs.LecunUniformSpec


@_register
class LecunNormal(_FixedScaling, keras.initializers.LecunNormal):  # type: ignore[misc]
    """Truncated normal with variance 1 / fan_in. LeCun et al. 1998.

    Arguments as VarianceScaling's.
    """

    _kind = specs.LecunNormalSpec
