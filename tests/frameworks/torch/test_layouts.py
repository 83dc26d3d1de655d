"""What a rank holds of a tensor: runs and rectangles against torch's own splitting of it."""

import itertools
from collections.abc import Sequence
from typing import Any

import hypothesis
import numpy as np
import pytest
import torch
from hypothesis import strategies as st
from torch.distributed.tensor import Replicate, Shard
from torch.distributed.tensor._utils import _compute_local_shape_and_global_offset
from torch.distributed.tensor.placement_types import _StridedShard

from seedbed.torch.layout import Layout, whole_layout
from seedbed.torch.runs import AxisRuns, all_of, runs


def indices(axis: AxisRuns) -> list[int]:
    return [index for start, length in axis.pairs for index in range(start, start + length)]


@pytest.mark.parametrize("count", range(1, 9))
@pytest.mark.parametrize("length", [0, 1, 2, 3, 5, 7, 8, 12, 13])
def test_chunks_are_torchs_and_the_last_may_be_empty(length: int, count: int) -> None:
    expected = [chunk.tolist() for chunk in torch.arange(length).chunk(count)] if length else []
    expected += [[]] * (count - len(expected))
    assert [indices(all_of(length).chunk(index, count)) for index in range(count)] == expected


@pytest.mark.parametrize("split_factor", [1, 2, 3, 4])
@pytest.mark.parametrize("count", [1, 2, 3, 4])
@pytest.mark.parametrize("length", [1, 2, 5, 8, 9, 12, 17])
def test_strided_chunks_are_torchs(length: int, count: int, split_factor: int) -> None:
    placement = _StridedShard(0, split_factor=split_factor)
    shards, _ = placement._split_tensor(torch.arange(length), count, with_padding=False)
    found = [
        indices(all_of(length).strided_chunk(index, count, split_factor)) for index in range(count)
    ]
    assert found == [shard.tolist() for shard in shards]


def placed(
    shape: Sequence[int], mesh: Sequence[int], coordinate: Sequence[int], placements: Sequence[Any]
) -> Layout:
    """Return the layout of a rank, as seedbed.torch.dtensors finds it for a real DTensor."""
    axes = list(map(all_of, shape))
    for size, index, placement in zip(mesh, coordinate, placements, strict=True):
        if not placement.is_replicate():
            factor = getattr(placement, "split_factor", 1)
            axes[placement.dim] = axes[placement.dim].strided_chunk(index, size, factor)
    return Layout(tuple(shape), tuple(axes))


PLACEMENTS: list[tuple[tuple[int, ...], tuple[Any, ...]]] = [
    ((2,), (Shard(0),)),
    ((3,), (Shard(1),)),
    ((4,), (Shard(2),)),
    ((4,), (Replicate(),)),
    ((2, 2), (Shard(0), Shard(0))),
    ((2, 3), (Shard(1), Shard(0))),
    ((3, 2), (Shard(2), Shard(2))),
    ((2, 2), (_StridedShard(0, split_factor=2), Shard(0))),
    ((3, 2), (_StridedShard(1, split_factor=2), Shard(1))),
    ((2, 2), (_StridedShard(0, split_factor=3), Replicate())),
    ((2, 2, 2), (_StridedShard(0, split_factor=4), Shard(1), Shard(0))),
]


@pytest.mark.parametrize(("mesh", "placements"), PLACEMENTS, ids=str)
@pytest.mark.parametrize("shape", [(8, 6, 4), (5, 7, 3), (2, 1, 9), (1, 1, 1), (12, 5, 2)], ids=str)
def test_what_is_held_has_torchs_shape_and_begins_where_torch_says(
    mesh: tuple[int, ...], placements: tuple[Any, ...], shape: tuple[int, ...]
) -> None:
    for coordinate in itertools.product(*map(range, mesh)):
        layout = placed(shape, mesh, coordinate, placements)
        local_shape, offset = _compute_local_shape_and_global_offset(
            shape, mesh, list(coordinate), placements
        )
        assert layout.local_shape == local_shape
        if 0 not in local_shape:
            assert tuple(axis.pairs[0][0] for axis in layout.axes) == offset


@pytest.mark.parametrize(("mesh", "placements"), PLACEMENTS, ids=str)
@pytest.mark.parametrize("shape", [(8, 6, 4), (5, 7, 3), (2, 1, 9)], ids=str)
@pytest.mark.parametrize("is_matrix", [False, True], ids=["tensor", "matrix"])
def test_the_rectangles_make_up_what_torch_would_cut_out(
    mesh: tuple[int, ...], placements: tuple[Any, ...], shape: tuple[int, ...], is_matrix: bool
) -> None:
    whole = torch.arange(int(np.prod(shape))).reshape(shape)
    for coordinate in itertools.product(*map(range, mesh)):
        expected = whole
        for size, index, placement in zip(mesh, coordinate, placements, strict=True):
            if not placement.is_replicate():
                expected = placement._split_tensor(expected, size, with_padding=False)[0][index]
        layout = placed(shape, mesh, coordinate, placements)
        assert (
            assembled(layout.as_matrix() if is_matrix else layout, whole)
            == expected.flatten().tolist()
        )


def assembled(layout: Layout, whole: torch.Tensor) -> list[int]:
    """Put the rectangles of a layout together; every place is written once."""
    source = whole.reshape(layout.shape).numpy()
    target = np.full(layout.local_shape, -1)
    asked = 0
    for held in layout.rectangles():
        part = source if held.slice is None else source[held.slice.index]
        assert (target[held.place] == -1).all()
        target[held.place] = part
        asked += part.size
    assert asked == target.size
    return [int(number) for number in target.flatten()]


@st.composite
def some_runs(draw: st.DrawFn, length: int) -> AxisRuns:
    """Draw runs of ascending indices of an axis."""
    chosen = draw(st.sets(st.integers(0, length - 1), min_size=1)) if length else set()
    return runs((index, 1) for index in sorted(chosen))


@hypothesis.given(st.data(), st.lists(st.integers(1, 5), min_size=1, max_size=4))
def test_any_runs_of_any_axes_flatten_to_the_same_elements(
    data: st.DataObject, shape: list[int]
) -> None:
    axes = tuple(data.draw(some_runs(length)) for length in shape)
    layout = Layout(tuple(shape), axes)
    whole = torch.arange(int(np.prod(shape))).reshape(shape)
    expected = whole.numpy()[np.ix_(*map(indices, axes))].flatten().tolist()
    assert assembled(layout, whole) == expected
    assert assembled(layout.as_matrix(), whole) == expected


def test_neighbouring_runs_are_one_and_empty_ones_none() -> None:
    assert runs([(0, 2), (2, 3), (7, 0), (9, 1), (3, 1)]).pairs == ((0, 5), (9, 1), (3, 1))


def test_a_whole_tensor_is_asked_for_without_a_slice() -> None:
    for shape in ((), (3,), (2, 4)):
        (held,) = whole_layout(shape).rectangles()
        assert held.slice is None


@pytest.mark.parametrize("shape", [(0,), (3, 0), (0, 2)])
def test_nothing_is_asked_for_where_nothing_is_held(shape: tuple[int, ...]) -> None:
    assert list(whole_layout(shape).rectangles()) == []


def test_places_of_indices_are_found() -> None:
    axis = runs([(2, 2), (7, 3)])
    assert [axis.place_of(index) for index in range(11)] == [
        None,
        None,
        0,
        1,
        None,
        None,
        None,
        2,
        3,
        4,
        None,
    ]
