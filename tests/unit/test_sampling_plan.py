"""A plan finds any slice's elements in the whole tensor, as numpy does, and cuts them up."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.spec.dtypes import Dtype
from seedbed.spec.initializers import InitializerSpec, OrthogonalSpec, RandomUniformSpec
from seedbed.spec.slices import TensorSlice, shard
from seedbed.spec.tensors import TensorRequest, TensorSpec
from seedbed_server.sampling.lookups.base import round_matrix
from seedbed_server.sampling.sampler import SamplePlan, plan


def plan_of(
    shape: tuple[int, ...],
    part: TensorSlice | None = None,
    dtype: str = "float32",
    initializer: InitializerSpec | None = None,
) -> SamplePlan:
    """Return the plan of a slice of a tensor."""
    return plan(
        TensorRequest(
            TensorSpec("w", shape, dtype, initializer or RandomUniformSpec(), seed=1), part
        )
    )


@st.composite
def tensors_and_parts(draw: st.DrawFn) -> tuple[tuple[int, ...], TensorSlice | None]:
    """Draw a small shape and a rectangle of it, often whole on some axes, sometimes absent."""
    shape = tuple(draw(st.lists(st.integers(1, 6), max_size=5)))
    if draw(st.integers(0, 9)) == 0:
        return shape, None
    starts, lengths = [], []
    for length in shape:
        start = 0 if draw(st.booleans()) else draw(st.integers(0, length - 1))
        starts.append(start)
        lengths.append(
            length - start if draw(st.booleans()) else draw(st.integers(1, length - start))
        )
    return shape, TensorSlice(tuple(starts), tuple(lengths))


def indices_by_numpy(shape: tuple[int, ...], part: TensorSlice | None) -> list[int]:
    """Return the index in the whole of every element of a slice, in C order."""
    whole = np.arange(math.prod(shape)).reshape(shape)
    cut = whole if part is None else whole[part.index]
    return [int(index) for index in cut.reshape(-1)]


@given(tensors_and_parts(), st.data())
def test_any_elements_of_any_slice_are_numpys(
    tensor: tuple[tuple[int, ...], TensorSlice | None], data: st.DataObject
) -> None:
    expected = indices_by_numpy(*tensor)
    first = data.draw(st.integers(0, len(expected) - 1))
    count = data.draw(st.integers(1, len(expected) - first))
    runs = plan_of(*tensor).runs(first, count)
    assert runs.indices().tolist() == expected[first : first + count]
    assert int(runs.counts.sum()) == count
    assert runs.counts.min() > 0
    assert runs.firsts.dtype == runs.counts.dtype == np.uint64


@given(tensors_and_parts())
def test_runs_are_as_long_as_they_can_be(
    tensor: tuple[tuple[int, ...], TensorSlice | None],
) -> None:
    expected = indices_by_numpy(*tensor)
    runs = plan_of(*tensor).runs(0, len(expected))
    breaks = sum(after != before + 1 for before, after in pairwise(expected))
    assert runs.firsts.size == breaks + 1


@pytest.mark.parametrize(
    ("part", "run_count", "run_elements"),
    [
        (None, 1, 4 * 5 * 6),
        (TensorSlice((0, 0, 0), (4, 5, 6)), 1, 4 * 5 * 6),
        (TensorSlice((1, 0, 0), (2, 5, 6)), 1, 2 * 5 * 6),
        (TensorSlice((0, 1, 0), (4, 2, 6)), 4, 2 * 6),
        (TensorSlice((0, 0, 1), (4, 5, 2)), 4 * 5, 2),
        (TensorSlice((3, 4, 5), (1, 1, 1)), 1, 1),
    ],
    ids=["no slice", "everything", "first axis", "middle axis", "last axis", "one element"],
)
def test_axes_that_are_whole_are_joined(
    part: TensorSlice | None, run_count: int, run_elements: int
) -> None:
    found = plan_of((4, 5, 6), part)
    runs = found.runs(0, found.element_count)
    assert runs.counts.tolist() == [run_elements] * run_count


def test_a_scalar_is_one_element() -> None:
    for part in (None, TensorSlice((), ())):
        assert plan_of((), part).runs(0, 1).indices().tolist() == [0]


def test_indices_beyond_32_and_53_bits_are_exact() -> None:
    shape = (2**30, 2**29 + 1)
    found = plan_of(shape, TensorSlice((2**30 - 2, 2**29 - 1), (2, 2)), dtype="bfloat16")
    expected = [
        row * shape[1] + column for row in (2**30 - 2, 2**30 - 1) for column in (2**29 - 1, 2**29)
    ]
    assert found.runs(0, 4).indices().tolist() == expected
    assert max(expected) > 2**53
    whole = plan_of(shape, dtype="bfloat16")
    assert whole.runs(2**58 + 3, 2).indices().tolist() == [2**58 + 3, 2**58 + 4]


@given(
    st.integers(0, 300),
    st.integers(1, 100),
    st.sampled_from(["bfloat16", "float32", "float64"]),
    st.data(),
)
def test_chunks_are_whole_elements_without_gaps(
    length: int, limit: int, dtype: str, data: st.DataObject
) -> None:
    found = plan_of((length,), dtype=dtype)
    first = data.draw(st.integers(0, length))
    chunks = list(found.chunks(limit, first))
    at = first
    for chunk in chunks:
        assert chunk.first_element == at
        assert 1 <= chunk.element_count <= max(1, limit // found.dtype.itemsize)
        at += chunk.element_count
    assert at == length
    assert len({chunk.element_count for chunk in chunks[:-1]}) <= 1
    if first == 0:
        assert len(chunks) == found.chunk_count(limit)


def test_planning_costs_nothing_whatever_the_size() -> None:
    found = plan_of((2**40, 2**18), TensorSlice((5, 1), (2**40 - 5, 2**18 - 1)), dtype="float64")
    assert found.element_count == (2**40 - 5) * (2**18 - 1)
    assert found.size_bytes == 8 * found.element_count
    assert found.cost.working_bytes == 0
    assert next(found.chunks(2**21)).element_count == 2**18


def test_an_orthogonal_slice_costs_the_whole_matrix() -> None:
    spec_elements = 40 * 30
    found = plan_of((8, 5, 30), shard(1, 4).of((8, 5, 30)), initializer=OrthogonalSpec())
    assert found.element_count == spec_elements // 4
    assert found.cost.sampled_elements == spec_elements
    assert found.cost.working_bytes >= 8 * spec_elements
    assert (
        plan_of((8, 5, 30), shard(1, 4).of((8, 5, 30))).cost.sampled_elements == spec_elements // 4
    )


def test_the_key_depends_on_seed_draw_and_name_only() -> None:
    def key(**changes: object) -> object:
        arguments = {"name": "w", "shape": (4,), "dtype": "float32", "seed": 1, "draw": 0} | changes
        return plan(TensorRequest(TensorSpec(initializer=RandomUniformSpec(), **arguments))).key  # type: ignore[arg-type]

    assert key() == key(shape=(5, 6)) == key(dtype="float64")
    assert len({key(), key(name="v"), key(seed=2), key(draw=1)}) == 4


@pytest.mark.parametrize(
    ("dtype", "largest"), [(Dtype.FLOAT8_E4M3FN, 448.0), (Dtype.FLOAT8_E5M2, 57344.0)]
)
def test_a_matrix_of_8_bits_saturates(dtype: Dtype, largest: float) -> None:
    matrix = np.array([[1e30, -1e9], [largest, -1.05 * largest], [0.3, -0.0]])
    found = round_matrix(matrix, dtype)
    assert found.dtype == dtype.numpy
    assert found.astype(np.float64).tolist() == [
        [largest, -largest],
        [largest, -largest],
        [0.3125, 0.0],
    ]
    assert np.signbit(found[2, 1])
