"""Slices are rectangles of the whole, and the parts of a shard are those of numpy.array_split."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import seedbed as sb
from seedbed.spec.slices import Shard, TensorSlice, as_slice, shard, whole


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 8, 16, 50])
def test_shards_are_numpys_array_split(count: int) -> None:
    for length in range(41):
        array = np.arange(length * 2).reshape(length, 2)
        for index, part in enumerate(np.array_split(array, count)):
            assert np.array_equal(array[shard(index, count).of(array.shape).index], part)


@given(st.lists(st.integers(0, 6), min_size=1, max_size=4), st.integers(1, 8), st.data())
def test_shards_of_any_axis_are_numpys_array_split(
    shape: list[int], count: int, data: st.DataObject
) -> None:
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    array = np.arange(np.prod(shape, dtype=int)).reshape(shape)
    parts = [shard(index, count, axis).of(tuple(shape)) for index in range(count)]
    for part, expected in zip(parts, np.array_split(array, count, axis), strict=True):
        assert part.lengths == expected.shape
        assert np.array_equal(array[part.index], expected)


@pytest.mark.parametrize(
    ("length", "count"),
    [(10**15 + 7, 1000), (2**62, 3), (1, 2**40)],
    ids=["trillions", "2**62", "mostly empty"],
)
def test_large_shards_are_exact(length: int, count: int) -> None:
    first, second, last = (shard(i, count).of((length,)) for i in (0, 1, count - 1))
    assert first.starts == (0,)
    assert second.starts == first.lengths
    assert last.starts[0] + last.lengths[0] == length
    assert 0 <= first.lengths[0] - last.lengths[0] <= 1


def test_a_negative_axis_counts_from_the_end() -> None:
    assert (
        shard(1, 2, axis=-1).of((4, 6))
        == shard(1, 2, axis=1).of((4, 6))
        == TensorSlice((0, 3), (4, 3))
    )


def test_the_default_axis_is_the_first() -> None:
    assert shard(0, 2) == Shard(0, 2, 0)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [((0, 0), "count"), ((0, -1), "count"), ((2, 2), "index"), ((-1, 2), "index")],
    ids=str,
)
def test_a_shard_that_does_not_exist_is_refused(arguments: tuple[int, int], field: str) -> None:
    with pytest.raises(sb.InvalidValueError, match=f"`{field}` must be"):
        shard(*arguments)


@pytest.mark.parametrize("value", [1.0, "1", None, True, (1,)], ids=repr)
@pytest.mark.parametrize("name", ["index", "count", "axis"])
def test_a_shards_numbers_are_integers(name: str, value: Any) -> None:
    with pytest.raises(sb.InvalidTypeError, match=f"`{name}` must be an integer"):
        shard(**{"index": 0, "count": 2, "axis": 0, name: value})


def test_numpy_integers_make_an_equal_shard() -> None:
    arguments: Any = (np.int64(1), np.uint8(2), np.int8(-1))
    made = shard(*arguments)
    assert made == Shard(1, 2, -1)
    assert type(made.index) is int


@pytest.mark.parametrize(("shape", "axis"), [((), 0), ((4,), 1), ((4,), -2), ((4, 5), 2)], ids=str)
def test_a_shard_of_an_axis_that_is_not_there_is_refused(shape: tuple[int, ...], axis: int) -> None:
    with pytest.raises(sb.InvalidValueError, match=r"`axis` must be (from|none: a scalar)"):
        shard(0, 2, axis).of(shape)


@given(st.data())
def test_the_index_is_the_rectangle(data: st.DataObject) -> None:
    shape = tuple(data.draw(st.lists(st.integers(0, 5), max_size=4)))
    starts = tuple(data.draw(st.integers(0, length)) for length in shape)
    lengths = tuple(
        data.draw(st.integers(0, n - start)) for n, start in zip(shape, starts, strict=True)
    )
    part = TensorSlice(starts, lengths)
    part.check(shape)
    array = np.arange(np.prod(shape, dtype=int)).reshape(shape)
    cut = array[part.index]
    assert cut.shape == lengths
    assert [tuple(place) for place in np.argwhere(np.isin(array, cut))] == [
        tuple(s + i for s, i in zip(starts, offset, strict=True)) for offset in np.ndindex(*lengths)
    ]


def test_the_whole_is_a_slice() -> None:
    assert whole((2, 0, 3)) == TensorSlice((0, 0, 0), (2, 0, 3))
    assert whole(()) == TensorSlice((), ())


@pytest.mark.parametrize(
    ("starts", "lengths", "field"),
    [
        ((0,), (1, 1), "slice.starts"),
        ((0, 0), (1,), "slice.lengths"),
        ((0, 0, 0), (1, 1, 1), "slice.starts"),
        ((-1, 0), (1, 1), "slice.starts[0]"),
        ((5, 0), (0, 0), "slice.starts[0]"),
        ((0, 6), (0, 0), "slice.starts[1]"),
        ((0, 0), (5, 0), "slice.lengths[0]"),
        ((3, 0), (2, 0), "slice.lengths[0]"),
        ((0, 0), (1, -1), "slice.lengths[1]"),
        ((2**63, 0), (1, 1), "slice.starts[0]"),
        ((0, 0), (1, 2**64), "slice.lengths[1]"),
    ],
    ids=str,
)
def test_a_rectangle_that_leaves_the_tensor_is_refused_by_axis(
    starts: tuple[int, ...], lengths: tuple[int, ...], field: str
) -> None:
    with pytest.raises(sb.InvalidValueError) as caught:
        as_slice(TensorSlice(starts, lengths), (4, 5))
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("starts", "lengths"), [((4, 5), (0, 0)), ((0, 0), (4, 5)), ((3, 4), (1, 1))], ids=str
)
def test_the_edges_belong_to_the_tensor(starts: tuple[int, int], lengths: tuple[int, int]) -> None:
    part = TensorSlice(starts, lengths)
    assert as_slice(part, (4, 5)) is part


@pytest.mark.parametrize("value", [[0], [slice(0, 1)], 3, "all", np.array([0])], ids=repr)
def test_what_is_no_slice_is_a_type_error(value: object) -> None:
    with pytest.raises(sb.InvalidTypeError, match="`slice` must be a TensorSlice"):
        as_slice(value, (4, 5))


@pytest.mark.parametrize("values", [None, "12", (1.0,), (None,), (True,)], ids=repr)
def test_a_slices_numbers_are_integers(values: Any) -> None:
    with pytest.raises(sb.InvalidTypeError, match=r"`slice\.starts"):
        TensorSlice(values, (1,))
    with pytest.raises(sb.InvalidTypeError, match=r"`slice\.lengths"):
        TensorSlice((0,), values)


def test_no_slice_and_a_shard_are_understood() -> None:
    assert as_slice(None, (4, 5)) is None
    assert as_slice(shard(1, 2), (4, 5)) == TensorSlice((2, 0), (2, 5))


def test_a_slice_holds_plain_tuples() -> None:
    starts: Any = np.array([1, 2])
    lengths: Any = [np.int32(3), 4]
    part = TensorSlice(starts, lengths)
    assert part == TensorSlice((1, 2), (3, 4))
    assert hash(part) == hash(TensorSlice((1, 2), (3, 4)))


@pytest.mark.parametrize(
    "index",
    [
        np.s_[:],
        np.s_[1:3],
        np.s_[1:3, :],
        np.s_[:, 2:],
        np.s_[-3:-1, :4],
        np.s_[..., 1:2],
        np.s_[1:, ...],
        np.s_[...],
        np.s_[2:2, 5:5],
        np.s_[0:4:1, np.int64(1) : np.uint8(3)],
        (),
    ],
    ids=repr,
)
def test_an_index_of_slices_means_what_numpy_gives(index: Any) -> None:
    whole = np.arange(20).reshape(4, 5)
    part = as_slice(index, (4, 5))
    assert part is not None
    assert np.array_equal(whole[part.index], whole[index])
    assert part.lengths == whole[index].shape


@pytest.mark.parametrize(
    ("index", "words"),
    [
        (
            (0, 1),
            (
                "`slice[0]` must be a slice, such as 0:128 or :. Received: 0 (of type int); "
                "did you mean 0:1, which keeps the axis?"
            ),
        ),
        (np.s_[:, -1], "did you mean -1:, which keeps the axis?"),
        (np.s_[:, None], "`slice[1]` must be a slice"),
        ((slice(None), True), "`slice[1]` must be a slice"),
        (([0, 1], slice(None)), "`slice[0]` must be a slice"),
        (np.s_["a":], "`slice[0].start` must be an integer"),
        (np.s_[:1.0], "`slice[0].stop` must be an integer"),
    ],
    ids=repr,
)
def test_an_index_of_something_else_is_a_type_error(index: Any, words: str) -> None:
    with pytest.raises(sb.InvalidTypeError) as caught:
        as_slice(index, (4, 5))
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("index", "words"),
    [
        (np.s_[:, ::2], "`slice[1].step` must be 1 or left out"),
        (np.s_[::-1], "`slice[0].step` must be 1 or left out"),
        (np.s_[:9], "`slice[0].stop` must be from -4 to 4 on an axis of 4 elements. Received: 9"),
        (np.s_[:, -6:], "`slice[1].start` must be from -5 to 5"),
        (np.s_[3:1], "`slice[0].stop` must be at least the start, 3. Received: 1"),
        (np.s_[:, :, :], "`slice` must be at most 2 slices, one for each axis. Received: (slice("),
        (np.s_[..., ...], "`slice` must be slices with one `...` at most"),
    ],
    ids=repr,
)
def test_an_index_that_is_no_rectangle_inside_is_refused(index: Any, words: str) -> None:
    with pytest.raises(sb.InvalidValueError) as caught:
        as_slice(index, (4, 5))
    assert words in str(caught.value)
