"""What a tensor is said to cost is what it takes: memory, and about how long."""

import threading
import time
import tracemalloc
from typing import Any

import numpy as np
import pytest

import seedbed as sb
from seedbed.spec.slices import TensorSlice
from seedbed.spec.tensors import TensorRequest, TensorSpec
from seedbed_server.backends.base import SamplingCancelledError
from seedbed_server.backends.cpu import CpuBackend
from seedbed_server.sampling.sampler import TensorSource, plan
from tests.waiting import LATE_SECONDS

CHUNK_BYTES = 2**20
MIB = 2**20
ORTHOGONAL, EXPERTS = sb.Orthogonal(seed=1), sb.Orthogonal(seed=1, batch_axis=0)
PACKED = sb.Orthogonal(seed=1, blocks=3)

TENSORS: list[tuple[Any, tuple[int, ...], str, TensorSlice | None]] = [
    (ORTHOGONAL, (1024, 1024), "float32", None),
    (ORTHOGONAL, (1024, 1024), "float64", None),
    (ORTHOGONAL, (1024, 1024), "bfloat16", TensorSlice((0, 5), (1024, 1))),
    (ORTHOGONAL, (2**17, 16), "float32", None),
    (ORTHOGONAL, (2**15, 64), "float32", None),
    (ORTHOGONAL, (64, 2**15), "float32", None),
    (ORTHOGONAL, (300, 5000), "float16", None),
    (EXPERTS, (8, 300, 300), "float32", None),
    (EXPERTS, (8, 300, 300), "float32", TensorSlice((0, 0, 0), (8, 1, 300))),
    (PACKED, (600, 1800), "float32", None),
    (PACKED, (2**17, 3), "float32", None),
    (sb.DeltaOrthogonal(seed=1), (3, 3, 256, 512), "float32", None),
    *[
        (sb.Sparse(0.5, axis=axis, seed=1), shape, dtype, None)
        for axis in (0, 1)
        for shape in ((2**21, 1), (1, 2**21), (2**20, 2), (2, 2**20), (1500, 1500))
        for dtype in ("float32", "float8_e4m3fn")
    ],
    (sb.Sparse(0.5, seed=1), (2**20, 3), "float32", TensorSlice((0, 1), (2**20, 1))),
    (sb.STFT(), (256, 1, 129), "float32", None),
    (sb.STFT("imag", "hamming", "density"), (4, 1, 2**14 + 1), "float64", None),
    (sb.STFT(window="bohman"), (2**13, 1, 2), "float32", None),
]


