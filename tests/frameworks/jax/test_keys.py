"""A key of JAX becomes a seed by the rule that docs/jax.md states."""

import hashlib
import struct
from typing import Any

import jax
import numpy as np
import pytest

import seedbed as sb
from seedbed.jax import normal, seed_from_key


@pytest.mark.parametrize("seed", [0, 1, 7, 2**31 - 1, -1])
def test_two_words_are_the_halves_of_the_seed(seed: int) -> None:
    for key in (jax.random.key(seed), jax.random.PRNGKey(seed)):
        first, second = np.asarray(jax.random.key_data(key)).tolist()
        assert seed_from_key(key) == first * 2**32 + second


def test_a_small_key_is_its_own_seed() -> None:
    assert seed_from_key(jax.random.key(42)) == 42
    assert seed_from_key(np.array([1, 2], np.uint32)) == 2**32 + 2


@pytest.mark.parametrize("kind", ["rbg", "unsafe_rbg"])
def test_other_words_are_hashed(kind: str) -> None:
    key = jax.random.key(42, impl=kind)
    words = np.asarray(jax.random.key_data(key)).tolist()
    assert len(words) == 4
    expected = int.from_bytes(hashlib.sha256(struct.pack("<4I", *words)).digest()[:8], "little")
    assert seed_from_key(key) == seed_from_key(jax.random.key_data(key)) == expected


def test_the_rule_s_values_do_not_change() -> None:
    assert seed_from_key(jax.random.split(jax.random.key(7))[0]) == seed_from_key(
        jax.random.split(jax.random.PRNGKey(7))[0]
    )
    assert seed_from_key(np.array([1, 2, 3, 4], np.uint32)) == 0x5BE059DBEEAD97CF


def test_a_key_s_tensor_is_that_of_its_seed() -> None:
    key = jax.random.split(jax.random.key(3))[1]
    expected = sb.RandomNormal(stddev=0.5, seed=seed_from_key(key))((5, 3))
    np.testing.assert_array_equal(normal(0.5)(key, (5, 3)), expected)


KEYS = jax.random.split(jax.random.key(0), 3)
NO_KEYS: list[tuple[Any, type[Exception]]] = [
    (None, TypeError),
    (0, TypeError),
    ("key", TypeError),
    (np.zeros(2, np.int32), TypeError),
    (np.zeros(3, np.uint32), TypeError),
    (np.zeros((), np.uint32), TypeError),
    (np.zeros((3, 2), np.uint32), ValueError),
    (KEYS, ValueError),
]


@pytest.mark.parametrize(("key", "error"), NO_KEYS, ids=lambda value: repr(value)[:24])
def test_what_is_no_key_is_the_error_of_jax(key: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        jax.nn.initializers.normal()(key, (2,))
    with pytest.raises(error, match="`key` must be a") as caught:
        normal()(key, (2,))
    assert isinstance(caught.value, sb.InvalidArgumentError)
