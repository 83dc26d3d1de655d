"""Philox4x32-10 gives Random123's own known answers, in the kernel and in the reference."""

import numpy as np
import pytest

from seedbed_server.kernels.keys import Key, derive_key
from seedbed_server.kernels.philox import fill_run, philox4x32
from tests.reference import words

Four = tuple[int, int, int, int]

# Random123, tests/kat_vectors, the lines "philox4x32 10": counter, key, output.
KNOWN_ANSWERS: list[tuple[Four, tuple[int, int], Four]] = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    (
        (0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF),
        (0xFFFFFFFF, 0xFFFFFFFF),
        (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD),
    ),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]
known_answers = pytest.mark.parametrize(
    ("counter", "key", "answer"), KNOWN_ANSWERS, ids=["zeros", "ones", "digits of pi"]
)


@known_answers
def test_the_reference_gives_the_known_answers(
    counter: Four, key: tuple[int, int], answer: Four
) -> None:
    assert words.philox4x32_10(counter, key) == answer


@known_answers
def test_the_element_function_gives_the_known_answers(
    counter: Four, key: tuple[int, int], answer: Four
) -> None:
    typed = [np.uint32(value) for value in (*counter, *key)]
    with np.errstate(over="ignore"):
        lanes = philox4x32(*typed)
    assert tuple(int(lane) for lane in lanes) == answer


@pytest.mark.parametrize("first", [0, 1, 2, 3, 4, 2**34 - 3, 2**34, 2**61 + 1])
@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 11])
def test_any_run_of_words_is_that_of_the_reference(first: int, count: int) -> None:
    key = (0x01234567, 0x89ABCDEF, 0xDEADBEEF, 0xCAFEF00D)
    out = np.empty(count, np.uint32)
    fill_run(np.uint64(first), np.uint64(count), np.array(key, np.uint32), out, np.uint64(0))
    assert out.tolist() == [words.word32(first + i, key) for i in range(count)]


@pytest.mark.parametrize(
    ("seed", "draw", "name"),
    [
        (0, 0, ""),
        (1, 0, "dense/kernel"),
        (2**64 - 1, 2**64 - 1, "重み/ü/🌱"),
        (5, 6, "a\0b"),
        (5, 6, "n" * 1024),
    ],
    ids=["empty", "plain", "unicode", "zero byte", "longest"],
)
def test_keys_are_those_of_the_reference(seed: int, draw: int, name: str) -> None:
    assert derive_key(seed, draw, name) == Key(*words.derive_key(seed, draw, name))


def test_a_negative_seed_is_its_twos_complement_in_the_reference() -> None:
    assert words.derive_key(-1, 0, "") == words.derive_key(2**64 - 1, 0, "")
