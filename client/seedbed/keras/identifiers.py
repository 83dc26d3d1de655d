"""Initializers by name and as dictionaries: Keras 3's ``get``, ``serialize``, ``deserialize``."""

from collections.abc import Callable, Mapping
from typing import Any

import keras

from seedbed.keras.conversion import convert, is_keras_own


def get(identifier: Any) -> Any:
    """Return the initializer that an identifier means, as ``keras.initializers.get`` does.

    Args:
        identifier: a name (``"glorot_uniform"`` or ``"GlorotUniform"``), a dictionary of
            :func:`serialize` or of Keras, a class, an array or a tensor, None, or an initializer or
            any other callable, which is returned as it is.

    Raises:
        InvalidValueError: if seedbed has no counterpart of a class of Keras's.
        ValueError: Keras's own, if it is anything else.
    """
    found = keras.initializers.get(identifier)
    return _ours(found) if isinstance(identifier, (str, Mapping)) else found


def serialize(initializer: Any) -> Any:
    """Return the dictionary of an initializer, fit for JSON, as ``keras.initializers`` does."""
    return keras.initializers.serialize(initializer)


def deserialize(
    config: Mapping[str, Any], custom_objects: Mapping[str, Callable[..., Any]] | None = None
) -> Any:
    """Return the initializer of a dictionary; where it names a class of Keras's, seedbed's own.

    Args:
        config: what :func:`serialize` returned, or the form of Keras.
        custom_objects: further classes by name; they come first.

    Raises:
        InvalidValueError: if seedbed has no counterpart of a class of Keras's.
        ValueError: Keras's own, if it is no such dictionary.
    """
    found = keras.initializers.deserialize(
        dict(config), custom_objects=None if custom_objects is None else dict(custom_objects)
    )
    return _ours(found)


def _ours(found: Any) -> Any:
    return convert(found) if is_keras_own(type(found)) else found
