"""Seeds keep, class by class, what Keras's documentation promises from call to call."""

import copy
import json
import os
import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import seedbed as sb
from tests.contract.keras_page import (
    Page,
    content,
    every_advancing_class,
    every_random_class,
    every_repeating_class,
    shape_for,
)


def draws(page: Page, count: int, seed: int = 5) -> list[bytes]:
    """Return what the first draws of a seed are, each pinned."""
    return [content(page.make(seed=seed)(page.shape, draw=draw)) for draw in range(count)]


def calls(initializer: Any, count: int) -> list[bytes]:
    """Return what successive calls give."""
    return [content(initializer(shape_for(initializer))) for _ in range(count)]


@every_random_class
def test_draws_differ_from_each_other(page: Page) -> None:
    assert len(set(draws(page, 5))) == 5


@every_repeating_class
def test_the_same_values_across_calls(page: Page) -> None:
    assert calls(page.make(seed=5), 3) == [draws(page, 1)[0]] * 3


@every_advancing_class
def test_not_the_same_values_across_calls_but_the_same_sequence_for_the_same_seed(
    page: Page,
) -> None:
    first, second = page.make(seed=5), page.make(seed=5)
    assert calls(first, 3) == calls(second, 3) == draws(page, 3)
    assert calls(first, 1) != calls(page.make(seed=5), 1)


@every_random_class
def test_another_seed_gives_other_values(page: Page) -> None:
    seeds = (0, 1, 2, 2**31 - 1, 2**32, 2**32 + 1, 2**63, 2**64 - 1)
    assert len({draws(page, 1, seed)[0] for seed in seeds}) == len(seeds)


@every_random_class
def test_a_pinned_draw_neither_depends_on_earlier_calls_nor_moves_later_ones(page: Page) -> None:
    initializer = page.make(seed=5)
    expected = draws(page, 3)
    assert content(initializer(shape_for(initializer), draw=2)) == expected[2]
    later = calls(initializer, 2)
    assert content(initializer(shape_for(initializer), draw=0)) == expected[0]
    assert later == (expected[:1] * 2 if page.repeats else expected[:2])


@every_random_class
@pytest.mark.parametrize(
    "seed", [lambda: 5, lambda: sb.SeedGenerator(5)], ids=["integer", "generator"]
)
def test_a_name_makes_calls_independent_of_their_order(page: Page, seed: Any) -> None:
    initializer = page.make(seed=seed())
    kernel = content(initializer(shape_for(initializer), name="kernel"))
    bias = content(initializer(shape_for(initializer), name="bias"))
    assert kernel != bias
    assert bias != draws(page, 1)[0]
    assert content(initializer(shape_for(initializer), name="kernel")) == kernel
    assert calls(initializer, 1) == draws(page, 1), "named calls take no draw"
    assert content(page.make(seed=5)(page.shape, name="bias")) == bias


@every_random_class
def test_a_name_and_a_draw_go_together(page: Page) -> None:
    initializer = page.make(seed=5)
    named = [content(initializer(shape_for(initializer), name="w", draw=draw)) for draw in (0, 1)]
    assert named[0] == content(initializer(shape_for(initializer), name="w")) != named[1]


@every_random_class
@pytest.mark.parametrize("arguments", [{"dtype": "int32"}, {"dtype": "no"}, {"name": 5}], ids=str)
def test_a_call_that_is_refused_takes_no_draw(page: Page, arguments: dict[str, Any]) -> None:
    initializer = page.make(seed=sb.SeedGenerator(5))
    with pytest.raises(sb.InvalidArgumentError):
        initializer(shape_for(initializer), **arguments)
    assert calls(initializer, 1) == draws(page, 1)


@every_random_class
@pytest.mark.parametrize("draw", [True, 1.0, "1"], ids=repr)
def test_a_draw_that_is_no_integer_is_a_type_error(page: Page, draw: Any) -> None:
    with pytest.raises(sb.InvalidTypeError, match="`draw`"):
        page.make(seed=5)(page.shape, draw=draw)


@every_random_class
def test_a_generator_gives_every_class_a_sequence(page: Page) -> None:
    generator = sb.SeedGenerator(5)
    initializer = page.make(seed=generator)
    assert calls(initializer, 3) == draws(page, 3)
    assert generator.position == 3
    assert initializer.seed is generator


@every_random_class
def test_initializers_that_share_a_generator_never_share_a_draw(page: Page) -> None:
    generator = sb.SeedGenerator(5)
    one, two = page.make(seed=generator), page.make(seed=generator)
    assert calls(one, 1) + calls(two, 1) + calls(one, 1) == draws(page, 3)


@every_random_class
def test_a_generator_keeps_its_position_through_serialization(page: Page) -> None:
    initializer = page.make(seed=sb.SeedGenerator(5))
    calls(initializer, 2)
    restored = sb.deserialize(json.loads(json.dumps(sb.serialize(initializer))))
    assert restored == initializer
    assert restored.seed.position == 2
    assert calls(restored, 1) == draws(page, 3)[2:]
    assert initializer.seed.position == 2, "the restored one has a generator of its own"


