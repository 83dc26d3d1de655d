"""Parts of tensors: ``SampleTensorsResponse`` by hand, as protobuf has it.

The stock encoder and decoder copy a payload several times; here it is written where it is sent
from, and on arrival it is a view into the message. A test compares both directions with protobuf's
own.
"""

from typing import NamedTuple

# Keys of SampleTensorsResponse, TensorPart and Chunk: field number * 8 + wire type (0 varint, 2
# length-delimited).
PARTS = 1 << 3 | 2
TENSOR_INDEX = 1 << 3
HEADER = 2 << 3 | 2
DIGEST = 3 << 3 | 2
CHUNK = 4 << 3 | 2
FILL = 5 << 3 | 2
SEGMENT = 6 << 3 | 2
BYTE_OFFSET = 1 << 3
RUNNING_DIGEST = 2 << 3 | 2
DATA = 3 << 3 | 2

_VARINT, _EIGHT_BYTES, _LENGTH, _FOUR_BYTES = 0, 1, 2, 5

_ONE_BYTE = tuple(bytes((number,)) for number in range(0x80))

Buffer = bytes | bytearray | memoryview


class MalformedError(ValueError):
    """Bytes that are not a SampleTensorsResponse."""


# Named tuples: several are made for each message, and a frozen dataclass takes five times as long
# to make.


class Chunk(NamedTuple):
    """Contiguous bytes of one slice."""

    byte_offset: int
    """Where in the slice they begin."""
    digest: bytes
    """The digest's value of all bytes that their stream has sent of the slice, up to these."""
    data: memoryview
    """The bytes, in C order, little-endian; empty in a heartbeat."""


class Part(NamedTuple):
    """What comes of one tensor at a time: any of its header, a chunk, and its digest."""

    tensor_index: int
    """Which tensor of the request."""
    header: bytes | None = None
    """A serialized TensorHeader, in the first part of a tensor."""
    chunk: Chunk | None = None
    """Bytes of the tensor; not together with ``fill`` or ``segment``."""
    digest: bytes | None = None
    """A serialized Digest, in the last part of a tensor."""
    fill: bytes | None = None
    """In place of chunks: one element that all elements equal."""
    segment: bytes | None = None
    """In place of chunks: a serialized Segment, which says where the bytes are."""


def encode_part(part: Part) -> bytes:
    """Return the bytes of a SampleTensorsResponse with one part; its payload is copied once.

    Such messages, joined, are the message of all their parts.
    """
    data: Buffer = part.chunk.data if part.chunk is not None else b""
    before = _prefix(part, len(data))
    return b"".join((_ONE_BYTE[PARTS], _varint(len(before) + len(data)), before, data))


def _prefix(part: Part, size_bytes: int) -> bytes:
    """Return all of a TensorPart that comes before its ``size_bytes`` of payload."""
    fields: list[bytes] = []
    if part.tensor_index:
        fields += [_ONE_BYTE[TENSOR_INDEX], _varint(part.tensor_index)]
    if part.header is not None:
        fields += [_ONE_BYTE[HEADER], _varint(len(part.header)), part.header]
    if part.digest is not None:
        fields += [_ONE_BYTE[DIGEST], _varint(len(part.digest)), part.digest]
    if part.chunk is not None:
        inner = b""
        if part.chunk.byte_offset:
            inner += _ONE_BYTE[BYTE_OFFSET] + _varint(part.chunk.byte_offset)
        if running := part.chunk.digest:
            inner += _ONE_BYTE[RUNNING_DIGEST] + _varint(len(running)) + running
        if size_bytes:
            inner += _ONE_BYTE[DATA] + _varint(size_bytes)
        fields += [_ONE_BYTE[CHUNK], _varint(len(inner) + size_bytes), inner]
    # What stands in place of a chunk never comes with one, so nothing follows a chunk's payload.
    if part.fill is not None:
        fields += [_ONE_BYTE[FILL], _varint(len(part.fill)), part.fill]
    if part.segment is not None:
        fields += [_ONE_BYTE[SEGMENT], _varint(len(part.segment)), part.segment]
    return b"".join(fields)


def decode_parts(message: bytes) -> list[Part]:
    """Return the parts in the bytes of a SampleTensorsResponse; no payload is copied.

    Fields that this version does not know are skipped.

    Raises:
        MalformedError: if the bytes are none.
    """
    return [
        _decode_part(value)
        for key, value in _fields(memoryview(message))
        if key == PARTS and isinstance(value, memoryview)
    ]


