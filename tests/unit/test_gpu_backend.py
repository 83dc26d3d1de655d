"""The GPU backend on a fake device: right bits when it works, nothing left when it fails."""

import itertools
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from seedbed.spec.dtypes import FLOATING, Dtype
from seedbed.spec.errors import DeviceError, OutOfDeviceMemoryError
from seedbed.spec.initializers import (
    ConstantSpec,
    IdentitySpec,
    InitializerSpec,
    OrthogonalSpec,
    RandomNormalSpec,
    RandomUniformSpec,
)
from seedbed.spec.slices import TensorSlice
from seedbed.spec.tensors import TensorRequest, TensorSpec
from seedbed_server.backends.cpu import CpuBackend
from seedbed_server.backends.gpu import GpuBackend
from seedbed_server.backends.rules import ElementwiseRule, Normal
from seedbed_server.backends.runs import Runs
from seedbed_server.kernels.keys import derive_key
from seedbed_server.sampling.sampler import TensorSource, plan
from tests.contract.backend_suite import bits
from tests.fake_device import Call, FakeArray, FakeDevice, Schedule, assert_idle
from tests.samples import sample

SLAB_BYTES = 4096
SLOTS = 3
SCHEDULES: list[Schedule] = ["late", "early", 0, 1, 2, 3]
RANDOM: list[InitializerSpec] = [RandomUniformSpec(-1.0, 3.0), RandomNormalSpec(0.1, 2.0)]
# Long enough for a slow machine; what hangs, hangs for ever.
SECONDS = 60.0

each_floating = pytest.mark.parametrize("dtype", FLOATING, ids=lambda dtype: dtype.value)
each_schedule = pytest.mark.parametrize(
    "schedule", SCHEDULES, ids=lambda schedule: f"work is done {schedule}"
)


def normals(size: int, dtype: Dtype = Dtype.FLOAT32) -> TensorSpec:
    """Return a tensor to sample."""
    return TensorSpec("normals", (size,), dtype, RandomNormalSpec(0.0, 1.0), seed=7)


def size_of(spec: TensorSpec) -> int:
    """Return how many bytes a tensor has."""
    return TensorRequest(spec).size_bytes


def in_time(*functions: Callable[[], object]) -> None:
    """Run each function in a thread of its own; fail if one raises, or has not ended in time."""
    errors: list[BaseException] = []

    def run(function: Callable[[], object]) -> None:
        try:
            function()
        except BaseException as error:  # noqa: BLE001  # raised again by the test's own thread
            errors.append(error)

    # Daemons, so that threads that hang do not keep the test run from ending.
    threads = [
        threading.Thread(target=run, args=(function,), daemon=True) for function in functions
    ]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + SECONDS
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    assert [thread for thread in threads if thread.is_alive()] == []
    if errors:
        raise errors[0]


class Recorded(np.ndarray[Any, np.dtype[np.uint8]]):
    """Host memory that notes where it is written to."""

    written: list[tuple[int, int]]
    refuses_at: int | None = None

    def __array_finalize__(self, whole: Any) -> None:
        self.written = getattr(whole, "written", [])  # that of a part, too
        self.refuses_at = getattr(whole, "refuses_at", None)

    def __setitem__(self, key: Any, value: Any) -> None:
        if self.refuses_at is not None and len(self.written) == self.refuses_at:
            raise RuntimeError("nothing can be written here")
        self.written.append((key.start, key.stop))
        super().__setitem__(key, value)


def recorded(size_bytes: int, refuses_at: int | None = None) -> Recorded:
    """Return host memory, of which a write may be refused: that with this number."""
    memory = np.zeros(size_bytes, np.uint8).view(Recorded)
    memory.written = []
    memory.refuses_at = refuses_at
    return memory


# First, because where it fails the others hang.


def test_a_thread_that_holds_a_slot_never_waits_for_another_one(cpu: CpuBackend) -> None:
    device = FakeDevice()
    backend = GpuBackend(device, cpu, slots=2, slab_bytes=SLAB_BYTES)
    in_time(lambda: sample(backend, normals(10_000)))
    assert_idle(device, backend)


# Right bits.


