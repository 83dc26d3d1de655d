"""A grid finds every element's block and place; a lookup computes only blocks asked for."""

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import seedbed as sb
from seedbed.spec.fans import FanAxes
from seedbed.spec.slices import TensorSlice, whole
from seedbed.spec.tensors import TensorRequest, TensorSpec
from seedbed_server.backends.base import Backend
from seedbed_server.backends.cpu import CpuBackend
from seedbed_server.backends.grids import BlockGrid
from seedbed_server.backends.householder import working_bytes
from seedbed_server.backends.rules import Orthogonal
from seedbed_server.backends.runs import Runs
from seedbed_server.kernels.keys import Key
from seedbed_server.sampling.derivation import element_rule
from seedbed_server.sampling.lookups import orthogonal
from seedbed_server.sampling.sampler import TensorSource, plan
from tests.forwarding_backend import ForwardingBackend
from tests.samples import sample


@st.composite
def grids(draw: st.DrawFn) -> BlockGrid:
    """Draw blocks side by side, or one that does not begin at 0, on each axis of a small tensor."""
    axes = []
    for _ in range(draw(st.integers(1, 4))):
        length, count = draw(st.integers(1, 3)), draw(st.integers(1, 3))
        if draw(st.integers(0, 3)) == 3:
            before, after = draw(st.integers(0, 2)), draw(st.integers(0, 2))
            axes.append((before + 1 + after, before, 1, 1))
        else:
            axes.append((length * count, 0, length, count))
    shape, starts, lengths, counts = zip(*axes, strict=True)
    return BlockGrid(shape, starts, lengths, counts, columns=lengths[-1])


