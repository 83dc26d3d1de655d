"""Which initializer of seedbed stands for one of Keras 3 or tf_keras."""

from typing import Any

import keras

from seedbed import initializers as plain
from seedbed.keras import constants, distributions, scaling
from seedbed.keras.base import Initializer
from seedbed.wire.errors import bad_value

_CLASSES: dict[str, type[Initializer]] = {
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
    """Return seedbed's initializer for one of Keras 3 or tf_keras, with its arguments and seed.

    Args:
        initializer: of one of Keras's own classes (a subclass may do anything, and has no counterpart), or one of
            seedbed's for Keras, which is returned as it is.

    Raises:
        InvalidValueError: if there is no counterpart.
    """
    if isinstance(initializer, Initializer):
        return initializer
    cls = _CLASSES.get(type(initializer).__name__)
    if cls is None or not _is_keras_own(type(initializer)):
        allowed = "an initializer of Keras's own (" + ", ".join(sorted(_CLASSES)) + ")"
        raise bad_value("initializer", allowed, initializer)
    config = initializer.get_config()
    if cls is constants.Identity:
        config = {"gain": initializer.gain}  # Keras 3's configuration of Identity has none
    return cls.from_config(config)


def plain_of(initializer: Any) -> plain.Initializer | Initializer:
    """Return an initializer of seedbed, either kind, as it is, and the counterpart of any other.

    Raises:
        InvalidValueError: if there is none.
    """
    return initializer if isinstance(initializer, plain.Initializer) else convert(initializer)


def _is_keras_own(cls: type[Any]) -> bool:
    if cls is getattr(keras.initializers, cls.__name__, None):
        return True
    # tf_keras's classes; the package need not be installed.
    return cls.__module__.startswith("tf_keras.") and cls.__module__.endswith("initializers.initializers")