@each_schedule
@each_floating
def test_the_bits_do_not_depend_on_when_the_device_works(
    cpu: CpuBackend, schedule: Schedule, dtype: Dtype
) -> None:
    device = FakeDevice(schedule)
    backend = GpuBackend(device, cpu, slots=SLOTS, slab_bytes=SLAB_BYTES)
    for initializer in RANDOM:
        spec = TensorSpec("schedules", (211, 97), dtype, initializer, seed=3)
        part = TensorSlice((1, 2), (200, 33))
        assert np.array_equal(bits(sample(backend, spec)), bits(sample(cpu, spec)))
        assert np.array_equal(bits(sample(backend, spec, part)), bits(sample(cpu, spec, part)))
    assert_idle(device, backend)


@pytest.mark.parametrize("schedule", range(10))
def test_threads_that_sample_different_tensors_do_not_disturb_each_other(
    cpu: CpuBackend, schedule: int
) -> None:
    device = FakeDevice(schedule)
    backend = GpuBackend(device, cpu, slots=SLOTS, slab_bytes=SLAB_BYTES)
    specs = [
        TensorSpec(f"tensor {i}", (9001 + i,), FLOATING[i % 4], RANDOM[i % 2], seed=i)
        for i in range(8)
    ]
    with ThreadPoolExecutor(len(specs)) as pool:
        sampled = list(pool.map(lambda spec: sample(backend, spec), specs))
    for spec, array in zip(specs, sampled, strict=True):
        assert np.array_equal(bits(array), bits(sample(cpu, spec))), spec.name
    assert_idle(device, backend)


@each_schedule
def test_slabs_are_handed_on_in_order_and_once(cpu: CpuBackend, schedule: Schedule) -> None:
    device = FakeDevice(schedule)
    backend = GpuBackend(device, cpu, slots=SLOTS, slab_bytes=SLAB_BYTES)
    spec = normals(10_000)
    out = recorded(size_of(spec))
    TensorSource(plan(TensorRequest(spec)), backend).fill(0, out)
    edges = [*range(0, size_of(spec), SLAB_BYTES), size_of(spec)]
    assert out.written == list(itertools.pairwise(edges))


def test_all_slots_are_busy_before_anything_is_waited_for(cpu: CpuBackend) -> None:
    device = FakeDevice()
    backend = GpuBackend(device, cpu, slots=SLOTS, slab_bytes=SLAB_BYTES)
    sample(backend, normals(10_000))
    until_first_wait = device.history[: device.history.index("wait")]
    assert until_first_wait.count("copy") == SLOTS


