"""The counterparts here of initializers of Keras 3, tf_keras and the default namespace."""

import inspect
from collections.abc import Mapping
from typing import Any, cast

import keras

from seedbed import initializers as plain
from seedbed.keras.initializers import Initializer, constants, distributions, scaling
from seedbed.keras.initializers.base import SpecInitializer
from seedbed.spec.errors import bad_value

_CLASSES: dict[str, type[SpecInitializer]] = {
    cls.__name__: cls
    for cls in (
        constants.STFT,
        constants.Constant,
        constants.Identity,
        constants.Ones,
        constants.Zeros,
        distributions.Orthogonal,
        distributions.RandomNormal,
        distributions.RandomUniform,
        distributions.TruncatedNormal,
        scaling.GlorotNormal,
        scaling.GlorotUniform,
        scaling.HeNormal,
        scaling.HeUniform,
        scaling.LecunNormal,
        scaling.LecunUniform,
        scaling.VarianceScaling,
    )
}


def convert(initializer: Any) -> Initializer:
    """Return the counterpart of an initializer, with its arguments and seed.

    Args:
        initializer: of one of Keras's own classes, or the default namespace's of the same names (a
            subclass may do anything, and has no counterpart), or one of seedbed's for Keras, which
            is returned as it is. The default namespace's shares its generator of seeds, where it
            has one, with the counterpart.

    Raises:
        InvalidValueError: if there is no counterpart, or Keras has no such arguments.
    """
    if isinstance(initializer, Initializer):
        return initializer
    return _counterpart(initializer)


def _counterpart(initializer: Any) -> SpecInitializer:
    cls = _CLASSES.get(type(initializer).__name__)
    is_plain = cls is not None and type(initializer) is getattr(plain, cls.__name__)
    if cls is None or not (is_plain or is_keras_own(type(initializer))):
        allowed = "an initializer of Keras's or seedbed's own (" + ", ".join(sorted(_CLASSES)) + ")"
        raise bad_value("initializer", allowed, initializer)
    if is_plain:
        return _of_plain(cls, initializer)
    config = initializer.get_config()
    if cls is constants.Identity:
        config = {"gain": initializer.gain}  # Keras 3's configuration of Identity has none
    return cls.from_config(config)


def _of_plain(cls: type[SpecInitializer], initializer: plain.Initializer) -> SpecInitializer:
    config = initializer.get_config()
    unknown = [name for name in config if name not in inspect.signature(cls).parameters]
    if unknown:
        raise bad_value(
            "initializer",
            "one without what Keras does not know: " + ", ".join(unknown),
            initializer,
        )
    if isinstance(config.get("seed"), Mapping):
        # Two initializers that share a generator give different tensors, and so must their
        # counterparts.
        config["seed"] = initializer.seed
    converted = cls.from_config(config)
    if config.get("seed", 0) is None:
        converted.seed = initializer.seed  # the bits that were drawn, which no configuration has
    return converted


def plain_of(initializer: Any) -> plain.Initializer | SpecInitializer:
    """Return an initializer of seedbed, either kind, as it is, and the counterpart of any other.

    Raises:
        InvalidValueError: if there is none, as for a subclass with a ``__call__`` of its own.
    """
    is_ours = isinstance(initializer, (plain.Initializer, SpecInitializer))
    if is_ours and type(initializer).__call__.__module__.startswith("seedbed."):
        return cast("plain.Initializer | SpecInitializer", initializer)
    return _counterpart(initializer)


def is_keras_own(cls: type[Any]) -> bool:
    """Whether a class is an initializer of Keras 3's or tf_keras's own."""
    if cls is getattr(keras.initializers, cls.__name__, None):
        return True
    # tf_keras's classes; the package need not be installed.
    return cls.__module__.startswith("tf_keras.") and cls.__module__.endswith(
        "initializers.initializers"
    )
