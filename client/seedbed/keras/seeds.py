"""Keras 3's seeds: an integer repeats, a generator's state is a seed and a draw."""

import random
from collections.abc import Mapping
from typing import Any, SupportsIndex, TypeAlias

import keras
from keras.src.backend.common.stateless_scope import in_stateless_scope  # nothing public tells

from seedbed.initializers.seeds import SeedGenerator
from seedbed.spec.errors import InvalidTypeError, bad_value
from seedbed.spec.numbers import as_int
from seedbed.spec.seeds import as_seed

Seed: TypeAlias = SupportsIndex | SeedGenerator | Mapping[str, Any] | Any | None
"""An integer, a generator of Keras or of seedbed, the dictionary of either, or None."""

_STATE = "state"


def drawn_seed() -> int:
    """Return 64 bits of Python's generator, which ``keras.utils.set_random_seed`` seeds."""
    return random.getrandbits(64)


def checked_seed(seed: Seed) -> Any:
    """Return a seed as a plain integer or a generator; None stays None.

    Raises:
        InvalidValueError: for anything else, as Keras does, or more than 64 bits.
    """
    if seed is None or isinstance(seed, (SeedGenerator, keras.random.SeedGenerator)):
        return seed
    if isinstance(seed, Mapping):
        return _restored_generator(seed)
    try:
        number = as_int("seed", seed)
    except InvalidTypeError:
        raise bad_value("seed", "an integer, a SeedGenerator or None", seed) from None
    as_seed(number)
    return number


def next_draw(seed: Any) -> tuple[int, int]:
    """Return the 64 bits of a checked seed and the draw that a call takes.

    A generator goes on to the next draw. The state of Keras's generator is a pair: its seed, and
    how often it was asked.
    """
    if isinstance(seed, SeedGenerator):
        return as_seed(seed.seed), seed.next_draw()
    if not isinstance(seed, keras.random.SeedGenerator):
        return as_seed(seed), 0
    if in_stateless_scope():
        # Keras asks for a placeholder while it infers shapes, where no state can be read; it asks
        # again for the values.
        return as_seed(seed.get_config()["seed"] or 0), 0
    first, position = state_of(seed)
    seed.next()
    return as_seed(first), position


def state_of(generator: Any) -> tuple[int, int]:
    """Return the seed and the position of Keras's generator."""
    first, position = keras.ops.convert_to_numpy(generator.state.value).tolist()
    return first, position


def serialized_seed(seed: Any) -> Any:
    """Return a checked seed as what JSON takes, and :func:`checked_seed` reads.

    A generator of Keras is written as Keras writes it, with its state besides, which Keras forgets,
    and ignores when it reads the dictionary.
    """
    if isinstance(seed, SeedGenerator):
        return {"module": "seedbed", "class_name": "SeedGenerator", "config": seed.get_config()}
    if isinstance(seed, keras.random.SeedGenerator):
        return {**keras.saving.serialize_keras_object(seed), _STATE: list(state_of(seed))}
    return seed


def _restored_generator(written: Mapping[str, Any]) -> Any:
    if not str(written.get("module", "")).startswith("keras"):
        return SeedGenerator.from_config(written.get("config", written))
    generator = keras.saving.deserialize_keras_object(
        {key: written[key] for key in written if key != _STATE}
    )
    if not isinstance(generator, keras.random.SeedGenerator):
        raise bad_value("seed", "the dictionary of a SeedGenerator", written)
    if _STATE in written:
        generator.state.assign(written[_STATE])
    return generator