def test_what_fits_a_slab_is_one_launch_and_one_copy(cpu: CpuBackend) -> None:
    device = FakeDevice()
    backend = GpuBackend(device, cpu, slots=SLOTS, slab_bytes=SLAB_BYTES)
    sample(backend, normals(SLAB_BYTES // 4))
    assert device.copied == [SLAB_BYTES]
    assert device.calls["launch"] == 1


def test_what_needs_no_sampling_does_not_use_the_device(cpu: CpuBackend) -> None:
    device = FakeDevice()
    backend = GpuBackend(device, cpu, slots=SLOTS, slab_bytes=SLAB_BYTES)
    for initializer in (ConstantSpec(2.0), IdentitySpec(), OrthogonalSpec()):
        spec = TensorSpec("host", (40, 50), Dtype.FLOAT32, initializer, seed=1)
        assert np.array_equal(bits(sample(backend, spec)), bits(sample(cpu, spec)))
    assert device.history == []


def test_a_tensor_may_be_larger_than_the_device(cpu: CpuBackend) -> None:
    table_bytes = 4 * 8
    device = FakeDevice(limit_bytes=SLOTS * (SLAB_BYTES + table_bytes))
    backend = GpuBackend(device, cpu, slots=SLOTS, slab_bytes=SLAB_BYTES)
    spec = normals(300_000)
    assert size_of(spec) > 50 * (device.limit_bytes or 0)
    assert np.array_equal(bits(sample(backend, spec)), bits(sample(cpu, spec)))
    assert device.peak_bytes <= (device.limit_bytes or 0)
    assert_idle(device, backend)


def test_the_pinned_memory_is_that_of_the_slots_and_no_more(cpu: CpuBackend) -> None:
    device = FakeDevice()
    backend = GpuBackend(device, cpu, slots=5, slab_bytes=SLAB_BYTES)
    sample(backend, normals(10_000))
    assert device.pinned_bytes == 5 * SLAB_BYTES
    assert backend.threads == device.live_streams == 5


# Many threads.


@pytest.mark.parametrize("slots", [1, 2, 3])
@pytest.mark.parametrize("schedule", ["late", 0], ids=lambda schedule: f"work is done {schedule}")
def test_more_threads_than_slots_all_come_to_an_end(
    cpu: CpuBackend, slots: int, schedule: Schedule
) -> None:
    device = FakeDevice(schedule)
    backend = GpuBackend(device, cpu, slots=slots, slab_bytes=SLAB_BYTES)
    spec = normals(20_000)
    right = bits(sample(cpu, spec))
    sampled: list[NDArray[np.uint8]] = []
    in_time(*[lambda: sampled.append(bits(sample(backend, spec)))] * 8)
    assert len(sampled) == 8
    assert all(np.array_equal(array, right) for array in sampled)
    assert_idle(device, backend)


def test_threads_whose_device_fails_leave_the_slots_to_the_others(cpu: CpuBackend) -> None:
    device = FakeDevice(5)
    backend = GpuBackend(device, cpu, slots=2, slab_bytes=SLAB_BYTES)
    spec = normals(20_000)
    failures: list[DeviceError] = []

    def attempt() -> None:
        try:
            sample(backend, spec)
        except DeviceError as error:
            failures.append(error.with_traceback(None))

    device.fail("launch", 3, 17, 40)
    in_time(*[attempt] * 6)
    assert len(failures) == 3
    assert_idle(device, backend)
    assert np.array_equal(bits(sample(backend, spec)), bits(sample(cpu, spec)))


# Failures.


FAILURES: list[tuple[Call, int]] = [
    (call, number) for call in ("launch", "copy", "record", "wait") for number in (0, 1, SLOTS, 7)
]
each_failure = pytest.mark.parametrize(
    ("call", "number"), FAILURES, ids=[f"{call} {number} fails" for call, number in FAILURES]
)


@each_failure
@pytest.mark.parametrize(
    "schedule", ["late", "early", 0], ids=lambda schedule: f"work is done {schedule}"
)
def test_a_failure_ends_the_fill_and_nothing_else(
    cpu: CpuBackend, schedule: Schedule, call: Call, number: int
) -> None:
    device = FakeDevice(schedule)
    backend = GpuBackend(device, cpu, slots=SLOTS, slab_bytes=SLAB_BYTES)
    spec = normals(10_000)
    device.fail(call, number)
    with pytest.raises(DeviceError):
        sample(backend, spec)
    assert_idle(device, backend)
    assert np.array_equal(bits(sample(backend, spec)), bits(sample(cpu, spec)))
    assert_idle(device, backend)


@pytest.mark.parametrize("number", [0, 1, SLOTS, 7])
@pytest.mark.parametrize("call", ["launch", "record", "wait"])
def test_a_failure_while_it_fills_on_the_device_leaves_the_slots_free(
    cpu: CpuBackend, call: Call, number: int
) -> None:
    device = FakeDevice()
    backend = GpuBackend(device, cpu, slots=SLOTS, slab_bytes=SLAB_BYTES)
    memory = backend.allocate(40_000)
    runs = Runs(np.array([3], np.uint64), np.array([10_000], np.uint64))
    device.fail(call, number)
    with pytest.raises(DeviceError):
        backend.fill_on_device(
            Normal(0.0, 1.0), derive_key(1, 0, "failure"), runs, Dtype.FLOAT32, memory
        )
    del memory
    assert_idle(device, backend)


@pytest.mark.parametrize("number", [0, 1, SLOTS, 7])
@pytest.mark.parametrize("call", ["copy", "record", "wait"])
def test_a_failure_on_the_way_to_the_device_leaves_the_slots_free(
    cpu: CpuBackend, call: Call, number: int
) -> None:
    device = FakeDevice()
    backend = GpuBackend(device, cpu, slots=SLOTS, slab_bytes=SLAB_BYTES)
    memory = backend.allocate(40_000)
    data = np.arange(40_000).astype(np.uint8)
    device.fail(call, number)
    with pytest.raises(DeviceError):
        backend.write(memory, 0, data)
    assert backend.free_slots == SLOTS
    backend.write(memory, 0, data)
    assert np.array_equal(device.contents(memory), data)
    del memory
    assert_idle(device, backend)


@pytest.mark.parametrize("calls", [("wait",), ("record",), ("wait", "record")], ids=str)
@pytest.mark.parametrize("first", [0, 2, 5])
def test_a_device_that_fails_from_now_on_costs_no_slot(
    cpu: CpuBackend, calls: tuple[Call, ...], first: int
) -> None:
    device = FakeDevice()
    backend = GpuBackend(device, cpu, slots=SLOTS, slab_bytes=SLAB_BYTES)
    for call in calls:
        device.fail(call, *range(first, first + 1000))
    for _ in range(4):
        with pytest.raises(DeviceError):
            in_time(lambda: sample(backend, normals(10_000)))
        assert backend.free_slots == SLOTS


@pytest.mark.parametrize("refused", [0, 1, 5])
def test_memory_that_cannot_be_written_to_costs_no_slot(cpu: CpuBackend, refused: int) -> None:
    device = FakeDevice()
    backend = GpuBackend(device, cpu, slots=SLOTS, slab_bytes=SLAB_BYTES)
    spec = normals(10_000)
    with pytest.raises(RuntimeError, match="nothing can be written here"):
        TensorSource(plan(TensorRequest(spec)), backend).fill(
            0, recorded(size_of(spec), refuses_at=refused)
        )
    assert_idle(device, backend)
    assert np.array_equal(bits(sample(backend, spec)), bits(sample(cpu, spec)))


# No room on the device.

LARGE_SLAB_BYTES = 2**18


@pytest.mark.parametrize("number", range(9))
def test_where_there_is_no_room_a_smaller_slab_gives_the_same_bits(
    cpu: CpuBackend, number: int
) -> None:
    device = FakeDevice()
    backend = GpuBackend(device, cpu, slots=SLOTS, slab_bytes=LARGE_SLAB_BYTES)
    spec = normals(300_000)
    device.fail("allocate", number)
    assert np.array_equal(bits(sample(backend, spec)), bits(sample(cpu, spec)))
    assert device.calls["free_unused"] == 1
    # A slab allocates its elements and its table.
    whole_slabs = number // 2
    expected = [LARGE_SLAB_BYTES] * whole_slabs
    expected += [LARGE_SLAB_BYTES // 2] * (
        (size_of(spec) - sum(expected)) // (LARGE_SLAB_BYTES // 2)
    )
    assert device.copied == [*expected, size_of(spec) - sum(expected)]
    assert_idle(device, backend)


def test_each_time_that_there_is_no_room_slabs_get_smaller_until_they_are_small(
    cpu: CpuBackend,
) -> None:
    device = FakeDevice()
    backend = GpuBackend(device, cpu, slots=SLOTS, slab_bytes=LARGE_SLAB_BYTES)
    spec = normals(200_000)
    # Every first attempt of a slab: each slab takes three or four allocations.
    device.fail("allocate", 0, 3, 6)
    assert np.array_equal(bits(sample(backend, spec)), bits(sample(cpu, spec)))
    assert device.copied[:4] == [LARGE_SLAB_BYTES // 2, LARGE_SLAB_BYTES // 4, *[2**16] * 2]
    assert_idle(device, backend)


@pytest.mark.parametrize("number", [0, 1, 2, 7])
def test_where_there_is_no_room_for_a_smaller_slab_either_the_fill_fails_and_the_next_one_works(
    cpu: CpuBackend, number: int
) -> None:
    device = FakeDevice()
    backend = GpuBackend(device, cpu, slots=SLOTS, slab_bytes=LARGE_SLAB_BYTES)
    spec = normals(300_000)
    device.fail("allocate", number, number + 1)
    with pytest.raises(OutOfDeviceMemoryError, match="no room"):
        sample(backend, spec)
    assert_idle(device, backend)
    copied = len(device.copied)
    assert np.array_equal(bits(sample(backend, spec)), bits(sample(cpu, spec)))
    assert device.copied[copied] == LARGE_SLAB_BYTES
    assert_idle(device, backend)


def test_memory_that_nothing_uses_makes_room(cpu: CpuBackend) -> None:
    device = FakeDevice(limit_bytes=LARGE_SLAB_BYTES + 2**16)
    backend = GpuBackend(device, cpu, slots=1, slab_bytes=LARGE_SLAB_BYTES)
    # Each leaves no room for the next one until it is given back.
    for size_bytes in (2**17, 2**18, 2**18 + 1):
        assert backend.allocate(size_bytes).size == size_bytes
    assert device.calls["free_unused"] == 2
    spec = normals(200_000)
    assert np.array_equal(bits(sample(backend, spec)), bits(sample(cpu, spec)))
    assert device.calls["free_unused"] == 3
    with pytest.raises(OutOfDeviceMemoryError):
        backend.allocate(2**20)
    assert_idle(device, backend)


def test_the_first_attempt_is_freed_before_the_second(cpu: CpuBackend) -> None:
    """The table of a slice of short runs is larger than its elements, and finds no room."""
    spec = TensorSpec("columns", (2**17, 2), Dtype.FLOAT16, RandomNormalSpec(), seed=1)
    part = TensorSlice((0, 1), (2**17, 1))
    slab_bytes = 2**17
    half_table_bytes = 4 * 8 * (slab_bytes // 2 // 2)
    # Room for half a slab and its table, but not for the elements of a whole one beside them.
    device = FakeDevice(limit_bytes=slab_bytes // 2 + half_table_bytes + slab_bytes // 2)
    backend = GpuBackend(device, cpu, slots=1, slab_bytes=slab_bytes)
    assert np.array_equal(bits(sample(backend, spec, part)), bits(sample(cpu, spec, part)))
    assert_idle(device, backend)


@pytest.mark.parametrize("slab_bytes", [SLAB_BYTES, 2**16, 2**16 + 8, 2**17 + 8, 2**17 + 24])
def test_a_smaller_slab_fits_its_slot_and_holds_whole_elements(
    cpu: CpuBackend, slab_bytes: int
) -> None:
    device = FakeDevice()
    backend = GpuBackend(device, cpu, slots=2, slab_bytes=slab_bytes)
    spec = normals(50_000, Dtype.FLOAT64)
    device.fail("allocate", 0)
    assert np.array_equal(bits(sample(backend, spec)), bits(sample(cpu, spec)))
    assert_idle(device, backend)


# What stays on the device.


@each_schedule
@each_floating
def test_a_tensor_that_stays_on_the_device_has_the_bits_of_one_that_does_not(
    cpu: CpuBackend, schedule: Schedule, dtype: Dtype
) -> None:
    device = FakeDevice(schedule)
    backend = GpuBackend(device, cpu, slots=SLOTS, slab_bytes=SLAB_BYTES)
    for initializer in (*RANDOM, ConstantSpec(1.5), IdentitySpec(2.0)):
        spec = TensorSpec("stays", (97, 83), dtype, initializer, seed=2)
        sampled = plan(TensorRequest(spec))
        assert isinstance(sampled.rule, ElementwiseRule)
        memory = backend.allocate(size_of(spec))
        backend.fill_on_device(
            sampled.rule, sampled.key, sampled.runs(0, spec.element_count), dtype, memory
        )
        assert device.unsettled == 0
        array = backend.array(memory, dtype, spec.shape)
        assert array.shape == spec.shape
        assert array.dtype == dtype.numpy
        assert np.array_equal(bits(device.contents(array)), bits(sample(cpu, spec)))
        del memory, array
    assert_idle(device, backend)


@each_schedule
def test_what_is_written_to_the_device_arrives_where_it_belongs(
    cpu: CpuBackend, schedule: Schedule
) -> None:
    device = FakeDevice(schedule)
    backend = GpuBackend(device, cpu, slots=SLOTS, slab_bytes=SLAB_BYTES)
    data = np.random.default_rng(1).integers(0, 256, 50_000).astype(np.uint8)
    memory = backend.allocate(data.size)
    cuts = [0, 1, 4097, 4098, 30_000, data.size]
    for begin, end in reversed(list(itertools.pairwise(cuts))):
        backend.write(memory, begin, data[begin:end])
        assert device.unsettled == 0
    assert np.array_equal(device.contents(memory), data)
    del memory
    assert_idle(device, backend)


def test_threads_that_fill_and_write_on_the_device_do_not_disturb_each_other(
    cpu: CpuBackend,
) -> None:
    device = FakeDevice(3)
    backend = GpuBackend(device, cpu, slots=2, slab_bytes=SLAB_BYTES)
    spec = normals(9000)
    sampled = plan(TensorRequest(spec))
    assert isinstance(sampled.rule, Normal)
    rule = sampled.rule
    right = bits(sample(cpu, spec))
    results: list[FakeArray] = []

    def fill() -> None:
        memory = backend.allocate(right.size)
        backend.fill_on_device(
            rule, sampled.key, sampled.runs(0, spec.element_count), spec.dtype, memory
        )
        results.append(memory)

    def write() -> None:
        memory = backend.allocate(right.size)
        backend.write(memory, 0, right)
        results.append(memory)

    in_time(*[fill, write] * 3)
    assert len(results) == 6
    assert all(np.array_equal(device.contents(memory), right) for memory in results)
    results.clear()
    assert_idle(device, backend)
