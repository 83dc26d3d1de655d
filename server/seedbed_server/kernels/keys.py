"""The Philox keys of a tensor: one SHA-256 of its seed, draw and name, on the host."""

import hashlib
import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DOMAIN = b"seedbed-1\0"


@dataclass(frozen=True, slots=True)
class Key:
    """The four uint32 that make a tensor's words its own.

    They are the Philox key and the counter's upper half; the lower half counts blocks.
    """

    key0: int
    key1: int
    counter2: int
    counter3: int

    def as_array(self) -> NDArray[np.uint32]:
        """Return the four numbers as the uint32 array that the kernels take."""
        return np.array((self.key0, self.key1, self.counter2, self.counter3), np.uint32)


def derive_key(seed: int, draw: int, name: str) -> Key:
    """Return the key of ``(seed, draw, name)``.

    Args:
        seed: 0 to 2**64 - 1; a negative seed has been taken as two's complement before.
        draw: 0 to 2**64 - 1.
        name: any text; its UTF-8 bytes count.
    """
    return Key(*struct.unpack("<4I", _material(seed, draw, name)[:16]))


def derive_second_key(seed: int, draw: int, name: str) -> Key:
    """Return a second key of the same arguments, for decisions that share no words with values."""
    return Key(*struct.unpack("<4I", _material(seed, draw, name)[16:]))


def _material(seed: int, draw: int, name: str) -> bytes:
    return hashlib.sha256(DOMAIN + struct.pack("<QQ", seed, draw) + name.encode()).digest()
