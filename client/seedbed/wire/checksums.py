"""The checksum at the end of an answer that has no digest of its own: descriptions and digests."""

import xxhash

from seedbed.wire.parts import MalformedError

# Field 15 as a fixed64: the last of its message, since fields are written in the order of numbers.
TAG = bytes([15 << 3 | 1])
CHECKSUM_BYTES = len(TAG) + 8


def with_checksum(data: bytes) -> bytes:
    """Return a serialized message with its checksum."""
    return data + TAG + xxhash.xxh3_64_intdigest(data).to_bytes(8, "little")


def without_checksum(data: bytes) -> bytes:
    """Return a serialized message without its checksum, which is right.

    Raises:
        MalformedError: if it is not.
    """
    content = data[:-CHECKSUM_BYTES]
    if with_checksum(content) != data:
        raise MalformedError("the checksum of the message is wrong")
    return content
