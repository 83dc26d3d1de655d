"""The Keras-style initializers: each a name, a seed and parameters, whose tensors are sampled by a client.

Names, parameters, defaults and the meaning of a seed are those of the Keras 2 page "Layer weight initializers"
and of the TensorFlow pages of its classes. Distributions and formulas are those of :mod:`seedbed.wire.initializers`.
"""

import copy
import threading
from typing import Any, ClassVar, Self, SupportsIndex

from numpy.typing import NDArray

from seedbed.client import Client, SliceLike
from seedbed.defaults import get_default_client
from seedbed.seeds import SeedGenerator, random_seed
from seedbed.wire import initializers as wire
from seedbed.wire.errors import bad_type
from seedbed.wire.fans import Axes, FanAxes
from seedbed.wire.initializers import Distribution, FanMode, InitializerSpec
from seedbed.wire.numbers import as_int
from seedbed.wire.seeds import as_draw, as_seed
from seedbed.wire.specs import TensorSpec

DEFAULT_DTYPE = "float32"

Seed = SupportsIndex | SeedGenerator | None


class Initializer:
    """Fills tensors; the base of all. Two are equal if class and configuration are.

    A call returns an array, sampled by ``client`` (by default the one of :func:`seedbed.set_default_client`,
    of ``$SEEDBED_TARGET``, or the embedded engine). The content depends on seed, name, draw, parameters, shape and
    dtype only: never on the client, nor, where a name is given, on the order of calls.

    Without a name, successive calls follow Keras's documentation, class by class: RandomNormal, RandomUniform,
    TruncatedNormal, VarianceScaling and Orthogonal give the same values each time; Glorot*, He* and Lecun* go on to
    the next draw, so that initializers of equal seed give equal sequences. A :class:`SeedGenerator` as the seed gives
    a sequence for every class.
    """

    _repeats: ClassVar[bool] = True
    """Whether calls without a name give the same values each time."""

    def __init__(self, spec: InitializerSpec, seed: Seed = None, fan_axes: FanAxes | None = None) -> None:
        self._spec = spec
        self._fan_axes = fan_axes
        if not isinstance(seed, SeedGenerator):
            if seed is None:
                seed = random_seed() if spec.random else None
            else:
                seed = as_int("seed", seed)
                as_seed(seed)
        self._seed: int | SeedGenerator | None = seed
        self._draw = 0
        self._lock = threading.Lock()

    @property
    def spec(self) -> InitializerSpec:
        """What fills the tensors, without the seed."""
        return self._spec

    @property
    def seed(self) -> int | SeedGenerator | None:
        """The seed, as it was given or drawn at construction; None where nothing is random."""
        return self._seed

    @property
    def seed_bits(self) -> int:
        """The seed's 64 bits, 0 to 2**64 - 1."""
        seed = self._seed.seed if isinstance(self._seed, SeedGenerator) else self._seed
        return as_seed(0 if seed is None else seed)

    @property
    def fan_axes(self) -> FanAxes | None:
        """The axes that count for the fans; None is Keras's rule."""
        return self._fan_axes

    def __call__(
        self,
        shape: Any,
        dtype: Any = None,
        *,
        name: str = "",
        draw: int | None = None,
        slice: SliceLike = None,
        out: NDArray[Any] | None = None,
        client: Client | None = None,
    ) -> NDArray[Any]:
        """Return a tensor.

        Args:
            shape: the lengths of all axes; an integer is a vector's.
            dtype: of the elements, by default float32; a name, a numpy dtype, or another framework's. Random
                initializers take floating dtypes only.
            name: part of the content; with one, calls are independent of each other.
            draw: pins the n-th draw, whatever calls came before.
            slice: the part wanted: a TensorSlice or ``shard(...)``.
            out: an array to fill and return.
            client: who samples.

        Raises:
            InvalidTypeError: if an argument has the wrong type.
            InvalidValueError: if a value is not allowed.
            TransportError: if a server's answer does not come.
        """
        if client is not None and not isinstance(client, Client):
            raise bad_type("client", "a Client or None", client)
        spec = TensorSpec(
            name=name,
            shape=shape,
            dtype=DEFAULT_DTYPE if dtype is None else dtype,
            initializer=self,
            draw=draw if draw is not None else 0,
        )
        if draw is None and not name:
            object.__setattr__(spec, "draw", as_draw(self._next_draw()))
        return (client or get_default_client()).sample(spec, slice=slice, out=out)

    # Locks can be neither copied nor pickled; a copy has its own.
    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=threading.Lock())

    def _next_draw(self) -> int:
        if isinstance(self._seed, SeedGenerator):
            return self._seed.next_draw()
        if self._repeats:
            return 0
        with self._lock:
            draw = self._draw
            self._draw += 1
            return draw

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, fit for JSON; complete: ``from_config`` gives an equal initializer."""
        config = {field.name: getattr(self._spec, field.name) for field in wire.parameters(type(self._spec))}
        if self._spec.random:
            seed = self._seed
            config["seed"] = (
                {"class_name": "SeedGenerator", "config": seed.get_config()}
                if isinstance(seed, SeedGenerator)
                else seed
            )
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Return the initializer of a configuration, which is not changed; a ``dtype`` in it means nothing.

        Raises:
            InvalidTypeError: if the configuration is no dictionary, or has an argument that does not exist.
        """
        if not isinstance(config, dict):
            raise bad_type("config", "a dictionary", config)
        arguments = copy.deepcopy(config)
        arguments.pop("dtype", None)  # as tf_keras does: configurations of TensorFlow 1 have one
        seed = arguments.get("seed")
        if isinstance(seed, dict):
            arguments["seed"] = SeedGenerator.from_config(seed.get("config", seed))
        try:
            return cls(**arguments)
        except TypeError as error:
            if "argument" in str(error) and not hasattr(error, "field"):
                raise bad_type("config", f"the arguments of {cls.__name__}", config) from None
            raise

    def clone(self) -> Self:
        """Return an equal initializer that has not been called yet."""
        return type(self).from_config(self.get_config())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Initializer) and type(self) is type(other) and self.get_config() == other.get_config()

    def __hash__(self) -> int:
        return hash((type(self), self._spec, self._fan_axes, self.seed_bits))

    def __repr__(self) -> str:
        arguments = ", ".join(f"{key}={value!r}" for key, value in self.get_config().items())
        return f"{type(self).__name__}({arguments})"