@every_random_class
def test_no_seed_is_64_random_bits_drawn_once(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def urandom(size: int) -> bytes:
        asked.append(size)
        return (2**63 + 11).to_bytes(size, "little")

    monkeypatch.setattr(os, "urandom", urandom)
    initializer = page.make()
    assert asked == [8]
    assert calls(initializer, 1) == draws(page, 1, seed=2**63 + 11)
    content(initializer(page.shape, name="w"))
    assert asked == [8]
    assert initializer.seed == 2**63 + 11


@every_random_class
def test_what_was_made_without_a_seed_has_none_in_its_configuration(page: Page) -> None:
    initializer = page.make()
    assert initializer.get_config()["seed"] is None
    made = [
        page.cls.from_config(initializer.get_config()),
        initializer.clone(),
        sb.deserialize(sb.serialize(initializer)),
        sb.get(sb.serialize(initializer)),
    ]
    assert len({each.seed for each in (initializer, *made)}) == 5, "each draws its own"
    assert all(each != initializer for each in made)
    assert {each.spec for each in made} == {initializer.spec}


@every_random_class
@pytest.mark.parametrize(
    "twin",
    [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))],
    ids=["copy", "deepcopy", "pickle"],
)
def test_a_copy_keeps_the_bits_that_were_drawn(page: Page, twin: Any) -> None:
    initializer = page.make()
    copied = twin(initializer)
    assert copied == initializer
    assert hash(copied) == hash(initializer)
    assert copied.get_config()["seed"] is None
    assert content(copied(page.shape)) == content(initializer(page.shape))


@every_random_class
@pytest.mark.parametrize("seed", [lambda: None, sb.SeedGenerator], ids=["none", "drawn generator"])
def test_a_spec_takes_no_bits_that_were_drawn(page: Page, seed: Any) -> None:
    initializer = page.make(seed=seed())
    assert initializer.seed_bits is None
    with pytest.raises(sb.InvalidTypeError, match="`seed` must be an integer"):
        sb.TensorSpec("w", page.shape, "float32", initializer)
    assert sb.TensorSpec("w", page.shape, "float32", initializer, seed=3).seed == 3


@every_repeating_class
def test_an_unseeded_initializer_that_repeats_warns_as_tf_keras_does(page: Page) -> None:
    initializer = page.make()
    initializer(page.shape)
    with pytest.warns(UserWarning, match=f"{page.name} is unseeded and being called multiple") as w:
        initializer(page.shape)
    assert w[0].filename == __file__
    # Whoever names the tensor, pins the draw or asks for a part knows what comes.
    initializer(page.shape, name="w")
    initializer(page.shape, draw=0)
    rank = len(page.shape)
    initializer(page.shape, partition_shape=page.shape, partition_offset=(0,) * rank)
    seeded = page.make(seed=5)
    generated = page.make(seed=sb.SeedGenerator())
    for each in (seeded, seeded, generated, generated):
        each(page.shape)


@every_random_class
def test_two_initializers_without_a_seed_differ(page: Page) -> None:
    one, two = page.make(), page.make(seed=None)
    assert one != two
    assert calls(one, 1) != calls(two, 1)


@every_random_class
@pytest.mark.parametrize(
    ("seed", "bits"), [(-1, 2**64 - 1), (-7, 2**64 - 7), (-(2**63), 2**63)], ids=str
)
def test_a_negative_seed_is_its_twos_complement(page: Page, seed: int, bits: int) -> None:
    assert draws(page, 2, seed) == draws(page, 2, bits)
    assert page.make(seed=seed).seed_bits == bits
    assert page.make(seed=seed).get_config()["seed"] == seed, (
        "the configuration keeps what was given"
    )


@every_random_class
@pytest.mark.parametrize(
    ("seed", "bits"),
    [
        (np.int64(7), 7),
        (np.uint64(2**64 - 1), 2**64 - 1),
        (np.int8(-1), 2**64 - 1),
        (np.array(7), 7),
    ],
    ids=["int64", "uint64", "int8", "0-d array"],
)
def test_numpy_integers_are_seeds(page: Page, seed: Any, bits: int) -> None:
    initializer = page.make(seed=seed)
    assert type(initializer.seed) is int, "an array could change afterwards"
    assert calls(initializer, 1) == draws(page, 1, bits)
    assert page.cls.from_config(json.loads(json.dumps(initializer.get_config()))) == initializer


@every_random_class
@pytest.mark.parametrize(
    "seed", [True, np.True_, 1.0, np.float32(1), "1", b"1", [1], 1j, np.array([1, 2])], ids=repr
)
def test_what_is_no_integer_is_no_seed(page: Page, seed: Any) -> None:
    with pytest.raises(TypeError, match="`seed` must be an integer") as caught:
        page.make(seed=seed)
    assert isinstance(caught.value, sb.InvalidTypeError)
    with pytest.raises(sb.InvalidTypeError):
        sb.SeedGenerator(seed)


@every_random_class
@pytest.mark.parametrize("seed", [2**64, -(2**63) - 1, 10**30], ids=str)
def test_more_than_64_bits_are_no_seed(page: Page, seed: int) -> None:
    with pytest.raises(ValueError, match=r"`seed` must be from -2\*\*63 to 2\*\*64 - 1") as caught:
        page.make(seed=seed)
    assert isinstance(caught.value, sb.InvalidValueError)
    with pytest.raises(sb.InvalidValueError):
        sb.SeedGenerator(seed)


@pytest.mark.parametrize(
    "seed", [lambda: 5, lambda: sb.SeedGenerator(5)], ids=["integer", "generator"]
)
def test_threads_that_call_one_initializer_get_draws_of_their_own(seed: Any) -> None:
    initializer = sb.HeNormal(seed=seed())
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: content(initializer(shape_for(initializer))), range(64)))
    assert sorted(found) == sorted(
        content(sb.HeNormal(seed=5)(shape_for(initializer), draw=draw)) for draw in range(64)
    )


def test_what_is_not_random_has_no_seed() -> None:
    for initializer in (sb.Zeros(), sb.Ones(), sb.Constant(1), sb.Identity()):
        assert not hasattr(initializer, "seed"), "Keras's constants have none, either"
        assert initializer.seed_bits is None
        assert "seed" not in initializer.get_config()