def _decode_part(view: memoryview) -> Part:
    tensor_index, header, digest, chunk, fill, segment = 0, None, None, None, None, None
    for key, value in _fields(view):
        if key == TENSOR_INDEX and isinstance(value, int):
            tensor_index = value
        elif key == HEADER and isinstance(value, memoryview):
            header = bytes(value)
        elif key == DIGEST and isinstance(value, memoryview):
            digest = bytes(value)
        # Of a oneof, the last one counts.
        elif key == CHUNK and isinstance(value, memoryview):
            chunk, fill, segment = _decode_chunk(value), None, None
        elif key == FILL and isinstance(value, memoryview):
            chunk, fill, segment = None, bytes(value), None
        elif key == SEGMENT and isinstance(value, memoryview):
            chunk, fill, segment = None, None, bytes(value)
    return Part(tensor_index, header, chunk, digest, fill, segment)


def decode_beginning(beginning: bytes, message_bytes: int) -> tuple[Part, int] | None:
    """Return a message's only part without its chunk's data, and where these begin in it.

    Args:
        beginning: the first bytes of the message.
        message_bytes: how many it has in all.

    Returns:
        None if nothing of the data is in the beginning, or the message is not of that form;
        :func:`decode_parts` tells.
    """
    view = memoryview(beginning)
    try:
        part = _last_field(view, 0, PARTS, message_bytes)
        if part is None or part[0]:  # there are parts before it
            return None
        chunk = _last_field(view, part[1], CHUNK, message_bytes)
        data = _last_field(view, chunk[1], DATA, message_bytes) if chunk is not None else None
        if chunk is None or data is None:
            return None
        found = _decode_part(view[part[1] : chunk[0]])
        return found._replace(chunk=_decode_chunk(view[chunk[1] : data[0]])), data[1]
    except MalformedError:
        return None


def _last_field(view: memoryview, at: int, key: int, end: int) -> tuple[int, int] | None:
    """Return where a message's last field and its value begin; None for another key."""
    while at < len(view):
        begin = at
        found, at = _read_varint(view, at)
        size, at = _size_of_value(view, found, at)
        if found == key and at + size == end:
            return begin, at
        at += size
    return None


def _size_of_value(view: memoryview, key: int, at: int) -> tuple[int, int]:
    """Return a field value's size and beginning; for a varint, 0 and its end."""
    wire_type = key & 7
    if wire_type == _LENGTH:
        return _read_varint(view, at)
    if wire_type == _VARINT:
        return 0, _read_varint(view, at)[1]
    if wire_type in (_EIGHT_BYTES, _FOUR_BYTES):
        return 8 if wire_type == _EIGHT_BYTES else 4, at
    raise MalformedError(f"wire type {wire_type} at byte {at}")


def _decode_chunk(view: memoryview) -> Chunk:
    byte_offset, digest, data = 0, b"", view[:0]
    for key, value in _fields(view):
        if key == BYTE_OFFSET and isinstance(value, int):
            byte_offset = value
        elif key == RUNNING_DIGEST and isinstance(value, memoryview):
            digest = bytes(value)
        elif key == DATA and isinstance(value, memoryview):
            data = value
    return Chunk(byte_offset, digest, data)


def _fields(view: memoryview) -> list[tuple[int, int | memoryview]]:
    """Return the key and the value of every field of one message."""
    fields: list[tuple[int, int | memoryview]] = []
    at = 0
    while at < len(view):
        key, at = _read_varint(view, at)
        if key >> 3 == 0:
            raise MalformedError(f"field number 0 at byte {at}")
        if key & 7 == _VARINT:
            number, at = _read_varint(view, at)
            fields.append((key, number))
            continue
        size, at = _size_of_value(view, key, at)
        if size > len(view) - at:
            raise MalformedError(f"a field of {size} bytes at byte {at} of {len(view)}")
        fields.append((key, view[at : at + size]))
        at += size
    return fields


def _varint(number: int) -> bytes:
    if number < 0x80:
        return _ONE_BYTE[number]
    if number < 0x20_0000:  # the size of a chunk, and of what is around it
        low, middle, high = number & 0x7F | 0x80, number >> 7 & 0x7F, number >> 14
        return bytes((low, middle | 0x80, high)) if high else bytes((low, middle))
    parts = bytearray()
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    parts.append(number)
    return bytes(parts)


def _read_varint(view: memoryview, at: int) -> tuple[int, int]:
    if at < len(view) and view[at] < 0x80:  # most of them
        return view[at], at + 1
    number = 0
    for shift in range(0, 70, 7):
        if at >= len(view):
            raise MalformedError("a number that is cut off")
        byte = view[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
    raise MalformedError("a number of more than 10 bytes")
