"""Where a request as a server understood it differs from the one that it was sent."""

from typing import Any, NamedTuple

from google.protobuf.message import Message

from seedbed.spec.errors import InvalidArgumentError
from seedbed.spec.tensors import TensorRequest
from seedbed.v1 import tensors_pb2
from seedbed.wire.protos.requests import tensor_request_from_proto, tensor_request_to_proto

# Of a value in an error: it may come from a server of somebody else's.
LONGEST_VALUE = 80


class FieldDifference(NamedTuple):
    """A field of a TensorRequest that a server read in another way than it was meant."""

    field: str
    """Its path, such as ``spec.draw``."""
    asked: str
    """The value that was sent, as text."""
    understood: str
    """The value that the server says it read."""


def difference(
    request: TensorRequest, understood: tensors_pb2.TensorRequest
) -> FieldDifference | None:
    """Return the first field that a server misunderstood, or None if there is none."""
    asked = tensor_request_to_proto(request)
    # Nearly always so: the server's message was built as this one, and is read and written here.
    if understood.SerializeToString(deterministic=True) == asked.SerializeToString(
        deterministic=True
    ):
        return None
    if _means(understood, request):
        return None
    return _first(asked, understood, "") or FieldDifference(
        "a field that this client does not know", "nothing", "something"
    )


def _means(message: tensors_pb2.TensorRequest, request: TensorRequest) -> bool:
    """Whether a message is the same request in other words, such as defaults written out."""
    known = tensors_pb2.TensorRequest()
    known.CopyFrom(message)
    known.DiscardUnknownFields()
    if known.ByteSize() != message.ByteSize():
        return False
    try:
        # Values that are equal are not always the same: -0.0 is another constant than 0.0.
        return tensor_request_from_proto(known, "request").key == request.key
    except InvalidArgumentError:
        return False


def _first(asked: Message, understood: Message, path: str) -> FieldDifference | None:
    """Return the first field in which two messages of one type differ."""
    for field in asked.DESCRIPTOR.fields:
        name = f"{path}.{field.name}" if path else field.name
        ours, theirs = _value(asked, field), _value(understood, field)
        if isinstance(ours, Message) and isinstance(theirs, Message):
            found = _first(ours, theirs, name)
            if found is not None:
                return found
        elif (sent := _text(field, ours)) != (read := _text(field, theirs)):
            return FieldDifference(name, sent, read)
    return None


def _value(message: Message, field: Any) -> object:
    """Return a field's value, or None where it is absent."""
    if field.has_presence and not message.HasField(field.name):
        return None
    value: object = getattr(message, field.name)
    return value


def _text(field: Any, value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, Message):
        return "{" + " ".join(str(value).split())[:LONGEST_VALUE] + "}"
    if field.enum_type is not None and isinstance(value, int):
        known = field.enum_type.values_by_number.get(value)
        return str(known.name) if known is not None else str(value)
    return repr(value)[:LONGEST_VALUE]
