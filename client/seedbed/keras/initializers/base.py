"""What the initializers for Keras 3 share: Keras's interface to a spec and a seed."""

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import keras
import numpy as np
from numpy.typing import NDArray

from seedbed.defaults import get_default_client
from seedbed.keras.seeds import Seed, checked_seed, drawn_seed, next_draw, serialized_seed
from seedbed.spec.errors import bad_type, bad_value
from seedbed.spec.fans import FanAxes
from seedbed.spec.initializers import InitializerSpec, parameters
from seedbed.spec.tensors import TensorSpec


class Initializer(keras.Initializer):  # type: ignore[misc]  # Keras has no annotations
    """Fills tensors of the backend; the base of all, and of a user's own.

    A subclass needs a ``__call__(self, shape, dtype=None)``, as one of ``keras.Initializer`` does.
    """


class SpecInitializer(Initializer):
    """Fills tensors as an :class:`seedbed.InitializerSpec` says.

    A call samples on the host, by the client of :func:`seedbed.set_default_client` (else that of
    ``$SEEDBED_TARGET``, else the embedded engine), and hands the values to the backend. They are
    those of the default namespace's class at the same seed and draw:
    ``seedbed.keras.HeNormal(seed=1)(shape)`` has the bits of ``seedbed.HeNormal(seed=1)(shape,
    draw=0)``, whatever the backend.

    Seeds are Keras 3's: an integer gives the same values on each call, and so does None, which
    draws 64 random bits at construction and is None in the configuration, so that a clone draws its
    own. A generator, Keras's or seedbed's, gives a sequence, and keeps its position through
    serialization.
    """

    autograph_info__: ClassVar[str] = "run as it is"
    """TensorFlow's AutoGraph looks for this name, and does not translate a call's Python then."""
    _kind: ClassVar[type[InitializerSpec]]

    def __init__(self, seed: Seed = None, **arguments: Any) -> None:
        for name, value in arguments.items():
            setattr(self, name, value)
        for name, value in dataclasses.asdict(self.spec).items():
            if name in arguments:
                setattr(self, name, value)
        self._arguments = tuple(arguments)
        self._given_seed = checked_seed(seed)
        self.seed = (
            drawn_seed() if self._given_seed is None and self._kind.random else self._given_seed
        )

    @property
    def spec(self) -> InitializerSpec:
        """What fills the tensors, without the seed."""
        names = (each.name for each in parameters(self._kind))
        return self._kind(**{name: getattr(self, name) for name in names if name in self.__dict__})

    def fan_axes_of(self, rank: int) -> FanAxes | None:
        """Return the axes that count for the fans of a tensor of a rank; None is Keras's rule."""
        del rank
        return None

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        """Return a tensor of the backend.

        Args:
            shape: the lengths of all axes.
            dtype: of the elements; None is ``keras.config.floatx()``. Random numbers come in
                floating dtypes only.

        Raises:
            InvalidTypeError: if an argument has the wrong type.
            InvalidValueError: if a value is not allowed.
            TransportError: if a server's answer does not come.
        """
        standard = standard_dtype(dtype)
        spec = TensorSpec("", shape, standard, self.spec, seed=0)
        axes = self.fan_axes_of(len(spec.shape))
        if axes is not None:
            spec = dataclasses.replace(spec, fan_axes=axes)
        if self._kind.random:
            seed, draw = next_draw(self.seed)
            spec = dataclasses.replace(spec, seed=seed, draw=draw)
        return backend_tensor(get_default_client().sample(spec), standard)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, fit for JSON, and for Keras's own class."""
        config = {name: getattr(self, name) for name in self._arguments}
        return (
            {**config, "seed": serialized_seed(self._given_seed)} if self._kind.random else config
        )

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Return the initializer of a configuration, which is not changed.

        It may be this class's, or that of Keras's own.

        Raises:
            InvalidTypeError: if the configuration is no dictionary, or has an argument that does
                not exist.
        """
        if not isinstance(config, Mapping):
            raise bad_type("config", "a dictionary", config)
        try:
            return cls(**config)
        except TypeError as error:
            if "argument" in str(error) and not hasattr(error, "field"):
                raise bad_type("config", f"the arguments of {cls.__name__}", config) from None
            raise

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.get_config().items())
        return f"<seedbed.keras.{type(self).__name__}({arguments})>"


def standard_dtype(dtype: Any) -> str:
    """Return the name of a dtype; None is ``keras.config.floatx()``."""
    try:
        name: str = keras.utils.standardize_dtype(dtype)
    except ValueError:
        raise bad_value(
            "dtype", "one of Keras's, by its name or the backend's object", dtype
        ) from None
    return name


def backend_tensor(array: NDArray[Any], dtype: str) -> Any:
    """Return the backend's tensor with the values of an array."""
    if dtype.startswith("float8"):
        # PyTorch takes no array of these types; float32 holds their values exactly.
        return keras.ops.cast(keras.ops.convert_to_tensor(array.astype(np.float32)), dtype)
    return keras.ops.convert_to_tensor(array, dtype=dtype)
