"""Initializers by name and as dictionaries: Keras's ``get``, ``serialize`` and ``deserialize``."""

import copy
import importlib
from collections.abc import Callable, Mapping
from typing import Any

from seedbed import initializers
from seedbed.initializers import Initializer
from seedbed.spec.errors import bad_type, bad_value
from seedbed.spec.initializers import known_initializer
from seedbed.spec.suggestions import did_you_mean

_MODULES = ("seedbed.compat.v1.initializers", "seedbed.compat.v1.keras.initializers")
"""Where classes live that are not the default namespace's; imported when one is asked for."""


def get(identifier: Any) -> Any:
    """Return the initializer that an identifier means, as Keras's ``initializers.get`` does.

    Args:
        identifier: a name (``"glorot_uniform"`` or ``"GlorotUniform"``), a class, an instance or
            any other callable (returned as it is), a dictionary of :func:`serialize` or of Keras,
            or None.

    Raises:
        InvalidTypeError: if it is anything else.
        InvalidValueError: if there is no initializer of that name.
    """
    if identifier is None:
        return None
    if isinstance(identifier, str):
        return _class_of(identifier)()
    if isinstance(identifier, Mapping):
        return deserialize(identifier)
    if isinstance(identifier, type) and issubclass(identifier, Initializer):
        cls: Any = identifier
        return cls()
    if callable(identifier):
        return identifier
    raise bad_type(
        "identifier",
        "a name, a class, an initializer, a callable, a dictionary or None",
        identifier,
    )


def serialize(initializer: Initializer) -> dict[str, Any]:
    """Return ``{"class_name": ..., "config": ...}``, fit for JSON.

    A ``"module"`` comes first where the class is not the default namespace's: ``seedbed.compat.v1``
    has classes of the same names.

    Raises:
        InvalidTypeError: if it is no initializer.
    """
    if not isinstance(initializer, Initializer):
        raise bad_type("initializer", "an initializer", initializer)
    module = {} if initializer.module is None else {"module": initializer.module}
    return {**module, "class_name": type(initializer).__name__, "config": initializer.get_config()}


def deserialize(config: Any, custom_objects: Mapping[str, Callable[..., Any]] | None = None) -> Any:
    """Return the initializer of a dictionary, which is not changed.

    Args:
        config: what :func:`serialize` returned, or the form of tf_keras or of Keras 3.
        custom_objects: further classes by name; they come first.

    Raises:
        InvalidTypeError: if it is no such dictionary.
        InvalidValueError: if there is no initializer of that name, or no such module of seedbed.
    """
    if not isinstance(config, Mapping) or not isinstance(config.get("class_name"), str):
        raise bad_type("config", 'a dictionary with a "class_name"', config)
    arguments = config.get("config") or {}
    custom = custom_objects.get(config["class_name"]) if custom_objects else None
    if custom is not None:
        arguments = copy.deepcopy(arguments)
        return (
            custom.from_config(arguments) if hasattr(custom, "from_config") else custom(**arguments)
        )
    module = config.get("module")
    if isinstance(module, str) and module.startswith("seedbed.compat"):
        return _class_in(module, config["class_name"]).from_config(arguments)
    return _class_of(config["class_name"]).from_config(arguments)


def _class_of(name: str) -> Any:
    return getattr(initializers, known_initializer("identifier", name).name())


def _class_in(module: str, name: str) -> type[Initializer]:
    if module not in _MODULES:
        hint = did_you_mean(module, _MODULES)
        raise bad_value("module", "one of " + ", ".join(_MODULES), module, hint=hint)
    classes = {
        known: each
        for other, each in vars(importlib.import_module(module)).items()
        if isinstance(each, type) and issubclass(each, Initializer)
        for known in (other, each.__name__)
    }
    classes.pop("Initializer", None)  # the base, which fills nothing
    if name not in classes:
        allowed = f"a class of {module}: " + ", ".join(sorted(classes))
        raise bad_value("class_name", allowed, name, hint=did_you_mean(name, classes))
    return classes[name]