class Zeros(Initializer):
    """All elements 0. Every dtype."""

    def __init__(self) -> None:
        super().__init__(wire.ZerosSpec())


class Ones(Initializer):
    """All elements 1. Every dtype."""

    def __init__(self) -> None:
        super().__init__(wire.OnesSpec())


class Constant(Initializer):
    """All elements the same number.

    Args:
        value: finite. A floating dtype takes it rounded once, to nearest even; an integer dtype or bool must hold it
            exactly, else the call is an InvalidValueError.
    """

    def __init__(self, value: float = 0) -> None:
        super().__init__(wire.ConstantSpec(value))


class RandomUniform(Initializer):
    """Uniform numbers on [minval, maxval). Floating dtypes. The same values on each call.

    Args:
        minval: the lower end, included, finite.
        maxval: the upper end, excluded, finite, at least ``minval``.
        seed: -2**63 to 2**64 - 1, a SeedGenerator, or None for 64 random bits.
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Seed = None) -> None:
        super().__init__(wire.RandomUniformSpec(minval, maxval), seed)


class RandomNormal(Initializer):
    """Normal numbers on the whole line. Floating dtypes. The same values on each call.

    Args:
        mean: finite.
        stddev: finite, 0 or more.
        seed: -2**63 to 2**64 - 1, a SeedGenerator, or None for 64 random bits.
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Seed = None) -> None:
        super().__init__(wire.RandomNormalSpec(mean, stddev), seed)


class TruncatedNormal(Initializer):
    """Normal numbers, conditioned on lying within bounds. Floating dtypes. The same values on each call.

    Args:
        mean: before truncation, finite.
        stddev: before truncation, finite, 0 or more.
        seed: -2**63 to 2**64 - 1, a SeedGenerator, or None for 64 random bits.
        lower: the lower bound in standard deviations from the mean, at most 4; may be ``-inf``.
        upper: the upper bound in standard deviations from the mean, at least -4; may be ``inf``.
    """

    def __init__(
        self, mean: float = 0.0, stddev: float = 0.05, seed: Seed = None, *, lower: float = -2.0, upper: float = 2.0
    ) -> None:
        super().__init__(wire.TruncatedNormalSpec(mean, stddev, lower, upper), seed)


