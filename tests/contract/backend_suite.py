"""The contract of every backend: one suite, and a subclass with a fixture ``backend`` for each."""

import dataclasses
import functools
import itertools
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from seedbed.spec.digests import digest_bytes
from seedbed.spec.dtypes import FLOATING, Dtype
from seedbed.spec.initializers import (
    ConstantSpec,
    IdentitySpec,
    InitializerSpec,
    OrthogonalSpec,
    RandomNormalSpec,
    RandomUniformSpec,
    SparseSpec,
    TruncatedNormalSpec,
)
from seedbed.spec.slices import TensorSlice
from seedbed.spec.tensors import TensorRequest, TensorSpec
from seedbed_server.backends.base import Backend, SamplingCancelledError
from seedbed_server.backends.rules import Orthogonal
from seedbed_server.kernels.keys import derive_key
from seedbed_server.sampling.derivation import element_rule
from seedbed_server.sampling.sampler import TensorSource, plan
from seedbed_server.sampling.self_test import (
    differing_vectors,
    golden_vectors,
    run_self_test,
    sample_vector,
)
from tests.reference.oracle import Tensor, element_bytes, slice_indices
from tests.samples import sample
from tools.write_golden import Entry

RANDOM: list[InitializerSpec] = [
    RandomUniformSpec(-1.0, 3.0),
    RandomNormalSpec(0.1, 2.0),
    TruncatedNormalSpec(0.0, 1.0, -1.0, 2.5),
]
SELF_TEST = [vector for vector in golden_vectors() if vector.get("self_test")]
BYTES = np.dtype(np.uint8)
UNTOUCHED = 0x5C

each_random = pytest.mark.parametrize(
    "initializer", RANDOM, ids=lambda initializer: initializer.name()
)
each_floating = pytest.mark.parametrize("dtype", FLOATING, ids=lambda dtype: dtype.value)


def bits(array: NDArray[Any]) -> NDArray[np.uint8]:
    """Return the bytes, so that comparing distinguishes zeros and takes bfloat16."""
    return np.ascontiguousarray(array).reshape(-1).view(BYTES)


def reference_of(spec: TensorSpec) -> Tensor:
    """Return a tensor as the reference takes it."""
    initializer, parameters = spec.initializer.field_name(), dataclasses.asdict(spec.initializer)
    return Tensor(
        initializer, spec.dtype.value, spec.shape, parameters, spec.seed, spec.draw, spec.name
    )


@functools.cache
def reference(spec: TensorSpec, part: TensorSlice | None = None) -> NDArray[np.uint8]:
    """Return the bytes that the reference gives for a tensor or a slice of it."""
    whole = part or TensorSlice((0,) * len(spec.shape), spec.shape)
    indices = slice_indices(spec.shape, whole.starts, whole.lengths)
    return np.frombuffer(element_bytes(reference_of(spec), indices), np.uint8)


