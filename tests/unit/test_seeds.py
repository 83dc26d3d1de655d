"""Seeds and draws are 64 bits, whatever integer they came as; a SeedGenerator hands out draws."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any

import numpy as np
import pytest

import seedbed as sb
from seedbed.spec.seeds import MAX_DRAW, MAX_SEED, MIN_SEED, as_draw, as_seed


class Index:
    """An integer of another library, such as a 0-d tensor."""

    def __index__(self) -> int:
        return 7


NOT_INTEGERS = [True, np.True_, 1.0, np.float64(1), "1", b"1", None, [1], 1j, np.array([1])]


@pytest.mark.parametrize(
    ("seed", "bits"),
    [
        (0, 0),
        (1, 1),
        (2**63 - 1, 2**63 - 1),
        (2**63, 2**63),
        (2**64 - 1, 2**64 - 1),
        (-1, 2**64 - 1),
        (-(2**63), 2**63),
        (np.int64(-1), 2**64 - 1),
        (np.uint64(2**64 - 1), 2**64 - 1),
        (np.int8(5), 5),
        (np.array(5), 5),
        (Index(), 7),
    ],
    ids=str,
)
def test_a_seed_is_64_bits(seed: Any, bits: int) -> None:
    assert as_seed(seed) == bits
    assert type(as_seed(seed)) is int


@pytest.mark.parametrize(
    "seed", [MAX_SEED + 1, MIN_SEED - 1, 10**5000], ids=["2**64", "-2**63 - 1", "5000 digits"]
)
def test_a_seed_of_more_bits_is_refused(seed: int) -> None:
    with pytest.raises(sb.InvalidValueError, match=r"`seed` must be from -2\*\*63 to 2\*\*64 - 1"):
        as_seed(seed)


@pytest.mark.parametrize("draw", [0, 1, np.int64(3), MAX_DRAW], ids=str)
def test_a_draw_is_an_integer_from_0(draw: Any) -> None:
    assert as_draw(draw) == int(draw)


@pytest.mark.parametrize("draw", [-1, MAX_DRAW + 1], ids=str)
def test_a_draw_of_more_bits_or_below_0_is_refused(draw: int) -> None:
    with pytest.raises(sb.InvalidValueError, match=r"`draw` must be from 0 to 2\*\*64 - 1"):
        as_draw(draw)


@pytest.mark.parametrize("value", NOT_INTEGERS, ids=repr)
@pytest.mark.parametrize("check", [as_seed, as_draw], ids=["seed", "draw"])
def test_what_is_no_integer_is_a_type_error_that_names_the_field(check: Any, value: object) -> None:
    with pytest.raises(sb.InvalidTypeError, match="`own` must be an integer") as caught:
        check(value, field="own")
    assert caught.value.field == "own"


def test_a_generator_hands_out_one_draw_after_another() -> None:
    generator = sb.SeedGenerator(7)
    assert [generator.next_draw() for _ in range(3)] == [0, 1, 2]
    assert generator.position == 3
    assert generator.seed == 7


def test_a_generator_goes_on_where_its_config_says() -> None:
    generator = sb.SeedGenerator(7, position=5)
    generator.next_draw()
    assert generator.get_config() == {"seed": 7, "position": 6}
    again = sb.SeedGenerator.from_config(generator.get_config())
    assert again == generator
    assert again.next_draw() == 6
    assert again != generator


def test_a_generator_is_equal_by_seed_and_position_and_keeps_its_hash() -> None:
    generator = sb.SeedGenerator(7)
    before = hash(generator)
    assert generator == sb.SeedGenerator(7)
    assert generator != sb.SeedGenerator(8)
    assert generator != sb.SeedGenerator(7, position=1)
    assert generator != 7
    generator.next_draw()
    assert hash(generator) == before
    assert repr(generator) == "SeedGenerator(seed=7, position=1)"


def test_a_generator_without_a_seed_draws_64_bits() -> None:
    one, two = sb.SeedGenerator(), sb.SeedGenerator(None)
    assert one.seed != two.seed
    assert any(sb.SeedGenerator().seed >= 2**63 for _ in range(64)), "the top bit is drawn too"


@pytest.mark.parametrize("name", ["seed", "position"])
@pytest.mark.parametrize("value", [True, 1.0, "1"], ids=repr)
def test_a_generators_numbers_are_integers(name: str, value: Any) -> None:
    with pytest.raises(sb.InvalidTypeError, match=f"`{name}` must be an integer"):
        sb.SeedGenerator(**{name: value})


@pytest.mark.parametrize(
    "arguments", [{"seed": 2**64}, {"position": -1}, {"position": 2**64}], ids=str
)
def test_a_generators_numbers_are_in_range(arguments: dict[str, int]) -> None:
    with pytest.raises(sb.InvalidValueError):
        sb.SeedGenerator(**arguments)


@pytest.mark.parametrize("config", [{"no_such": 1}, 5, None, []], ids=repr)
def test_a_generators_config_that_does_not_fit_is_a_type_error(config: Any) -> None:
    with pytest.raises(sb.InvalidTypeError, match="`config` must be"):
        sb.SeedGenerator.from_config(config)


def test_the_last_draw_is_handed_out_and_none_after_it() -> None:
    generator = sb.SeedGenerator(7, position=MAX_DRAW)
    initializer = sb.RandomNormal(seed=generator)
    assert initializer((2,)).tobytes() == sb.RandomNormal(seed=7)((2,), draw=MAX_DRAW).tobytes()
    with pytest.raises(sb.InvalidValueError, match="draw"):
        initializer((2,))


def test_threads_never_get_the_same_draw() -> None:
    generator = sb.SeedGenerator(7)
    with ThreadPoolExecutor(8) as pool:
        handed = list(pool.map(lambda _: [generator.next_draw() for _ in range(200)], range(8)))
    assert sorted(chain.from_iterable(handed)) == list(range(1600))


@pytest.mark.parametrize(
    "twin", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))], ids=["deepcopy", "pickle"]
)
def test_a_copy_of_a_generator_goes_its_own_way(twin: Any) -> None:
    generator = sb.SeedGenerator(7, position=2)
    copied = twin(generator)
    assert copied == generator
    assert (copied.next_draw(), copied.next_draw(), generator.next_draw()) == (2, 3, 2)


def test_copies_made_together_still_share_their_generator() -> None:
    generator = sb.SeedGenerator(7)
    one, two = copy.deepcopy([sb.HeNormal(seed=generator), sb.HeNormal(seed=generator)])
    one((2,))
    assert two.seed is one.seed
    assert generator.position == 0
