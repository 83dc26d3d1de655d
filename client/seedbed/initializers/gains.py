"""Initializers scaled by a gain and the fans, with PyTorch's names and formulas."""

from seedbed.initializers.base import Seed
from seedbed.initializers.fans import FanInitializer
from seedbed.initializers.parameters import Parameter
from seedbed.spec import initializers as specs
from seedbed.spec.fans import Axes
from seedbed.spec.gains import Nonlinearity, NonlinearityName, as_nonlinearity
from seedbed.spec.initializers import OneFanMode


class XavierUniform(FanInitializer):
    """Uniform with limit = sqrt(3) gain sqrt(2 / (fan_in + fan_out)). Glorot and Bengio 2010.

    PyTorch's formula. Floating dtypes. The same values on each call.

    Args:
        gain: multiplies every number, finite, 0 or more; see :func:`seedbed.calculate_gain`.
        seed: -2**63 to 2**64 - 1, a SeedGenerator, or None for 64 random bits.
        in_axis: the axes that are inputs, an integer or several; by default Keras's rule (see
            ``compute_fans``). A weight in PyTorch's layout has in_axis=1, out_axis=0.
        out_axis: the axes that are outputs, likewise.
        batch_axis: axes that count for neither, such as stacked experts.
    """

    gain = Parameter[float]()

    def __init__(
        self,
        gain: float = 1.0,
        seed: Seed = None,
        *,
        in_axis: Axes | None = None,
        out_axis: Axes | None = None,
        batch_axis: Axes = (),
    ) -> None:
        super().__init__(specs.XavierUniformSpec(gain), seed, in_axis, out_axis, batch_axis)


class XavierNormal(FanInitializer):
    """Normal, not truncated, with stddev = gain sqrt(2 / (fan_in + fan_out)).

    Glorot and Bengio 2010. PyTorch's formula. Floating dtypes. The same values on each call.

    Args:
        gain: multiplies every number, finite, 0 or more; see :func:`seedbed.calculate_gain`.
        seed: -2**63 to 2**64 - 1, a SeedGenerator, or None for 64 random bits.
        in_axis: the axes that are inputs, an integer or several; by default Keras's rule (see
            ``compute_fans``). A weight in PyTorch's layout has in_axis=1, out_axis=0.
        out_axis: the axes that are outputs, likewise.
        batch_axis: axes that count for neither, such as stacked experts.
    """

    gain = Parameter[float]()

    def __init__(
        self,
        gain: float = 1.0,
        seed: Seed = None,
        *,
        in_axis: Axes | None = None,
        out_axis: Axes | None = None,
        batch_axis: Axes = (),
    ) -> None:
        super().__init__(specs.XavierNormalSpec(gain), seed, in_axis, out_axis, batch_axis)


class KaimingUniform(FanInitializer):
    """Uniform with limit = sqrt(3) gain / sqrt(fan). He et al. 2015.

    PyTorch's formula; the gain is :func:`seedbed.calculate_gain` of ``nonlinearity`` and ``a``.
    Floating dtypes. The same values on each call.

    Args:
        a: the negative slope of ``leaky_relu``, finite, its square too; other nonlinearities do not
            use it.
        mode: which fan, ``fan_in`` or ``fan_out``.
        nonlinearity: what follows the layer: ``linear`` (or a convolution by PyTorch's name, such
            as ``conv2d``), ``sigmoid``, ``tanh``, ``relu``, ``leaky_relu`` or ``selu``.
        seed: -2**63 to 2**64 - 1, a SeedGenerator, or None for 64 random bits.
        in_axis: the axes that are inputs, an integer or several; by default Keras's rule (see
            ``compute_fans``). A weight in PyTorch's layout has in_axis=1, out_axis=0.
        out_axis: the axes that are outputs, likewise.
        batch_axis: axes that count for neither, such as stacked experts.
    """

    a = Parameter[float]()
    mode = Parameter[OneFanMode]()
    nonlinearity = Parameter[Nonlinearity]()

    def __init__(
        self,
        a: float = 0.0,
        mode: OneFanMode = "fan_in",
        nonlinearity: NonlinearityName = "leaky_relu",
        seed: Seed = None,
        *,
        in_axis: Axes | None = None,
        out_axis: Axes | None = None,
        batch_axis: Axes = (),
    ) -> None:
        super().__init__(
            specs.KaimingUniformSpec(a, mode, as_nonlinearity("nonlinearity", nonlinearity)),
            seed,
            in_axis,
            out_axis,
            batch_axis,
        )


class KaimingNormal(FanInitializer):
    """Normal, not truncated, with stddev = gain / sqrt(fan). He et al. 2015.

    PyTorch's formula; the gain is :func:`seedbed.calculate_gain` of ``nonlinearity`` and ``a``.
    Floating dtypes. The same values on each call.

    Args:
        a: the negative slope of ``leaky_relu``, finite, its square too; other nonlinearities do not
            use it.
        mode: which fan, ``fan_in`` or ``fan_out``.
        nonlinearity: what follows the layer: ``linear`` (or a convolution by PyTorch's name, such
            as ``conv2d``), ``sigmoid``, ``tanh``, ``relu``, ``leaky_relu`` or ``selu``.
        seed: -2**63 to 2**64 - 1, a SeedGenerator, or None for 64 random bits.
        in_axis: the axes that are inputs, an integer or several; by default Keras's rule (see
            ``compute_fans``). A weight in PyTorch's layout has in_axis=1, out_axis=0.
        out_axis: the axes that are outputs, likewise.
        batch_axis: axes that count for neither, such as stacked experts.
    """

    a = Parameter[float]()
    mode = Parameter[OneFanMode]()
    nonlinearity = Parameter[Nonlinearity]()

    def __init__(
        self,
        a: float = 0.0,
        mode: OneFanMode = "fan_in",
        nonlinearity: NonlinearityName = "leaky_relu",
        seed: Seed = None,
        *,
        in_axis: Axes | None = None,
        out_axis: Axes | None = None,
        batch_axis: Axes = (),
    ) -> None:
        super().__init__(
            specs.KaimingNormalSpec(a, mode, as_nonlinearity("nonlinearity", nonlinearity)),
            seed,
            in_axis,
            out_axis,
            batch_axis,
        )
