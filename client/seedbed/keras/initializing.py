"""A model's weights, filled while it is built: Keras's own code says with what."""

import sys
import threading
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, SupportsIndex

import keras
from keras.src.backend.common.stateless_scope import in_stateless_scope  # nothing public tells
from numpy.typing import NDArray

from seedbed.client import Client
from seedbed.defaults import client_or_default
from seedbed.keras.conversion import plain_of
from seedbed.keras.initializers.base import backend_tensor, standard_dtype
from seedbed.keras.names import is_data, numbered, path_of
from seedbed.keras.random_numbers import replaced, run
from seedbed.keras.rules import WeightRules, filling_of_rule, parse_rule
from seedbed.manifest import Manifest
from seedbed.rules import Filling, first_match, parse_rules, refuse, unmatched
from seedbed.spec.errors import InvalidArgumentError, bad_value
from seedbed.spec.initializers import OnesSpec, ZerosSpec
from seedbed.spec.seeds import as_draw, as_seed
from seedbed.spec.tensors import TensorSpec, as_name

# The hooks are attributes of Keras's classes, so that only one block can have them.
_hooks = threading.Lock()


class Recorded:
    """What a block has done so far."""

    def __init__(self) -> None:
        self._specs: list[TensorSpec] = []

    def add(self, spec: TensorSpec) -> None:
        """Add a tensor."""
        self._specs.append(spec)

    @property
    def manifest(self) -> Manifest:
        """The weights that are one tensor each: for ``digest_all``, or a file."""
        return Manifest(self._specs)

    @property
    def rules(self) -> dict[str, Filling]:
        """What filled each of them, by name, as rules that do it again."""
        return {spec.name: Filling(spec.initializer, spec.fan_axes) for spec in self._specs}


@contextmanager
def initializing(
    *,
    seed: SupportsIndex,
    rules: WeightRules | None = None,
    prefix: str = "",
    draw: int = 0,
    client: Client | None = None,
    local: bool = False,
    timeout_seconds: float | None = None,
) -> Iterator[Recorded]:
    """Fill every weight that is made in this block, each by its path, as its initializer says.

    What a layer hands to ``add_weight`` decides, whoever wrote the layer. An initializer of Keras's
    or seedbed's gives the tensor of the weight's path, with the axes that it was told. Any other
    callable is run, and the numbers that it takes from ``keras.random`` or from such initializers
    are seedbed's. Paths, and so the values, are those of :func:`seedbed.keras.initialize`; seeds
    that initializers carry do not matter here. Where two weights have one path, the second one is
    named ``layer#2/weight``.

    Each weight is filled when it is made: code that reads or changes it afterwards does what it
    always does, and a block that ends early leaves no weight without its values. What is built
    after the block is not filled, and so a model that is not built yet is an error: give a
    ``Sequential`` an ``Input``, and call a model that builds its layers when it is called.

    Args:
        seed: of every weight; -2**63 to 2**64 - 1.
        rules: patterns on paths and what fills the weights that match, as in
            :func:`seedbed.keras.initialize`. None leaves a weight to Keras.
        prefix: put before each path.
        draw: the n-th use of one seed.
        client: who samples; by default that of :func:`seedbed.get_default_client`.
        local: sample in this process, and compare with the server's digests.
        timeout_seconds: for each weight; None is no limit.

    Yields:
        What was done, for ``recorded.manifest`` and ``recorded.rules``: the weights that are one
        tensor each. Those that code computes, from several tensors or without chance, are not in
        them.

    Raises:
        InvalidTypeError: if an argument has the wrong type.
        InvalidValueError: if a value is not allowed; naming a weight whose initializer takes random
            numbers from elsewhere; if a model is not built, no weight made, or a rule matches none;
            or if another block is open.
        TransportError: if a server's answer does not come.
    """
    session = _Session(
        seed=as_seed(seed),
        draw=as_draw(draw),
        prefix=as_name(prefix, field="prefix"),
        rules=parse_rules("rules", rules, parse_rule),
        client=client_or_default(client),
        options={"local": local, "timeout_seconds": timeout_seconds},
    )
    with ExitStack() as stack:
        if not _hooks.acquire(blocking=False):
            raise bad_value("initializing", "used by one block at a time", "a second one")
        stack.callback(_hooks.release)
        stack.enter_context(replaced(keras.Variable, "__init__", _variable_hook(session)))
        stack.enter_context(replaced(keras.layers.Layer, "add_weight", _layer_hook(session)))
        stack.enter_context(replaced(keras.Model, "__new__", _model_hook(session, keras.Model)))
        if "tf_keras" in sys.modules:
            tf_keras = sys.modules["tf_keras"]
            hook = _tf_keras_hook(session, tf_keras)
            stack.enter_context(replaced(tf_keras.layers.Layer, "add_weight", hook))
            hook = _model_hook(session, tf_keras.Model)
            stack.enter_context(replaced(tf_keras.Model, "__new__", hook))
        yield session.recorded
    session.check()