def brute_force(grid: BlockGrid) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return each element's block (-1 for none) and place in it, from its index on each axis."""
    blocks, places = [], []
    for at in itertools.product(*map(range, grid.shape)):
        within = [a - start for a, start in zip(at, grid.starts, strict=True)]
        inside = all(
            0 <= w < size * count
            for w, size, count in zip(within, grid.lengths, grid.counts, strict=True)
        )
        numbers = [w // size for w, size in zip(within, grid.lengths, strict=True)]
        rests = [w % size for w, size in zip(within, grid.lengths, strict=True)]
        blocks.append(int(np.ravel_multi_index(numbers, grid.counts)) if inside else -1)
        places.append(int(np.ravel_multi_index(rests, grid.lengths)))
    return np.array(blocks), np.array(places)


@given(grids(), st.data())
def test_every_element_is_found_in_its_block(grid: BlockGrid, data: st.DataObject) -> None:
    elements = math.prod(grid.shape)
    blocks, places = brute_force(grid)
    first = data.draw(st.integers(0, elements - 1))
    count = data.draw(st.integers(1, elements - first))
    found_blocks, found_places = np.full(count, -2), np.zeros(count, np.int64)
    runs = Runs(np.array([first], np.uint64), np.array([count], np.uint64))
    for block, cells in grid.cells(runs):
        cells.copy(np.full(grid.block_elements, -1 if block is None else block), found_blocks)
        cells.copy(np.arange(grid.block_elements), found_places)
    assert found_blocks.tolist() == blocks[first : first + count].tolist()
    inside = found_blocks >= 0
    assert found_places[inside].tolist() == places[first : first + count][inside].tolist()


@given(grids())
def test_a_blocks_elements_are_listed_in_its_order(grid: BlockGrid) -> None:
    blocks, places = brute_force(grid)
    for block in range(math.prod(grid.counts)):
        indices = grid.runs(block).indices()
        assert (blocks[indices] == block).all()
        assert places[indices].tolist() == list(range(grid.block_elements))


@given(grids(), st.data())
def test_the_number_of_touched_blocks_is_that_of_the_elements(
    grid: BlockGrid, data: st.DataObject
) -> None:
    blocks = brute_force(grid)[0].reshape(grid.shape)
    starts = tuple(data.draw(st.integers(0, n - 1)) for n in grid.shape)
    lengths = tuple(
        data.draw(st.integers(1, n - start)) for n, start in zip(grid.shape, starts, strict=True)
    )
    inside = blocks[TensorSlice(starts, lengths).index]
    assert grid.touched(starts, lengths) == len(set(inside[inside >= 0].tolist()))


@given(grids())
def test_blocks_that_are_not_interleaved_follow_each_other(grid: BlockGrid) -> None:
    blocks = [block for block in brute_force(grid)[0].tolist() if block >= 0]
    open_at = [
        len(
            {
                b
                for b in set(blocks)
                if blocks.index(b) <= i <= len(blocks) - 1 - blocks[::-1].index(b)
            }
        )
        for i in range(len(blocks))
    ]
    assert max(open_at) == grid.interleaved


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 40)), min_size=1, max_size=5),
    st.integers(1, 20),
)
def test_cut_runs_have_the_same_elements_and_no_border_inside(
    pairs: list[tuple[int, int]], unit: int
) -> None:
    runs = Runs(
        np.array([f for f, _ in pairs], np.uint64), np.array([n for _, n in pairs], np.uint64)
    )
    pieces = runs.cut(unit)
    assert pieces.indices().tolist() == runs.indices().tolist()
    assert (pieces.counts > 0).all()
    size = np.uint64(unit)
    assert (pieces.firsts // size == (pieces.firsts + pieces.counts - np.uint64(1)) // size).all()


class CountingBackend(ForwardingBackend):
    """Writes down which blocks are computed."""

    def __init__(self, backend: Backend) -> None:
        super().__init__(backend)
        self.blocks: list[int] = []

    def orthogonal(
        self, rule: Orthogonal, block: int, key: Key, is_cancelled: Callable[[], bool]
    ) -> NDArray[np.float64]:
        self.blocks.append(block)
        return super().orthogonal(rule, block, key, is_cancelled)


def computed(
    cpu: CpuBackend, initializer: sb.Orthogonal, shape: tuple[int, ...], part: TensorSlice
) -> list[int]:
    """Return the blocks that a slice takes, filled in pieces of five elements."""
    counting = CountingBackend(cpu)
    request = TensorRequest(TensorSpec("w", shape, "float32", initializer), part)
    source = TensorSource(plan(request), counting)
    for first in range(0, request.element_count, 5):
        source.fill(first, np.empty(4 * min(5, request.element_count - first), np.uint8))
    return counting.blocks


EXPERTS = sb.Orthogonal(seed=1, batch_axis=0)
QKV = sb.Orthogonal(seed=1, blocks=3)
LAST = sb.Orthogonal(seed=1, batch_axis=-1)


@pytest.mark.parametrize(
    ("initializer", "shape", "part", "blocks"),
    [
        (EXPERTS, (4, 5, 3), whole((4, 5, 3)), [0, 1, 2, 3]),
        (EXPERTS, (4, 5, 3), TensorSlice((2, 0, 0), (1, 5, 3)), [2]),
        (EXPERTS, (4, 5, 3), TensorSlice((1, 4, 2), (2, 1, 1)), [1, 2]),
        (QKV, (4, 12), whole((4, 12)), [0, 1, 2]),
        (QKV, (4, 12), TensorSlice((0, 4), (4, 4)), [1]),
        (QKV, (4, 12), TensorSlice((0, 3), (4, 2)), [0, 1]),
        (LAST, (4, 3, 5), whole((4, 3, 5)), [0, 1, 2, 3, 4]),
        (LAST, (4, 3, 5), TensorSlice((1, 0, 3), (3, 3, 1)), [3]),
    ],
    ids=str,
)
def test_only_the_blocks_that_a_slice_touches_are_computed_and_each_once(
    cpu: CpuBackend,
    initializer: sb.Orthogonal,
    shape: tuple[int, ...],
    part: TensorSlice,
    blocks: list[int],
) -> None:
    assert computed(cpu, initializer, shape, part) == blocks
    found = plan(TensorRequest(TensorSpec("w", shape, "float32", initializer), part))
    rule = element_rule(found.request.spec)
    assert isinstance(rule, Orthogonal)
    assert found.cost.sampled_elements == len(blocks) * rule.grid.block_elements


def test_finished_experts_are_let_go_of_while_interleaved_blocks_stay(cpu: CpuBackend) -> None:
    spec = TensorSpec("w", (64, 40, 40), "float32", EXPERTS)
    one, at_work = 40 * 40, working_bytes(40, 40)
    tile = orthogonal.TILE_ELEMENTS * 160

    def held(spec: TensorSpec, part: TensorSlice | None = None) -> int:
        """Return what is held beyond what looking up elements takes."""
        found = plan(TensorRequest(spec, part))
        return found.cost.working_bytes - min(tile, found.element_count * 160)

    assert held(spec) == at_work + 4 * one, "one at work, and the one before it"
    assert held(spec, sb.shard(3, 64).of(spec.shape)) == at_work
    packed = TensorSpec("w", (40, 120), "float32", QKV)
    assert held(packed) == at_work + 2 * 4 * one
    assert held(TensorSpec("w", (40, 40), "float32", sb.Orthogonal(seed=1))) == at_work


def test_tiles_of_elements_that_are_looked_up_do_not_show(
    cpu: CpuBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = TensorSpec("w", (4, 6, 5), "float32", LAST)
    made = sample(cpu, spec)
    monkeypatch.setattr(orthogonal, "TILE_ELEMENTS", 7)
    assert sample(cpu, spec).tobytes() == made.tobytes()


def test_axes_other_than_the_batchs_do_not_matter_to_an_orthogonal_matrix() -> None:
    rules = [
        element_rule(TensorSpec("w", (4, 5, 3), "float32", sb.Orthogonal(seed=1), fan_axes=axes))
        for axes in (None, FanAxes(), FanAxes(0, 1), FanAxes((), ()))
    ]
    assert all(rule == rules[0] for rule in rules)
