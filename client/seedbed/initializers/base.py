"""The base of the SDK's initializers: a spec and a seed.

An initializer can be called, configured, compared and copied.
"""

import copy
import threading
import warnings
from typing import Any, ClassVar, Self, SupportsIndex

from numpy.typing import NDArray

from seedbed.client import Client, SliceLike
from seedbed.defaults import check_client, client_or_default
from seedbed.initializers.partitions import partition_of
from seedbed.initializers.seeds import SeedGenerator, random_seed
from seedbed.spec.errors import bad_type, bad_value
from seedbed.spec.fans import FanAxes
from seedbed.spec.initializers import InitializerSpec, parameters
from seedbed.spec.named_arguments import NamedArguments, wrong_argument
from seedbed.spec.numbers import as_int
from seedbed.spec.seeds import as_seed
from seedbed.spec.tensors import TensorSpec

DEFAULT_DTYPE = "float32"

Seed = SupportsIndex | SeedGenerator | None


class Initializer(metaclass=NamedArguments):
    """Fills tensors; the base of all. Two are equal if class, configuration and seed are.

    A call returns an array, sampled by ``client`` (by default the one of
    :func:`seedbed.set_default_client`, of ``$SEEDBED_TARGET``, or the embedded engine). The content
    depends on seed, name, draw, parameters, shape and
    dtype only: never on the client, nor, where a name is given, on the order of calls.

    Without a name, successive calls follow Keras's documentation, class by class: RandomNormal,
    RandomUniform, TruncatedNormal, VarianceScaling and Orthogonal give the same values each time,
    and so do the classes that the documentation does not have; Glorot*, He* and Lecun* go on to the
    next draw, so that initializers of equal seed give equal sequences. A :class:`SeedGenerator` as
    the seed gives a sequence for every class.

    Without a seed, 64 random bits are drawn at construction. They are the object's own: copies and
    pickles keep them, but the configuration has the seed None, so that each initializer made of it
    draws its own, as Keras's layers expect that clone one initializer for several weights. A
    TensorSpec and a manifest do not take them, either: those need a seed that all processes know.
    They come from the operating system, so no global seed (``keras.utils.set_random_seed``,
    ``tf.random.set_seed``, ``random.seed``) repeats them: give a seed.
    """

    module: ClassVar[str | None] = None
    """Where :func:`seedbed.deserialize` finds the class; None is the default namespace."""
    _repeats: ClassVar[bool] = True
    """Whether calls without a name give the same values each time."""
    _meaningless: ClassVar[tuple[str, ...]] = ("dtype",)
    """Keys that a configuration may have besides.

    tf_keras lets them pass, too: configurations of TensorFlow 1 have a dtype.
    """

    autograph_info__: ClassVar[str] = "run as it is"
    """TensorFlow's AutoGraph looks for this name, and does not translate a call's Python then."""

    def __init__(
        self, spec: InitializerSpec, seed: Seed = None, fan_axes: FanAxes | None = None
    ) -> None:
        self._spec = spec
        self._fan_axes = fan_axes
        if seed is not None and not isinstance(seed, SeedGenerator):
            seed = as_int("seed", seed)
            as_seed(seed)
        self._given_seed: int | SeedGenerator | None = seed
        self._seed = random_seed() if seed is None and spec.random else seed
        self._draw = 0
        self._was_called = False
        self._lock = threading.Lock()

    @property
    def spec(self) -> InitializerSpec:
        """What fills the tensors, without the seed."""
        return self._spec

    @property
    def seed(self) -> int | SeedGenerator:
        """The seed, as it was given or drawn at construction.

        Raises:
            AttributeError: if nothing is random: Keras's constants have no seed, either, and its
                layers ask with ``hasattr``.
        """
        if self._seed is None:
            raise AttributeError(f"{type(self).__name__} has no seed: nothing in it is random")
        return self._seed

    @property
    def seed_bits(self) -> int | None:
        """The given seed's 64 bits, 0 to 2**64 - 1; None if none was given.

        It is what a TensorSpec or a manifest takes. Bits that were drawn are other ones in each
        process, and so would be the model.
        """
        seed = self._given_seed
        if isinstance(seed, SeedGenerator):
            return None if seed.was_drawn else as_seed(seed.seed)
        return None if seed is None else as_seed(seed)

    @property
    def fan_axes(self) -> FanAxes | None:
        """The axes that count for the fans; None is Keras's rule."""
        return self._fan_axes

    def fan_axes_of(self, rank: int) -> FanAxes | None:
        """Return the axes that count for the fans of a tensor of a rank; None is Keras's rule."""
        del rank
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
        partition_shape: Any = None,
        partition_offset: Any = None,
    ) -> NDArray[Any]:
        """Return a tensor.

        Args:
            shape: the lengths of all axes; an integer is a vector's.
            dtype: of the elements, by default float32; a name, a numpy dtype, or another
                framework's. Random initializers take floating dtypes only.
            name: part of the content; with one, calls are independent of each other.
            draw: pins the n-th draw, whatever calls came before.
            slice: the part wanted: a TensorSlice, ``shard(...)``, or slices as numpy writes them;
                see :meth:`seedbed.Client.sample`.
            out: an array to fill and return.
            client: who samples.
            partition_shape: TensorFlow's words for the part wanted: its lengths, ...
            partition_offset: ... and where it begins on each axis of ``shape``, which is the whole
                tensor's. Both go together. A call for a partition takes the draw that the next call
                would take and leaves it there, so that all parts belong to one tensor.

        Raises:
            InvalidTypeError: if an argument has the wrong type.
            InvalidValueError: if a value is not allowed.
            TransportError: if a server's answer does not come.
        """
        check_client(client)
        partition = partition_of(shape, partition_shape, partition_offset)
        if partition is not None and slice is not None:
            raise bad_value("slice", "None where a partition is given", slice)
        dtype = DEFAULT_DTYPE if dtype is None else dtype
        spec = self._tensor_spec(name, shape, dtype, 0 if draw is None else draw)
        if draw is None and not name:
            # Only now: a call whose arguments are wrong takes no draw.
            draw = self._next_draw() if partition is None else self._current_draw()
            spec = self._tensor_spec(name, shape, dtype, draw)
        return client_or_default(client).sample(spec, slice=partition or slice, out=out)

    def _tensor_spec(self, name: str, shape: Any, dtype: Any, draw: int) -> TensorSpec:
        return TensorSpec(name, shape, dtype, self, self._seed_of_calls, draw)

    @property
    def _seed_of_calls(self) -> int | None:
        """The seed that calls take, given or drawn; None where nothing is random."""
        return self._seed.seed if isinstance(self._seed, SeedGenerator) else self._seed

    # Locks can be neither copied nor pickled; a copy has its own.
    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=threading.Lock())

    def _current_draw(self) -> int:
        return self._seed.position if isinstance(self._seed, SeedGenerator) else self._draw

    def _next_draw(self) -> int:
        if isinstance(self._seed, SeedGenerator):
            return self._seed.next_draw()
        if self._repeats:
            self._warn_of_repetition()
            return 0
        with self._lock:
            draw = self._draw
            self._draw += 1
            return draw

    def _warn_of_repetition(self) -> None:
        # tf_keras says the same: nobody who gave no seed expects two equal tensors.
        if self._was_called and self._spec.random and self._given_seed is None:
            warnings.warn(
                f"The initializer {type(self).__name__} is unseeded and being called multiple "
                "times, which returns identical values each time: give it a seed, give the "
                "tensors names, or use an initializer for each.",
                stacklevel=4,  # the caller of __call__
            )
        self._was_called = True

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, all of them and fit for JSON.

        ``from_config`` makes an initializer of them that is equal if this one was given a seed.
        """
        config = {
            field.name: getattr(self._spec, field.name) for field in parameters(type(self._spec))
        }
        if self._spec.random:
            seed = self._given_seed
            config["seed"] = (
                {"class_name": "SeedGenerator", "config": seed.get_config()}
                if isinstance(seed, SeedGenerator)
                else seed
            )
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Return the initializer of a configuration, which is not changed.

        A ``dtype`` in it means nothing.

        Raises:
            InvalidTypeError: if the configuration is no dictionary, or has an argument that does
                not exist.
        """
        if not isinstance(config, dict):
            raise bad_type("config", "a dictionary", config)
        arguments = copy.deepcopy(config)
        for name in cls._meaningless:
            arguments.pop(name, None)
        seed = arguments.get("seed")
        if isinstance(seed, dict):
            arguments["seed"] = SeedGenerator.from_config(seed.get("config", seed))
        wrong = wrong_argument(cls.__name__, cls.__signature__, (), arguments)
        if wrong is not None:
            raise wrong.within("config")
        return cls(**arguments)

    def clone(self) -> Self:
        """Return an initializer of the same configuration; without a seed, it draws its own."""
        return type(self).from_config(self.get_config())

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Initializer)
            and type(self) is type(other)
            and self.get_config() == other.get_config()
            and self._seed == other._seed
        )

    def __hash__(self) -> int:
        return hash((type(self), self._spec, self._fan_axes, self._seed))

    def __repr__(self) -> str:
        arguments = ", ".join(f"{key}={value!r}" for key, value in self.get_config().items())
        return f"{type(self).__name__}({arguments})"