@dataclass(slots=True)
class _Session:
    """What an open block knows."""

    seed: int
    draw: int
    prefix: str
    rules: list[tuple[str, Any]]
    client: Client
    options: dict[str, Any]
    layer: Any = None
    """The layer whose ``add_weight`` is running."""
    recorded: Recorded = field(default_factory=Recorded)
    names: list[str] = field(default_factory=list)
    """Of all weights so far."""
    models: list[weakref.ref[Any]] = field(default_factory=list)
    """Which must be built when the block ends: nobody sees their weights later."""
    _paths: Counter[str] = field(default_factory=Counter)
    _thread: int = field(default_factory=threading.get_ident)

    @property
    def is_here(self) -> bool:
        """Whether this is the block's own thread: others build models of their own."""
        return threading.get_ident() == self._thread

    def new_name(self, path: str) -> str:
        """Return the name of a new weight."""
        self._paths[path] += 1
        self.names.append(self.prefix + numbered(path, self._paths[path]))
        return self.names[-1]

    def spec(self, name: str, shape: Any, dtype: Any, filling: Filling) -> TensorSpec:
        """Return the tensor of a name."""
        return TensorSpec(name, shape, dtype, filling, self.seed, self.draw)

    def sample(self, spec: TensorSpec) -> NDArray[Any]:
        """Return a tensor's values."""
        array: NDArray[Any] = self.client.sample(spec, **self.options)
        return array

    def check(self) -> None:
        """Raise if a model has yet to be built, or a rule matched no weight."""
        models = [reference() for reference in self.models]
        unbuilt = [model.name for model in models if model is not None and not model.built]
        if unbuilt or not self.names:
            allowed = "a block that builds its models: give them an Input, or call them"
            raise bad_value("initializing", allowed, ", ".join(unbuilt) or "no weights")
        refuse(unmatched(self.rules, self.names, partial=bool(self.prefix)))


@dataclass(slots=True)
class _Weight:
    """A weight that is being made, and what its values are."""

    session: _Session
    name: str
    layer: Any
    initializer: Any
    tensor: Callable[[NDArray[Any], str], Any]
    """Makes a tensor of its framework of an array and a dtype's name."""

    def values(self, shape: Any, dtype: Any) -> Any:
        """Return what it is to hold.

        Raises:
            InvalidArgumentError: naming the weight, if its initializer is not allowed.
        """
        rule = first_match(self.session.rules, self.name)
        short = self.name.rpartition("/")[2]
        is_left = is_data(self.layer, short) if rule is None else rule[1] is None
        if is_left:
            return self.initializer(shape, dtype=dtype)
        try:
            if rule is not None:
                filling = filling_of_rule(rule[1], self.layer, len(shape))
                return self._sampled(self.session.spec(self.name, shape, dtype, filling))
            return self._own(shape, dtype)
        except InvalidArgumentError as error:
            raise error.within(self.name) from None

    def _own(self, shape: Any, dtype: Any) -> Any:
        try:
            found = plain_of(self.initializer)
        except InvalidArgumentError:
            return self._computed(shape, dtype)
        filling = Filling(found.spec, found.fan_axes_of(len(shape)))
        spec = self.session.spec(self.name, shape, dtype, filling)
        if isinstance(found.spec, (ZerosSpec, OnesSpec)):  # needs no fetch
            self.session.recorded.add(spec)
            return self.initializer(shape, dtype=dtype)
        return self._sampled(spec)

    def _sampled(self, spec: TensorSpec) -> Any:
        array = self.session.sample(spec)
        self.session.recorded.add(spec)
        return self.tensor(array, spec.dtype.value)

    def _computed(self, shape: Any, dtype: Any) -> Any:
        asked: dict[int, tuple[TensorSpec, NDArray[Any]]] = {}

        def sample(number: int, filling: Filling, shape: Any, dtype: str) -> NDArray[Any]:
            name = f"{self.name}[{number}]" if number else self.name
            spec = self.session.spec(name, shape, dtype, filling)
            if number not in asked or asked[number][0] != spec:
                asked[number] = spec, self.session.sample(spec)
            return asked[number][1]

        value, is_first = run(self.initializer, shape, dtype, sample)
        if is_first:
            self.session.recorded.add(asked[0][0])
        return value


