"""TensorFlow's partition arguments give the exact slice of the whole tensor, with its fans."""

from typing import Any

import numpy as np
import pytest

import seedbed as sb
from tests.contract.keras_page import PAGES, RANDOM, SHAPE, Page, content, every_advancing_class

WHOLE = (6, 5)


def _each(pages: tuple[Page, ...]) -> pytest.MarkDecorator:
    # The others fill kernels of convolutions.
    matrices = [page for page in pages if page.shape == SHAPE]
    return pytest.mark.parametrize("page", matrices, ids=[page.alias for page in matrices])


every_class = _each(PAGES)
every_random_class = _each(RANDOM)
PARTS = {
    "first rows": ((2, 5), (0, 0)),
    "last rows": ((3, 5), (3, 0)),
    "columns": ((6, 2), (0, 3)),
    "inner": ((2, 3), (1, 1)),
    "nothing": ((0, 5), (6, 0)),
    "everything": ((6, 5), (0, 0)),
}
every_part = pytest.mark.parametrize(("lengths", "starts"), PARTS.values(), ids=PARTS)


def cut(whole: Any, lengths: tuple[int, ...], starts: tuple[int, ...]) -> Any:
    """Return a rectangle of an array."""
    return whole[
        tuple(slice(start, start + length) for start, length in zip(starts, lengths, strict=True))
    ]


@every_class
@every_part
def test_a_partition_is_the_slice_of_the_whole(
    page: Page, lengths: tuple[int, ...], starts: tuple[int, ...]
) -> None:
    part = page.example()(WHOLE, "float64", partition_shape=lengths, partition_offset=starts)
    assert part.shape == lengths
    assert content(part) == content(cut(page.example()(WHOLE, "float64"), lengths, starts))


@every_random_class
def test_the_partitions_of_one_initializer_belong_to_one_tensor(page: Page) -> None:
    # TensorFlow's sharded variables call one initializer once for each part.
    initializer = page.example()
    rows = [
        initializer(WHOLE, partition_shape=(2, 5), partition_offset=(row, 0)) for row in (0, 2, 4)
    ]
    assert content(np.concatenate(rows)) == content(page.example()(WHOLE))


@every_advancing_class
def test_a_partition_takes_the_draw_of_the_next_call_and_leaves_it_there(page: Page) -> None:
    generator = sb.SeedGenerator(5)
    for initializer in (page.example(), page.example(seed=generator)):
        initializer(WHOLE)
        part = initializer(WHOLE, partition_shape=(2, 5), partition_offset=(4, 0))
        assert content(part) == content(page.example()(WHOLE, draw=1)[4:])
        assert content(initializer(WHOLE)) == content(page.example()(WHOLE, draw=1))
    assert generator.position == 2


@every_random_class
def test_a_partition_of_a_named_or_pinned_tensor(page: Page) -> None:
    options: dict[str, Any] = {"name": "w", "draw": 3}
    part = page.example()(WHOLE, partition_shape=(1, 5), partition_offset=(2, 0), **options)
    assert content(part) == content(page.example()(WHOLE, **options)[2:3])


@pytest.mark.parametrize(
    "numbers", [list, np.array, lambda values: tuple(np.int64(v) for v in values)]
)
def test_any_sequence_of_integers_will_do(numbers: Any) -> None:
    part = sb.HeNormal(seed=1)(
        WHOLE, partition_shape=numbers((2, 5)), partition_offset=numbers((1, 0))
    )
    assert content(part) == content(sb.HeNormal(seed=1)(WHOLE)[1:3])


def test_a_vector_has_partitions_too() -> None:
    part = sb.RandomNormal(seed=1)(7, partition_shape=3, partition_offset=2)
    assert content(part) == content(sb.RandomNormal(seed=1)(7)[2:5])


def test_a_scalar_has_the_partition_that_is_itself() -> None:
    part = sb.RandomNormal(seed=1)((), partition_shape=(), partition_offset=())
    assert content(part) == content(sb.RandomNormal(seed=1)(()))


def test_the_limit_of_a_partition_is_the_wholes() -> None:
    part = sb.GlorotUniform(seed=1)((4, 6000), partition_shape=(4, 3), partition_offset=(0, 17))
    assert np.abs(part).max() < np.sqrt(6 / 6004)


@pytest.mark.parametrize(
    ("lengths", "starts", "kind", "message"),
    [
        ((2, 5), None, sb.InvalidValueError, "`partition_offset` must be given"),
        (None, (0, 0), sb.InvalidValueError, "`partition_shape` must be given"),
        ((2,), (0, 0), sb.InvalidValueError, r"`partition_shape` must be 2 numbers"),
        ((2, 5), (0, 0, 0), sb.InvalidValueError, r"`partition_offset` must be 2 numbers"),
        (
            (2, 5),
            (5, 0),
            sb.InvalidValueError,
            r"`partition_shape\[0\]` must be from 0 to 1 .* starts at 5",
        ),
        ((-1, 5), (0, 0), sb.InvalidValueError, r"`partition_shape\[0\]` must be from 0 to 6"),
        ((0, 5), (0, 6), sb.InvalidValueError, r"`partition_offset\[1\]` must be from 0 to 5"),
        ((0, 5), (-1, 0), sb.InvalidValueError, r"`partition_offset\[0\]` must be from 0 to 6"),
        ((2.0, 5), (0, 0), sb.InvalidTypeError, r"`partition_shape\[0\]` must be an integer"),
        ((2, 5), "00", sb.InvalidTypeError, "`partition_offset` must be a sequence of integers"),
    ],
)
def test_a_partition_that_does_not_fit_is_refused(
    lengths: Any, starts: Any, kind: Any, message: str
) -> None:
    generator = sb.SeedGenerator(1)
    with pytest.raises(kind, match=message):
        sb.GlorotUniform(generator)(WHOLE, partition_shape=lengths, partition_offset=starts)
    assert generator.position == 0


def test_a_partition_and_a_slice_do_not_go_together() -> None:
    with pytest.raises(
        sb.InvalidValueError, match="`slice` must be None where a partition is given"
    ):
        sb.Ones()(WHOLE, partition_shape=(2, 5), partition_offset=(0, 0), slice=sb.shard(0, 2))


@every_class
def test_a_partition_of_a_type_that_is_not_allowed_is_still_refused(page: Page) -> None:
    with pytest.raises(ValueError, match="`dtype`"):
        page.example()(WHOLE, "complex64", partition_shape=(2, 5), partition_offset=(0, 0))


@every_class
@pytest.mark.parametrize("name", ["partition", "layout", "partition_info", "no_such"])
def test_a_keyword_that_does_not_exist_is_a_type_error(page: Page, name: str) -> None:
    with pytest.raises(TypeError, match=name):
        page.example()(WHOLE, **{name: None})