@pytest.mark.parametrize(("initializer", "shape", "dtype", "part"), TENSORS, ids=repr)
def test_a_tensor_takes_no_more_memory_than_its_cost_says(
    cpu: CpuBackend,
    initializer: Any,
    shape: tuple[int, ...],
    dtype: str,
    part: TensorSlice | None,
) -> None:
    request = TensorRequest(TensorSpec("w", shape, dtype, initializer), part)
    found = plan(request)
    chunk = np.empty(min(CHUNK_BYTES, found.size_bytes), np.uint8)
    source = TensorSource(found, cpu)
    tracemalloc.start()  # numpy tells it what it allocates
    try:
        for begin in range(0, min(found.size_bytes, 4 * CHUNK_BYTES), chunk.size):
            source.fill(begin // found.dtype.itemsize, chunk[: found.size_bytes - begin])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    said = found.cost.working_bytes
    print(f"{peak / MIB:.1f} of {said / MIB:.1f} MiB")
    assert peak <= said + MIB // 2
    assert said <= 4 * peak + 40 * MIB, "and not far less"


@pytest.mark.parametrize(
    ("initializer", "shape"),
    [
        (ORTHOGONAL, (1024, 1024)),
        (ORTHOGONAL, (2**15, 64)),
        (ORTHOGONAL, (256, 2**13)),
        (EXPERTS, (64, 128, 128)),
        (sb.Sparse(0.5, seed=1), (2**11, 2**11)),
        (sb.Sparse(0.5, axis=1, seed=1), (2, 2**21)),
        (sb.Sparse(0.5, seed=1), (2**21, 2)),
        (sb.STFT(), (512, 1, 257)),
    ],
    ids=repr,
)
def test_a_tensor_takes_about_the_time_that_its_cost_says(
    cpu: CpuBackend, initializer: Any, shape: tuple[int, ...]
) -> None:
    found = plan(TensorRequest(TensorSpec("w", shape, "float32", initializer)))
    source, out = TensorSource(found, cpu), np.empty(found.size_bytes, np.uint8)
    before = time.process_time()  # of all threads, whatever else the machine does
    source.fill(0, out)
    seconds = time.process_time() - before
    print(f"{seconds:.3f} of {found.cost.core_seconds:.3f} s")
    # The rates are those of one machine; others are a few times slower or faster.
    assert seconds / 10 < found.cost.core_seconds < seconds * 10 + 0.01


@pytest.mark.parametrize(
    ("initializer", "shape"),
    [
        (ORTHOGONAL, (500, 500)),
        (EXPERTS, (40, 100, 100)),
        (PACKED, (300, 900)),
        (sb.Sparse(0.5, seed=1), (2**11, 2**11)),
        (sb.Sparse(0.5, axis=1, seed=1), (2**11, 2**11)),
    ],
    ids=repr,
)
def test_what_has_been_computed_costs_little_more(
    cpu: CpuBackend, initializer: Any, shape: tuple[int, ...]
) -> None:
    found = plan(TensorRequest(TensorSpec("w", shape, "float32", initializer)))
    source = TensorSource(found, cpu)
    assert source.core_seconds(found.element_count) <= 2 * found.cost.core_seconds
    first = source.core_seconds(4096)
    source.fill(0, np.empty(4 * 4096, np.uint8))
    if initializer is not EXPERTS and getattr(initializer, "axis", 0) == 0:
        assert source.core_seconds(4096) < first / 10
    else:  # the next block or line is still to be computed
        assert source.core_seconds(4096) <= first <= found.cost.core_seconds


def test_elements_that_are_computed_one_by_one_cost_nothing_before_they_are_read() -> None:
    found = plan(TensorRequest(TensorSpec("w", (2**40,), "float32", sb.RandomNormal(seed=1))))
    assert found.cost.core_seconds == found.cost.working_bytes == 0


# A tenth of what the quickest of them takes on a slow machine.
CANCEL_SECONDS = 0.1
# What took longest between two looks, before panels and words were cut: 5 s for a tall panel.
LOOKED_AT = [
    (ORTHOGONAL, (2**20, 64)),
    (ORTHOGONAL, (2**18, 256)),
    (ORTHOGONAL, (4096, 4096)),
    (sb.Sparse(0.5, seed=1), (2**25, 2)),
    (sb.Sparse(0.5, axis=1, seed=1), (2, 2**25)),
    (sb.STFT(), (2**12, 1, 2**11)),
]


@pytest.mark.parametrize(("initializer", "shape"), LOOKED_AT, ids=repr)
def test_what_is_cancelled_ends_soon(
    cpu: CpuBackend, initializer: Any, shape: tuple[int, ...]
) -> None:
    found = plan(TensorRequest(TensorSpec("w", shape, "bfloat16", initializer)))
    source, out = TensorSource(found, cpu), np.empty(2**20, np.uint8)
    timer = threading.Timer(CANCEL_SECONDS, source.cancel)
    timer.start()
    before = time.process_time()

    def fill_all() -> None:
        for begin in range(0, found.size_bytes, out.size):
            source.fill(begin // found.dtype.itemsize, out[: found.size_bytes - begin])

    with pytest.raises(SamplingCancelledError):
        fill_all()
    seconds = time.process_time() - before  # of all threads, whatever else the machine does
    print(f"after {seconds:.3f} core seconds, {CANCEL_SECONDS} s of them before it was cancelled")
    assert seconds < LATE_SECONDS
