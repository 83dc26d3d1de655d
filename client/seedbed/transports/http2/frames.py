"""HTTP/2's frames: their kinds, flags and bytes. Sections are those of RFC 9113."""

import struct
from typing import NamedTuple

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEADER_BYTES = 9

# What is true of a connection until its settings say otherwise (section 6.5.2).
DEFAULT_WINDOW_BYTES = 2**16 - 1
DEFAULT_MAX_FRAME_BYTES = 2**14
LARGEST_FRAME_BYTES = 2**24 - 1
LARGEST_WINDOW_BYTES = 2**31 - 1

# Kinds of frames (section 6).
DATA = 0
HEADERS = 1
RST_STREAM = 3
SETTINGS = 4
PUSH_PROMISE = 5
PING = 6
GOAWAY = 7
WINDOW_UPDATE = 8
CONTINUATION = 9

# Flags; what a bit means depends on the kind.
END_STREAM = 0x1
ACK = 0x1
END_HEADERS = 0x4
PADDED = 0x8
PRIORITY = 0x20

# Settings (section 6.5.2).
ENABLE_PUSH = 2
INITIAL_WINDOW_SIZE = 4
MAX_FRAME_SIZE = 5
MAX_HEADER_LIST_SIZE = 6

# Error codes (section 7).
CANCEL = 8


class FrameHeader(NamedTuple):
    """What stands before a frame's payload."""

    kind: int
    flags: int
    stream_id: int
    size_bytes: int
    """Of the payload."""

    @classmethod
    def parse(cls, data: bytes) -> "FrameHeader":
        """Return what 9 bytes say."""
        size_high, size_low, kind, flags, stream_id = struct.unpack(">BHBBI", data)
        return cls(kind, flags, stream_id & 0x7FFF_FFFF, size_high << 16 | size_low)


def frame(kind: int, flags: int, stream_id: int, payload: bytes = b"") -> bytes:
    """Return a frame."""
    size = len(payload)
    return struct.pack(">BHBBI", size >> 16, size & 0xFFFF, kind, flags, stream_id) + payload


def settings(values: dict[int, int]) -> bytes:
    """Return a SETTINGS frame."""
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", *each) for each in values.items()))


def is_allowed(name: int, value: int) -> bool:
    """Return whether a setting may have a value (section 6.5.2)."""
    if name == INITIAL_WINDOW_SIZE:
        return value <= LARGEST_WINDOW_BYTES
    return name != MAX_FRAME_SIZE or DEFAULT_MAX_FRAME_BYTES <= value <= LARGEST_FRAME_BYTES


def settings_in(payload: bytes) -> list[tuple[int, int]]:
    """Return the pairs in a SETTINGS frame's payload, without a broken one at its end."""
    return list(struct.iter_unpack(">HI", payload[: len(payload) // 6 * 6]))


def window_update(stream_id: int, size_bytes: int) -> bytes:
    """Return a WINDOW_UPDATE frame."""
    return frame(WINDOW_UPDATE, 0, stream_id, struct.pack(">I", size_bytes))
