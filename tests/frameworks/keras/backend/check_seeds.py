"""Seeds are Keras 3's: an integer repeats, a generator goes on, and positions are kept."""

import copy
import json
from typing import Any

import keras
import numpy as np
import pytest

import seedbed as sb
import seedbed.keras as sk
from tests.frameworks.keras.cases import Case, content, every_random_class, values


def draws(case: Case, count: int, seed: int = 5) -> list[bytes]:
    """Return the first draws of a seed, as the default namespace gives them."""
    return [case.plain(seed)(case.shape, draw=draw).tobytes() for draw in range(count)]


def calls(initializer: Any, case: Case, count: int) -> list[bytes]:
    """Return what successive calls give."""
    return [content(initializer(case.shape)) for _ in range(count)]


def restored(initializer: Any) -> Any:
    """Return what Keras makes of an initializer that went through a file."""
    return keras.initializers.deserialize(
        json.loads(json.dumps(keras.initializers.serialize(initializer)))
    )


@every_random_class
def test_an_integer_seed_repeats_as_keras_does(case: Case) -> None:
    theirs = case.theirs(**case.seeded(5))
    assert content(theirs(case.shape)) == content(theirs(case.shape))
    assert calls(case.example(5), case, 3) == draws(case, 1) * 3


@every_random_class
def test_no_seed_repeats_too_and_stays_none_in_the_configuration(case: Case) -> None:
    initializer = case.cls(**case.arguments)
    first, second = calls(initializer, case, 2)
    assert first == second
    assert initializer.get_config()["seed"] is None
    assert calls(initializer.clone(), case, 1) != [first], (
        "a clone draws a seed of its own, as in Keras"
    )
    assert calls(case.cls(**case.arguments), case, 1) != [first]
    assert initializer.seed >= 0
    assert calls(case.example(initializer.seed), case, 1) == [first]


def test_keras_set_random_seed_makes_unseeded_initializers_the_same() -> None:
    found = []
    for seed in (1, 1, 2):
        keras.utils.set_random_seed(seed)
        found.append(content(sk.GlorotUniform()((3, 3))))
    assert found[0] == found[1] != found[2]


@every_random_class
def test_a_generator_of_keras_gives_a_sequence(case: Case) -> None:
    generator = keras.random.SeedGenerator(5)
    initializer = case.example(generator)
    assert initializer.seed is generator
    assert calls(initializer, case, 3) == draws(case, 3)
    assert values(generator.state).tolist() == [5, 3]


@every_random_class
def test_a_generator_of_seedbed_gives_a_sequence(case: Case) -> None:
    generator = sb.SeedGenerator(2**63)
    assert calls(case.example(generator), case, 3) == draws(case, 3, 2**63)
    assert generator.position == 3


def test_initializers_and_keras_share_a_generator() -> None:
    generator = keras.random.SeedGenerator(5)
    one, two = sk.HeNormal(generator), sk.HeNormal(generator)
    first = content(one((3, 3)))
    keras.random.normal((2,), seed=generator)
    assert [first, content(two((3, 3)))] == [
        sb.HeNormal(5)((3, 3), draw=draw).tobytes() for draw in (0, 2)
    ]


@every_random_class
@pytest.mark.parametrize(
    "make", [keras.random.SeedGenerator, sb.SeedGenerator], ids=["Keras", "seedbed"]
)
def test_a_generator_keeps_its_position_through_serialization(case: Case, make: Any) -> None:
    initializer = case.example(make(5))
    calls(initializer, case, 2)
    again = restored(initializer)
    assert type(again.seed) is make
    assert calls(again, case, 1) == draws(case, 3)[2:]
    assert calls(initializer, case, 1) == draws(case, 3)[2:], (
        "the restored one has a generator of its own"
    )


def test_keras_own_initializer_forgets_the_position() -> None:
    initializer = keras.initializers.GlorotUniform(seed=keras.random.SeedGenerator(5))
    first = content(initializer((3, 3)))
    assert content(restored(initializer)((3, 3))) == first


