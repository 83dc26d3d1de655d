"""Keras 3's initializers that are not random: constants, the identity, Fourier transforms."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import keras

from seedbed.keras.initializers.base import SpecInitializer
from seedbed.spec import initializers as specs
from seedbed.spec.initializers import InitializerSpec, Scaling, Side, Window

_register = keras.saving.register_keras_serializable(package="seedbed")


@_register
class Zeros(SpecInitializer, keras.initializers.Zeros):  # type: ignore[misc]
    """All elements 0. Every dtype."""

    _kind: ClassVar[type[InitializerSpec]] = specs.ZerosSpec

    def __init__(self) -> None:
        super().__init__()


@_register
class Ones(SpecInitializer, keras.initializers.Ones):  # type: ignore[misc]
    """All elements 1. Every dtype."""

    _kind: ClassVar[type[InitializerSpec]] = specs.OnesSpec

    def __init__(self) -> None:
        super().__init__()


@_register
class Constant(SpecInitializer, keras.initializers.Constant):  # type: ignore[misc]
    """All elements the same number, rounded once to a floating dtype.

    Args:
        value: finite; an integer dtype or bool must hold it exactly, else the call is an
            InvalidValueError.
    """

    _kind: ClassVar[type[InitializerSpec]] = specs.ConstantSpec

    def __init__(self, value: float = 0.0) -> None:
        super().__init__(value=value)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Return the initializer of a configuration, whose value Keras may write as an array."""
        # The base refuses what is no dictionary.
        value = config.get("value") if hasattr(config, "get") else None
        if isinstance(value, Mapping):
            config = {**config, "value": keras.saving.deserialize_keras_object(dict(value))}
        return super().from_config(config)


@_register
class Identity(SpecInitializer, keras.initializers.Identity):  # type: ignore[misc]
    """The identity matrix times a gain. Every dtype that can hold the gain.

    Args:
        gain: what the diagonal holds, finite.
    """

    _kind: ClassVar[type[InitializerSpec]] = specs.IdentitySpec

    def __init__(self, gain: float = 1.0) -> None:
        super().__init__(gain=gain)


@_register
class STFT(SpecInitializer, keras.initializers.STFT):  # type: ignore[misc]
    """A windowed Fourier transform, its real or imaginary part, as a convolution's kernel.

    Floating dtypes.

    Args:
        side: ``real`` or ``imag``.
        window: the name of a window, one of those of :class:`seedbed.STFT`, or None; arrays, which
            Keras takes, are an InvalidTypeError.
        scaling: ``density``, ``spectrum`` or None.
        periodic: whether the window is one period of a periodic one, rather than symmetric.
    """

    _kind: ClassVar[type[InitializerSpec]] = specs.STFTSpec

    def __init__(
        self,
        side: Side = "real",
        window: Window | None = "hann",
        scaling: Scaling | None = "density",
        periodic: bool = False,
    ) -> None:
        super().__init__(side=side, window=window, scaling=scaling, periodic=periodic)
