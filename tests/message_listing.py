"""Messages in hexadecimal, a field a line, as docs/protocol.md shows them."""

from collections.abc import Iterator

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message_factory import GetMessageClass

HEX_COLUMN = 42
VARINT, EIGHT_BYTES, LENGTH = 0, 1, 2


def listing(data: bytes, descriptor: Descriptor, depth: int = 0) -> Iterator[str]:
    """Yield a line for each field of a message: its name, its value where short, its bytes.

    The line of a message within has the bytes of its key and length; its fields follow, indented.
    """
    at = 0
    while at < len(data):
        key, begin = _varint(data, at)
        field = descriptor.fields_by_number[key >> 3]
        size, content = _extent(data, key & 7, begin)
        end = content + size
        if field.message_type is not None:
            yield _line(depth, f"{field.name}:", data[at:content])
            yield from listing(data[content:end], field.message_type, depth + 1)
        else:
            yield _line(
                depth, f"{field.name}: {_value(descriptor, field, data[at:end])}", data[at:end]
            )
        at = end


def _line(depth: int, text: str, data: bytes) -> str:
    field = f"{'  ' * depth}{text}".rstrip(": ")
    assert len(field) < HEX_COLUMN, "the bytes would touch the text"
    return field.ljust(HEX_COLUMN) + data.hex(" ")


def _extent(data: bytes, wire_type: int, at: int) -> tuple[int, int]:
    """Return how many bytes a field's value has, and where it begins."""
    if wire_type == LENGTH:
        return _varint(data, at)
    if wire_type == VARINT:
        return _varint(data, at)[1] - at, at
    assert wire_type == EIGHT_BYTES
    return 8, at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = data[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return number, at


def _value(message: Descriptor, field: FieldDescriptor, data: bytes) -> str:
    """Return a field's value as text; nothing for bytes, which say it themselves."""
    value = getattr(GetMessageClass(message).FromString(data), field.name)
    if field.enum_type is not None:
        return str(field.enum_type.values_by_number[value].name)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return ""
    return str(list(value) if field.is_repeated else value)
