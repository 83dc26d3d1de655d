"""Between initializer specs and their messages."""

from typing import Any

from seedbed.spec.errors import InvalidArgumentError, bad_value
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
        InvalidArgumentError: with the path of the field, such as
            ``initializer.random_normal.stddev``.
    """
    kind = message.WhichOneof("kind")
    if kind is None:
        raise bad_value(
            "initializer", "one of " + ", ".join(INITIALIZERS), "none that this server knows"
        )
    spec = INITIALIZERS[kind]
    inner = getattr(message, kind)
    try:
        if spec is ConstantSpec:
            return ConstantSpec(constant_from_proto(inner))
        values = {}
        for field in parameters(spec):
            if inner.DESCRIPTOR.fields_by_name[field.name].has_presence and not inner.HasField(
                field.name
            ):
                continue
            value = getattr(inner, field.name)
            values[field.name] = (
                enum_value(field.name, value) if field.metadata["choices"] else value
            )
        return spec(**values)
    except InvalidArgumentError as error:
        raise error.within(f"initializer.{kind}") from None


def enum_value(name: str, number: int) -> str:
    """Return the word that an enum's number means.

    Raises:
        InvalidValueError: if it means nothing.
    """
    enum, prefix = _ENUMS[name]
    known = {value: key for key, value in enum.items() if value != 0}
    if number not in known:
        raise bad_value(name, "one of " + ", ".join(known.values()), enum_name(enum, number))
    return str(known[number]).removeprefix(prefix).lower()
