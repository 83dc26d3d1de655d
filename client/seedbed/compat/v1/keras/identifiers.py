"""``get``, ``serialize`` and ``deserialize`` of ``tf.compat.v1.keras.initializers``."""

from collections.abc import Callable, Mapping
from typing import Any

from seedbed.compat.v1.keras.classes import MODULE
from seedbed.initializers import registry

serialize = registry.serialize


def get(identifier: Any) -> Any:
    """Return the initializer that an identifier means, of this module where it is a name.

    Args:
        identifier: as :func:`seedbed.get` takes it.

    Raises:
        InvalidTypeError: if it is anything else.
        InvalidValueError: if there is no initializer of that name.
    """
    if isinstance(identifier, str):
        return deserialize({"class_name": identifier, "config": {}})
    return deserialize(identifier) if isinstance(identifier, Mapping) else registry.get(identifier)


def deserialize(config: Any, custom_objects: Mapping[str, Callable[..., Any]] | None = None) -> Any:
    """Return the initializer of a dictionary; of this module, unless it names another of seedbed's.

    Args:
        config: what :func:`serialize` returned, or the form of TensorFlow or Keras.
        custom_objects: further classes by name; they come first.

    Raises:
        InvalidTypeError: if it is no such dictionary.
        InvalidValueError: if there is no initializer of that name, or no such module of seedbed.
    """
    if isinstance(config, Mapping) and not str(config.get("module")).startswith("seedbed."):
        config = {**config, "module": MODULE}
    return registry.deserialize(config, custom_objects)
