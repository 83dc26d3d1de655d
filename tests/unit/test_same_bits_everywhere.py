"""A tensor's bits depend on its spec alone: not on threads, pieces, slices or processors."""

import itertools
import os
import platform
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from seedbed.spec.dtypes import FLOATING, Dtype
from seedbed.spec.initializers import (
    ConstantSpec,
    IdentitySpec,
    InitializerSpec,
    OrthogonalSpec,
    RandomNormalSpec,
    RandomUniformSpec,
    TruncatedNormalSpec,
)
from seedbed.spec.slices import TensorSlice
from seedbed.spec.tensors import TensorRequest, TensorSpec
from seedbed_server.backends.cpu import CpuBackend
from seedbed_server.kernels.values import TILE_WORDS
from seedbed_server.sampling.sampler import TensorSource, plan
from tests.samples import sample
from tests.unit import digest_of_all_kernels

RANDOM = [
    RandomUniformSpec(-1.0, 3.0),
    RandomNormalSpec(0.1, 2.0),
    TruncatedNormalSpec(0.0, 1.0, -1.0, 2.5),
]
INITIALIZERS: list[InitializerSpec] = [*RANDOM, ConstantSpec(1.5)]
BYTES = np.dtype(np.uint8)


def bits(array: NDArray[Any]) -> NDArray[np.uint8]:
    """Return the bytes, so that comparing distinguishes zeros and takes bfloat16."""
    return np.ascontiguousarray(array).reshape(-1).view(BYTES)


@st.composite
def tensors(draw: st.DrawFn) -> TensorSpec:
    """Return a small tensor of any rank, initializer and floating dtype."""
    shape = draw(st.lists(st.integers(0, 9), max_size=5).map(tuple))
    initializers = list(INITIALIZERS)
    if len(shape) >= 2:
        initializers.append(OrthogonalSpec(1.5))
    if len(shape) == 2:
        initializers.append(IdentitySpec(2.0))
    return TensorSpec(
        name=draw(st.sampled_from(["", "layer/kernel", "ümlaut"])),
        shape=shape,
        dtype=draw(st.sampled_from(FLOATING)),
        initializer=draw(st.sampled_from(initializers)),
        seed=draw(st.integers(0, 2**64 - 1)),
        draw=draw(st.sampled_from([0, 1, 2**64 - 1])),
    )


@st.composite
def slices(draw: st.DrawFn, shape: tuple[int, ...]) -> TensorSlice:
    """Return a rectangle of the shape; axes may be whole, cut or empty."""
    starts, lengths = [], []
    for length in shape:
        start = draw(st.integers(0, length))
        starts.append(start)
        lengths.append(draw(st.integers(0, length - start)))
    if draw(st.booleans()):  # whole trailing axes, whose elements are neighbours
        kept = draw(st.integers(0, len(shape)))
        starts[kept:], lengths[kept:] = [0] * (len(shape) - kept), list(shape[kept:])
    return TensorSlice(tuple(starts), tuple(lengths))


@given(data=st.data())
def test_a_slice_equals_the_same_slice_of_the_whole(cpu: CpuBackend, data: st.DataObject) -> None:
    spec = data.draw(tensors())
    part = data.draw(slices(spec.shape))
    assert np.array_equal(bits(sample(cpu, spec, part)), bits(sample(cpu, spec)[part.index]))


@given(data=st.data())
def test_pieces_in_any_order_equal_the_slice(cpu: CpuBackend, data: st.DataObject) -> None:
    spec = data.draw(tensors())
    request = TensorRequest(spec, data.draw(st.none() | slices(spec.shape)))
    cuts = data.draw(st.sets(st.integers(0, request.element_count), max_size=8))
    edges = sorted({0, request.element_count, *cuts})
    pieces = data.draw(st.permutations(list(itertools.pairwise(edges))))
    source = TensorSource(plan(request), cpu)
    whole = np.zeros(request.element_count, spec.dtype.numpy)
    for begin, end in pieces:
        source.fill(begin, whole[begin:end].view(BYTES))
    assert np.array_equal(bits(whole), bits(sample(cpu, spec, request.slice)))


@settings(max_examples=20)
@given(
    initializer=st.sampled_from(RANDOM),
    dtype=st.sampled_from(FLOATING),
    max_chunk_bytes=st.integers(1, 300_000),
    first=st.integers(0, 60_000),
)
def test_chunks_of_any_size_from_anywhere_equal_the_whole(
    cpu: CpuBackend, initializer: InitializerSpec, dtype: Dtype, max_chunk_bytes: int, first: int
) -> None:
    spec = TensorSpec("chunks", (3, 5, 4001), dtype, initializer, seed=1)
    sample_plan = plan(TensorRequest(spec, TensorSlice((0, 1, 1), (3, 4, 3999))))
    source = TensorSource(sample_plan, cpu)
    whole = sample(cpu, spec, sample_plan.request.slice).reshape(-1)
    first = min(first, whole.size)
    # A chunk of one byte holds one element; of those, the first few hundred will do.
    chunks = [
        chunk
        for chunk, _ in zip(sample_plan.chunks(max_chunk_bytes, first), range(200), strict=False)
    ]
    assert sum(chunk.element_count for chunk in chunks) == whole.size - first or len(chunks) == 200
    for chunk in chunks:
        out = np.empty(chunk.element_count, dtype.numpy)
        source.fill(chunk.first_element, out.view(BYTES))
        assert np.array_equal(bits(out), bits(whole[chunk.first_element :][: out.size]))


