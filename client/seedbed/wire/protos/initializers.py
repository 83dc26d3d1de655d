"""Between initializer specs and their messages."""

import functools
from collections.abc import Iterator
from dataclasses import Field
from typing import Any

from google.protobuf.message import Message

from seedbed.spec.errors import InvalidArgumentError, Words, bad_value
from seedbed.spec.initializers import INITIALIZERS, ConstantSpec, InitializerSpec, parameters
from seedbed.v1 import initializers_pb2
from seedbed.wire.protos.enums import enum_name

_ENUMS: dict[str, tuple[Any, str]] = {
    "mode": (initializers_pb2.FanMode, "FAN_MODE_"),
    "distribution": (initializers_pb2.Distribution, "DISTRIBUTION_"),
    "side": (initializers_pb2.StftSide, "STFT_SIDE_"),
    "window": (initializers_pb2.StftWindow, "STFT_WINDOW_"),
    "scaling": (initializers_pb2.StftScaling, "STFT_SCALING_"),
    "nonlinearity": (initializers_pb2.Nonlinearity, "NONLINEARITY_"),
}
"""The enum of each parameter that is a word, and what its values' names begin with."""


def initializer_to_proto(spec: InitializerSpec) -> initializers_pb2.InitializerSpec:
    """Return the message of an initializer."""
    message = initializers_pb2.InitializerSpec()
    kind = getattr(message, spec.field_name())
    kind.SetInParent()
    if isinstance(spec, ConstantSpec):
        kind.CopyFrom(constant_to_proto(spec.value))
        return message
    for field in parameters(type(spec)):
        value = getattr(spec, field.name)
        setattr(
            kind, field.name, enum_number(field.name, value) if field.metadata["choices"] else value
        )
    return message


def constant_to_proto(value: float) -> initializers_pb2.Constant:
    """Return the message of a number: an integer stays one."""
    if not isinstance(value, int):
        return initializers_pb2.Constant(real=value)
    if value < 2**63:
        return initializers_pb2.Constant(integer=value)
    return initializers_pb2.Constant(large_integer=value)


def constant_from_proto(message: initializers_pb2.Constant) -> float:
    """Return the number that a message holds; 0 where it holds none."""
    chosen = message.WhichOneof("value")
    value: float = getattr(message, chosen) if chosen else 0.0
    return value


def enum_number(name: str, value: str | None) -> Any:
    """Return the enum's number of a parameter's word; None is the word NONE."""
    enum, prefix = _ENUMS[name]
    return enum.Value(prefix + str(value).upper())


def initializer_from_proto(message: initializers_pb2.InitializerSpec) -> InitializerSpec:
    """Return the checked value of an initializer's message.

    Raises:
        InvalidArgumentError: with the path of the field, such as ``random_normal.stddev``.
    """
    kind = message.WhichOneof("kind")
    if kind is None:
        raise _no_kind(message)
    spec = INITIALIZERS[kind]
    inner = getattr(message, kind)
    try:
        values = {}
        for field in parameters(spec):
            value = _value(inner, field)
            if value is not None:
                values[field.name] = value
        return spec(**values)
    except InvalidArgumentError as error:
        raise error.at(parameter_path(message, error.field)) from None


def initializer_faults(
    message: initializers_pb2.InitializerSpec,
) -> Iterator[InvalidArgumentError]:
    """Yield the error of each parameter that is wrong by itself, with its path."""
    kind = message.WhichOneof("kind")
    if kind is None:
        yield _no_kind(message)
        return
    inner = getattr(message, kind)
    for field in parameters(INITIALIZERS[kind]):
        try:
            value = _value(inner, field)
            if value is not None:
                field.metadata["check"](field.name, value)
        except InvalidArgumentError as error:
            yield error.at(parameter_path(message, field.name))


def parameter_path(message: initializers_pb2.InitializerSpec, name: str) -> str:
    """Return the path of the field that holds a parameter of the initializer that is set."""
    kind = str(message.WhichOneof("kind"))
    if kind != "constant":
        return f"{kind}.{name}"
    value = message.constant.WhichOneof("value")
    return f"{kind}.{value}" if value else kind


def _no_kind(message: initializers_pb2.InitializerSpec) -> InvalidArgumentError:
    received = Words("a kind that this server does not know") if message.ByteSize() else None
    return bad_value("", "one of " + ", ".join(INITIALIZERS), received)


def _value(inner: Message, field: "Field[Any]") -> Any:
    """Return a parameter's value, still to be checked, or None where its default is meant."""
    name = field.name
    if isinstance(inner, initializers_pb2.Constant):
        chosen = inner.WhichOneof("value")
        if chosen is None:
            raise bad_value(name, "set: real, integer or large_integer", None)
        value = getattr(inner, chosen)
        # Each number has one form, or the request that an answer repeats would be another.
        if chosen == "large_integer" and value < 2**63:
            raise bad_value(name, "2**63 or more; smaller ones are `integer`", value)
        return value
    if not inner.HasField(name):
        if field.default is None:
            raise bad_value(name, "set: it has no default", None)
        return None
    value = getattr(inner, name)
    choices = field.metadata["choices"]
    return enum_value(name, value, choices) if choices else value


def enum_value(name: str, number: int, choices: tuple[str, ...]) -> str:
    """Return the word that an enum's number means.

    Args:
        name: of the parameter.
        number: what came.
        choices: the words that the parameter may be.

    Raises:
        InvalidValueError: if it means none of them.
    """
    words = _words(name, choices)
    if number not in words:
        enum, prefix = _ENUMS[name]
        allowed = "one of " + ", ".join(prefix + word.upper() for word in choices)
        raise bad_value(name, allowed, enum_name(enum, number))
    return words[number]


@functools.cache
def _words(name: str, choices: tuple[str, ...]) -> dict[int, str]:
    return {enum_number(name, word): word for word in choices}