class BackendTests:
    """The promises."""

    @pytest.fixture
    def backend(self) -> Iterator[Backend]:
        """The backend; when a test is over, the subclass checks that nothing is left over."""
        raise NotImplementedError

    def test_it_says_what_it_is(self, backend: Backend) -> None:
        assert backend.name in {"cpu", "gpu"}
        assert backend.device.strip()
        assert "\n" not in backend.device
        assert backend.threads > 0

    # Known answers.

    @pytest.mark.parametrize("vector", SELF_TEST, ids=[vector["id"] for vector in SELF_TEST])
    def test_a_vector_of_the_self_test_comes_out_as_it_is_in_the_file(
        self, backend: Backend, vector: Entry
    ) -> None:
        sampled = sample_vector(vector, backend)
        assert len(sampled) == vector["size_bytes"]
        assert sampled.hex().startswith(vector["first_bytes"])
        assert digest_bytes(sampled).value.hex() == vector["xxh3_128"]

    def test_the_self_test_passes(self, backend: Backend) -> None:
        assert run_self_test(backend) == len(SELF_TEST)

    def test_every_golden_vector_comes_out_as_it_is_in_the_file(self, backend: Backend) -> None:
        differing = differing_vectors(backend)
        assert {kernel: vectors for kernel, vectors in differing.items() if vectors} == {}
        assert len(differing) > 8

    # Agreement with the reference.

    @each_floating
    @each_random
    def test_elements_are_those_of_the_reference(
        self, backend: Backend, initializer: InitializerSpec, dtype: Dtype
    ) -> None:
        spec = TensorSpec("reference", (11, 13), dtype, initializer, seed=2**64 - 1, draw=3)
        assert np.array_equal(bits(sample(backend, spec)), reference(spec))

    @each_floating
    @each_random
    @pytest.mark.parametrize("length", [1, 2, 7], ids=lambda length: f"runs of {length}")
    def test_runs_that_begin_anywhere_in_a_block_are_those_of_the_reference(
        self, backend: Backend, initializer: InitializerSpec, dtype: Dtype, length: int
    ) -> None:
        spec = TensorSpec("runs", (15, 9), dtype, initializer, seed=8)
        part = TensorSlice((2, 1), (12, length))
        assert np.array_equal(bits(sample(backend, spec, part)), reference(spec, part))

    @each_floating
    @each_random
    def test_elements_beyond_2_to_the_32_are_those_of_the_reference(
        self, backend: Backend, initializer: InitializerSpec, dtype: Dtype
    ) -> None:
        # Rows of 2**33 + 5 elements: a run across 2**33, one across the same place of a row that
        # begins in a block, and counters of more than 32 bits, also for two words an element.
        spec = TensorSpec("far", (2**20, 2**33 + 5), dtype, initializer, seed=9)
        part = TensorSlice((2**20 - 3, 2**33 - 2), (3, 7))
        assert np.array_equal(bits(sample(backend, spec, part)), reference(spec, part))

    @pytest.mark.parametrize("dtype", Dtype, ids=lambda dtype: dtype.value)
    def test_a_constant_is_everywhere(self, backend: Backend, dtype: Dtype) -> None:
        spec = TensorSpec("constant", (3, 5), dtype, ConstantSpec(1), seed=1)
        assert np.array_equal(bits(sample(backend, spec)), reference(spec))

    @each_floating
    @pytest.mark.parametrize("shape", [(5, 9), (9, 5), (1, 7)], ids=str)
    def test_the_diagonal_of_the_identity_is_its_gain(
        self, backend: Backend, shape: tuple[int, int], dtype: Dtype
    ) -> None:
        spec = TensorSpec("identity", shape, dtype, IdentitySpec(1.1), seed=1)
        part = TensorSlice((1, 1), (shape[0] - 1, 4)) if shape[0] > 1 else None
        assert np.array_equal(bits(sample(backend, spec)), reference(spec))
        assert np.array_equal(bits(sample(backend, spec, part)), reference(spec, part))

    @each_floating
    @pytest.mark.parametrize("shape", [(5, 9), (9, 5), (3, 2, 4)], ids=str)
    def test_an_orthogonal_matrix_is_that_of_the_reference(
        self, backend: Backend, shape: tuple[int, ...], dtype: Dtype
    ) -> None:
        spec = TensorSpec("orthogonal", shape, dtype, OrthogonalSpec(1.5), seed=1)
        assert np.array_equal(bits(sample(backend, spec)), reference(spec))

    # Exact properties.

    @each_floating
    @each_random
    @pytest.mark.parametrize("seed", range(3), ids=lambda seed: f"split {seed}")
    def test_pieces_in_any_order_equal_the_whole(
        self, backend: Backend, initializer: InitializerSpec, dtype: Dtype, seed: int
    ) -> None:
        drawn = random.Random(seed)
        spec = TensorSpec("pieces", (drawn.randrange(2000, 9000),), dtype, initializer, seed=seed)
        edges = sorted(
            {0, spec.element_count, *(drawn.randrange(spec.element_count) for _ in range(12))}
        )
        pieces = list(itertools.pairwise(edges))
        drawn.shuffle(pieces)
        source = TensorSource(plan(TensorRequest(spec)), backend)
        whole = np.zeros(spec.shape, dtype.numpy)
        for begin, end in pieces:
            source.fill(begin, whole[begin:end].view(BYTES))
        assert np.array_equal(bits(whole), bits(sample(backend, spec)))

    @each_floating
    @each_random
    @pytest.mark.parametrize("lengths", [(1500, 1), (700, 3), (50, 2, 7), (13, 3, 11)], ids=str)
    def test_a_slice_of_many_runs_equals_the_same_slice_of_the_whole(
        self, backend: Backend, initializer: InitializerSpec, dtype: Dtype, lengths: tuple[int, ...]
    ) -> None:
        shape = (lengths[0] + 2, *(length + 3 for length in lengths[1:-1]), lengths[-1] + 4)
        spec = TensorSpec("slice", shape, dtype, initializer, seed=5)
        part = TensorSlice((1,) * len(shape), lengths)
        assert np.array_equal(
            bits(sample(backend, spec, part)), bits(sample(backend, spec)[part.index])
        )

    @each_floating
    @each_random
    def test_the_middle_of_a_slice_of_many_runs_equals_that_of_the_slice(
        self, backend: Backend, initializer: InitializerSpec, dtype: Dtype
    ) -> None:
        spec = TensorSpec("middle", (90, 40), dtype, initializer, seed=6)
        request = TensorRequest(spec, TensorSlice((3, 5), (80, 31)))
        whole = bits(sample(backend, spec, request.slice))
        for first, count in ((0, 1), (30, 2), (31, 31), (1, 2000), (2479, 1)):
            out = np.empty(count * dtype.itemsize, np.uint8)
            TensorSource(plan(request), backend).fill(first, out)
            assert np.array_equal(out, whole[first * dtype.itemsize :][: out.size])

    @each_floating
    @pytest.mark.parametrize(
        "initializer",
        [*RANDOM, ConstantSpec(1.5), IdentitySpec(2.0), OrthogonalSpec(), SparseSpec(0.5)],
        ids=lambda spec: spec.name(),
    )
    def test_memory_that_begins_at_any_byte_gets_the_same_bits_and_nothing_beside_it_is_written(
        self, backend: Backend, initializer: InitializerSpec, dtype: Dtype
    ) -> None:
        spec = TensorSpec("anywhere", (37, 41), dtype, initializer, seed=4)
        aligned = bits(sample(backend, spec))
        source = TensorSource(plan(TensorRequest(spec)), backend)
        for offset in range(1, 9):
            memory = np.full(aligned.size + 16, UNTOUCHED, np.uint8)
            source.fill(0, memory[offset : offset + aligned.size])
            assert np.array_equal(memory[offset : offset + aligned.size], aligned)
            assert (memory[:offset] == UNTOUCHED).all()
            assert (memory[offset + aligned.size :] == UNTOUCHED).all()

    @each_floating
    @each_random
    def test_threads_that_share_a_tensor_equal_one(
        self, backend: Backend, initializer: InitializerSpec, dtype: Dtype
    ) -> None:
        spec = TensorSpec("threads", (20_001,), dtype, initializer, seed=2)
        source = TensorSource(plan(TensorRequest(spec)), backend)
        shared = np.empty(spec.shape, dtype.numpy)
        pieces = list(itertools.pairwise([*range(0, shared.size, 1531), shared.size]))
        random.Random(0).shuffle(pieces)
        with ThreadPoolExecutor(8) as pool:
            list(
                pool.map(
                    lambda piece: source.fill(piece[0], shared[piece[0] : piece[1]].view(BYTES)),
                    pieces,
                )
            )
        assert np.array_equal(bits(shared), bits(sample(backend, spec)))

    @pytest.mark.parametrize(
        "initializer", [*RANDOM, ConstantSpec(1.5)], ids=lambda spec: spec.name()
    )
    def test_an_empty_tensor_is_empty(self, backend: Backend, initializer: InitializerSpec) -> None:
        spec = TensorSpec("empty", (4, 0, 3), Dtype.FLOAT32, initializer, seed=1)
        assert sample(backend, spec).shape == (4, 0, 3)

    # Orthogonal matrices take long.

    @pytest.mark.parametrize("calls", [0, 1, 5])
    def test_an_orthogonal_matrix_that_nobody_wants_any_more_is_given_up(
        self, backend: Backend, calls: int
    ) -> None:
        rule, key = (
            element_rule(TensorSpec("", (300, 200), "float64", OrthogonalSpec(), seed=1)),
            derive_key(1, 0, ""),
        )
        assert isinstance(rule, Orthogonal)
        with pytest.raises(SamplingCancelledError):
            backend.orthogonal(rule, 0, key, after(calls))
        whole = backend.orthogonal(rule, 0, key, lambda: False)
        assert whole.shape == (300, 200)
        assert np.allclose(whole.T @ whole, np.eye(200), atol=1e-12)


def after(calls: int) -> Callable[[], bool]:
    """Return a function that says no so many times, and then yes."""
    answers = itertools.chain(itertools.repeat(False, calls), itertools.repeat(True))
    return lambda: next(answers)