@pytest.mark.parametrize("dtype", FLOATING, ids=lambda dtype: dtype.value)
@pytest.mark.parametrize("initializer", RANDOM, ids=lambda initializer: initializer.name())
def test_two_threads_that_share_a_tensor_equal_one(
    cpu: CpuBackend, initializer: InitializerSpec, dtype: Dtype
) -> None:
    spec = TensorSpec("threads", (4 * TILE_WORDS + 5,), dtype, initializer, seed=2)
    source = TensorSource(plan(TensorRequest(spec)), cpu)
    shared = np.empty(spec.shape, dtype.numpy)
    edges = [*range(0, shared.size, TILE_WORDS // 3), shared.size]
    pieces = list(itertools.pairwise(edges))
    random.Random(0).shuffle(pieces)
    with ThreadPoolExecutor(2) as pool:
        list(
            pool.map(
                lambda piece: source.fill(piece[0], shared[piece[0] : piece[1]].view(BYTES)), pieces
            )
        )
    assert np.array_equal(bits(shared), bits(sample(cpu, spec)))


@pytest.mark.parametrize("dtype", FLOATING, ids=lambda dtype: dtype.value)
@pytest.mark.parametrize(
    "initializer",
    [*INITIALIZERS, IdentitySpec(2.0), OrthogonalSpec()],
    ids=lambda initializer: initializer.name(),
)
def test_memory_that_begins_at_any_byte_gets_the_same_bits(
    cpu: CpuBackend, initializer: InitializerSpec, dtype: Dtype
) -> None:
    spec = TensorSpec("anywhere", (37, 41), dtype, initializer, seed=4)
    source = TensorSource(plan(TensorRequest(spec)), cpu)
    memory = np.full(37 * 41 * dtype.itemsize + 9, 255, np.uint8)
    source.fill(0, memory[7:-2])
    assert np.array_equal(memory[7:-2], bits(sample(cpu, spec)))
    assert (memory[:7] == 255).all()
    assert (memory[-2:] == 255).all()


@pytest.mark.parametrize("shape", [(200, 330), (330, 200), (64, 64), (3, 7, 129)], ids=str)
def test_an_orthogonal_matrix_from_two_threads_equals_that_from_one(
    cpu: CpuBackend, shape: tuple[int, ...]
) -> None:
    spec = TensorSpec("threads", shape, Dtype.FLOAT64, OrthogonalSpec(), seed=3)
    single = CpuBackend(threads=1)
    try:
        assert np.array_equal(bits(sample(single, spec)), bits(sample(cpu, spec)))
    finally:
        single.close()


# What kernels are compiled to for a processor, on machines where that is known.
INSTRUCTIONS = {
    "x86_64": {"generic": "none", "x86-64-v3": "fma,ymm"},
    "aarch64": {"generic": "fma,neon"},
}.get(platform.machine(), {})
TARGETS = list(INSTRUCTIONS) or ["generic"]


def digests_of_processor(target: str, cache: Path) -> dict[str, str]:
    """Return the digests that a new process makes with kernels compiled for another processor."""
    # Without a list of features numba takes the host's for any processor but `generic`; an empty
    # one leaves its own.
    for_numba = {
        "NUMBA_CPU_NAME": target,
        "NUMBA_CPU_FEATURES": "",
        "SEEDBED_KERNEL_CACHE_DIR": str(cache),
    }
    done = subprocess.run(
        [sys.executable, digest_of_all_kernels.__file__],
        env={**os.environ, **for_numba, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(line.split(" ") for line in done.stdout.splitlines())


@pytest.fixture(scope="module")
def processors(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """The digests of every target; all kernels are compiled anew for each, side by side."""
    with ThreadPoolExecutor() as pool:
        caches = [tmp_path_factory.mktemp(target) for target in TARGETS]
        return dict(zip(TARGETS, pool.map(digests_of_processor, TARGETS, caches), strict=True))


@pytest.mark.parametrize("target", TARGETS)
def test_another_processor_makes_the_same_bits(
    cpu: CpuBackend, target: str, processors: dict[str, dict[str, str]]
) -> None:
    found = dict(processors[target])
    instructions = found.pop("instructions")
    assert found == digest_of_all_kernels.digests(cpu)
    # The setting did what it is here for.
    assert instructions == INSTRUCTIONS.get(target, instructions)