class _Fill:
    """Stands for the initializer of a variable of Keras 3."""

    autograph_info__ = "run as it is"  # TensorFlow's AutoGraph looks for this name

    def __init__(self, session: _Session, initializer: Any, variable: Any) -> None:
        self._session = session
        self._initializer = initializer
        self._layer = session.layer
        self._variable = variable
        self._weight: _Weight | None = None

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        if in_stateless_scope():
            # Shapes are being inferred; Keras asks again for the values.
            return keras.ops.zeros(shape, dtype)
        if self._weight is None:  # the variable has its path by now
            name = self._session.new_name(path_of(self._variable))
            self._weight = _Weight(
                self._session, name, self._layer, self._initializer, backend_tensor
            )
        return self._weight.values(shape, standard_dtype(dtype))


def _variable_hook(session: _Session) -> Any:
    original = keras.Variable.__init__

    def __init__(variable: Any, initializer: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        if isinstance(initializer, str):
            initializer = keras.initializers.get(initializer)
        if session.is_here and callable(initializer) and _is_weight(session, initializer):
            initializer = _Fill(session, initializer, variable)
        original(variable, initializer, *args, **kwargs)

    return __init__


def _is_weight(session: _Session, initializer: Any) -> bool:
    """Whether a variable is a weight, and no state of a metric, an optimizer or a generator.

    These begin with zeros, ones or what Keras's own functions give. A layer may make a weight like
    that without ``add_weight``; it holds what it should without us, and is not recorded.
    """
    kinds = (keras.initializers.Zeros, keras.initializers.Ones)
    is_state = isinstance(initializer, kinds) or (
        not isinstance(initializer, keras.Initializer)
        and str(getattr(initializer, "__module__", "")).startswith("keras.src.")
    )
    return session.layer is not None or not is_state


def _layer_hook(session: _Session) -> Any:
    original = keras.layers.Layer.add_weight

    def add_weight(layer: Any, *args: Any, **kwargs: Any) -> Any:
        if not session.is_here:
            return original(layer, *args, **kwargs)
        session.layer = layer
        try:
            return original(layer, *args, **kwargs)
        finally:
            session.layer = None

    return add_weight


def _model_hook(session: _Session, cls: Any) -> Any:
    original = cls.__new__

    def __new__(cls: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N807
        model = original(cls, *args, **kwargs)
        if session.is_here:
            session.models.append(weakref.ref(model))
        return model

    return staticmethod(__new__)


def _tf_keras_hook(session: _Session, tf_keras: Any) -> Any:
    tensor = sys.modules["tensorflow"].constant
    original = tf_keras.layers.Layer.add_weight

    def add_weight(
        layer: Any,
        name: Any = None,
        shape: Any = None,
        dtype: Any = None,
        initializer: Any = None,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        if not session.is_here or isinstance(layer, tf_keras.metrics.Metric):
            return original(layer, name, shape, dtype, initializer, *args, **kwargs)
        # A variable has its full name only once it is made, so it is made with zeros.
        variable = original(layer, name, shape, dtype, "zeros", *args, **kwargs)
        if initializer is None:  # tf_keras's own defaults
            initializer = "glorot_uniform" if variable.dtype.is_floating else "zeros"
        own = tf_keras.initializers.get(initializer)
        weight = _Weight(session, session.new_name(path_of(variable)), layer, own, tensor)
        variable.assign(weight.values(tuple(variable.shape), variable.dtype))
        return variable

    return add_weight