class VarianceScaling(Initializer):
    """Numbers with mean 0 and variance scale / n, n = max(1, fan). Floating dtypes. The same values on each call.

    ``uniform`` is on [-limit, limit) with limit = sqrt(3 scale / n); ``truncated_normal`` (also called ``normal``, as
    in Keras) is cut at two standard deviations and widened by 1 / 0.87962566103423978 so that the variance is right;
    ``untruncated_normal`` has stddev = sqrt(scale / n).

    Args:
        scale: finite and positive.
        mode: ``fan_in``, ``fan_out`` or ``fan_avg``.
        distribution: ``truncated_normal``, ``untruncated_normal`` or ``uniform``.
        seed: -2**63 to 2**64 - 1, a SeedGenerator, or None for 64 random bits.
        in_axis: the axes that are inputs, an integer or several; by default Keras's rule (see ``compute_fans``).
        out_axis: the axes that are outputs, likewise.
        batch_axis: axes that count for neither, such as stacked experts.
    """

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
    ) -> None:
        axes = None
        if in_axis is not None or out_axis is not None or batch_axis != ():
            axes = FanAxes(-2 if in_axis is None else in_axis, -1 if out_axis is None else out_axis, batch_axis)
        super().__init__(wire.VarianceScalingSpec(scale, mode, distribution), seed, axes)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments; the axes only where they are not Keras's."""
        config = super().get_config()
        if self._fan_axes is not None:
            for name in ("in_axis", "out_axis", "batch_axis"):
                config[name] = list(getattr(self._fan_axes, name))
        return config


class _FixedScaling(Initializer):
    """A variance scaling whose parameters are part of its name; successive calls give successive draws."""

    _repeats: ClassVar[bool] = False
    _kind: ClassVar[type[wire.FixedScalingSpec]]

    def __init__(self, seed: Seed = None) -> None:
        super().__init__(self._kind(), seed)


class GlorotUniform(_FixedScaling):
    """Uniform with limit = sqrt(6 / (fan_in + fan_out)). Glorot and Bengio 2010. Floating dtypes.

    Args:
        seed: -2**63 to 2**64 - 1, a SeedGenerator, or None for 64 random bits.
    """

    _kind = wire.GlorotUniformSpec


class GlorotNormal(_FixedScaling):
    """Truncated normal with variance 2 / (fan_in + fan_out). Glorot and Bengio 2010. Floating dtypes.

    Args:
        seed: -2**63 to 2**64 - 1, a SeedGenerator, or None for 64 random bits.
    """

    _kind = wire.GlorotNormalSpec


class HeUniform(_FixedScaling):
    """Uniform with limit = sqrt(6 / fan_in). He et al. 2015. Floating dtypes.

    Args:
        seed: -2**63 to 2**64 - 1, a SeedGenerator, or None for 64 random bits.
    """

    _kind = wire.HeUniformSpec


class HeNormal(_FixedScaling):
    """Truncated normal with variance 2 / fan_in. He et al. 2015. Floating dtypes.

    Args:
        seed: -2**63 to 2**64 - 1, a SeedGenerator, or None for 64 random bits.
    """

    _kind = wire.HeNormalSpec


class LecunUniform(_FixedScaling):
    """Uniform with limit = sqrt(3 / fan_in). LeCun et al. 1998. Floating dtypes.

    Args:
        seed: -2**63 to 2**64 - 1, a SeedGenerator, or None for 64 random bits.
    """

    _kind = wire.LecunUniformSpec


class LecunNormal(_FixedScaling):
    """Truncated normal with variance 1 / fan_in. LeCun et al. 1998. Floating dtypes.

    Args:
        seed: -2**63 to 2**64 - 1, a SeedGenerator, or None for 64 random bits.
    """

    _kind = wire.LecunNormalSpec


class Identity(Initializer):
    """The identity matrix times a gain; rank 2, rectangular allowed. Every dtype that can hold the gain.

    Args:
        gain: what the diagonal holds, finite.
    """

    def __init__(self, gain: float = 1.0) -> None:
        super().__init__(wire.IdentitySpec(gain))


class Orthogonal(Initializer):
    """A random matrix with orthonormal columns (rows, where there are fewer). Saxe et al. 2014.

    Floating dtypes; rank 2 or more: all axes but the last are the rows. The same values on each call.

    Args:
        gain: multiplies every element, finite.
        seed: -2**63 to 2**64 - 1, a SeedGenerator, or None for 64 random bits.
    """

    def __init__(self, gain: float = 1.0, seed: Seed = None) -> None:
        super().__init__(wire.OrthogonalSpec(gain), seed)


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
identity = Identity
orthogonal = Orthogonal
