"""The random word of an element, from its tensor's identity and its index."""

import hashlib

MASK = 2**32 - 1

Key = tuple[int, int, int, int]


def derive_key(seed: int, draw: int, name: str, first_byte: int = 0) -> Key:
    """Return key0, key1, counter2, counter3; the second key's are those from byte 16 on."""
    text = (
        b"seedbed-1\x00"
        + (seed % 2**64).to_bytes(8, "little")
        + draw.to_bytes(8, "little")
        + name.encode("utf-8")
    )
    digest = hashlib.sha256(text).digest()
    key0, key1, counter2, counter3 = (
        int.from_bytes(digest[i : i + 4], "little") for i in range(first_byte, first_byte + 16, 4)
    )
    return key0, key1, counter2, counter3


def philox4x32_10(
    counter: tuple[int, int, int, int], key: tuple[int, int]
) -> tuple[int, int, int, int]:
    """Return the four words of one block."""
    x0, x1, x2, x3 = counter
    k0, k1 = key
    for _ in range(10):
        high0, low0 = divmod(0xD2511F53 * x0, 2**32)
        high1, low1 = divmod(0xCD9E8D57 * x2, 2**32)
        x0, x1, x2, x3 = high1 ^ x1 ^ k0, low1, high0 ^ x3 ^ k1, low0
        k0, k1 = (k0 + 0x9E3779B9) & MASK, (k1 + 0xBB67AE85) & MASK
    return x0, x1, x2, x3


def block(number: int, key: Key) -> tuple[int, int, int, int]:
    """Return the words of block ``number`` of a tensor."""
    return philox4x32_10((number & MASK, number >> 32, key[2], key[3]), key[:2])


def word32(index: int, key: Key) -> int:
    """Return the word of an element of a dtype of 32 bits or fewer."""
    return block(index // 4, key)[index % 4]


def word64(index: int, key: Key) -> int:
    """Return the word of an element of a float64 tensor."""
    lanes = block(index // 2, key)
    lane = 2 * (index % 2)
    return lanes[lane] + (lanes[lane + 1] << 32)