def test_a_generator_without_a_seed_is_restored_as_it_was() -> None:
    initializer = sk.HeNormal(keras.random.SeedGenerator())
    initializer((3, 3))
    assert content(restored(initializer)((3, 3))) == content(initializer((3, 3)))


@every_random_class
def test_keras_own_class_reads_a_configuration_with_a_generator(case: Case) -> None:
    initializer = case.example(keras.random.SeedGenerator(5))
    calls(initializer, case, 1)
    theirs = case.theirs.from_config(json.loads(json.dumps(initializer.get_config())))
    assert isinstance(theirs.seed, keras.random.SeedGenerator)
    again = case.cls.from_config(json.loads(json.dumps(theirs.get_config())))
    assert calls(again, case, 1) == draws(case, 2)[1:], (
        "Keras passes on what it was given, the position included"
    )


def test_the_second_call_of_one_generator_is_not_the_first_of_the_next() -> None:
    # Keras 3 on PyTorch adds the position to the seed.
    def first_calls(make: Any, count: int) -> list[list[bytes]]:
        found = []
        for seed in (1, 2):
            initializer = make(seed=keras.random.SeedGenerator(seed))
            found.append([content(initializer((8,))) for _ in range(count)])
        return found

    one, two = first_calls(sk.RandomNormal, 2)
    assert len({*one, *two}) == 4
    if keras.backend.backend() == "torch":
        one, two = first_calls(keras.initializers.RandomNormal, 2)
        assert one[1] == two[0], "it still does"


@pytest.mark.parametrize("seed", [0, 1, 2**31])
def test_seeds_are_not_reduced(seed: int) -> None:
    # Keras 3 takes them modulo 2**31 - 1 on TensorFlow, and takes the lower bits elsewhere.
    found = {
        content(sk.RandomNormal(seed=s)((4,)))
        for s in (seed, seed + 2**31 - 1, seed + 2**32, seed + 2**63)
    }
    assert len(found) == 4


@pytest.mark.parametrize(
    "seed", [np.int64(5), np.uint8(5), np.array(5)], ids=["int64", "uint8", "0-d array"]
)
def test_numpy_integers_are_seeds(seed: Any) -> None:
    with pytest.raises(ValueError, match="seed"):
        keras.initializers.HeNormal(seed=seed)
    assert content(sk.HeNormal(seed=seed)((4,))) == content(sk.HeNormal(seed=5)((4,)))
    assert sk.HeNormal(seed=seed).get_config() == {"seed": 5}


@pytest.mark.parametrize("seed", [-1, -(2**63), 2**64 - 1])
def test_every_64_bits_are_a_seed(seed: int) -> None:
    assert content(sk.HeNormal(seed=seed)((4,))) == sb.HeNormal(seed=seed)((4,)).tobytes()


@pytest.mark.parametrize(
    "seed", [2**64, True, 1.0, "1", [1], {"class_name": "Dense", "module": "keras.layers"}], ids=str
)
def test_what_is_no_seed_is_a_value_error_as_in_keras(seed: Any) -> None:
    with pytest.raises(sb.InvalidValueError, match="`seed` must be"):
        sk.HeNormal(seed=seed)


def test_a_copy_shares_nothing() -> None:
    initializer = sk.HeNormal(seed=sb.SeedGenerator(5))
    twin = copy.deepcopy(initializer)
    assert content(twin((3, 3))) == content(initializer((3, 3)))


def test_a_generator_serves_layers_that_keras_builds_while_it_infers_shapes() -> None:
    class Inner(keras.layers.Layer):  # type: ignore[misc]
        """Makes its layer at the first call, when Keras traces it."""

        def __init__(self, generator: Any) -> None:
            super().__init__()
            self.dense = keras.layers.Dense(3, kernel_initializer=sk.GlorotUniform(generator))

        def call(self, inputs: Any) -> Any:
            return self.dense(inputs)

    generator = keras.random.SeedGenerator(5)
    inputs = keras.Input((4,))
    model = keras.Model(inputs, Inner(generator)(inputs))
    kernel = values(model.weights[0])
    candidates = [sb.GlorotUniform(5)((4, 3), draw=draw) for draw in range(8)]
    assert any(np.array_equal(kernel, candidate) for candidate in candidates)
