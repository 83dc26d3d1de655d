"""The fake device is as unkind as it must be: what the GPU backend may not do, it notices."""

import gc
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from seedbed.spec.errors import DeviceError, OutOfDeviceMemoryError
from seedbed_server.kernels.blocks import BLOCK_KERNELS, run_table
from tests.fake_device import POISON, FakeArray, FakeDevice, FakeStream, Schedule

SIZE = 64
DATA = np.arange(SIZE, dtype=np.uint8)


@pytest.fixture
def device() -> FakeDevice:
    return FakeDevice()


@pytest.fixture
def pinned(device: FakeDevice) -> NDArray[np.uint8]:
    return device.pinned(SIZE)


@pytest.fixture
def stream(device: FakeDevice) -> FakeStream:
    return device.stream()


@pytest.fixture
def memory(stream: FakeStream) -> FakeArray:
    """Device memory that holds the data."""
    uploaded = stream.upload(DATA)
    stream.record().wait()
    return uploaded


def test_new_memory_holds_the_pattern(
    device: FakeDevice, stream: FakeStream, pinned: NDArray[np.uint8]
) -> None:
    assert (pinned == POISON).all()
    assert (device.contents(stream.allocate(SIZE)) == POISON).all()
    assert (device.contents(device.result(SIZE)) == POISON).all()


def test_the_host_sees_a_copy_only_when_it_has_waited_for_it(
    stream: FakeStream, memory: FakeArray, pinned: NDArray[np.uint8]
) -> None:
    pinned[:] = 0
    stream.copy_to_host(memory, pinned)
    assert (pinned == POISON).all()
    stream.record().wait()
    assert np.array_equal(pinned, DATA)


def test_work_may_be_done_when_it_is_given_or_at_any_moment_before_it_is_waited_for() -> None:
    seen = set()
    schedules: list[Schedule] = ["early", *range(20)]
    for schedule in schedules:
        device = FakeDevice(schedule)
        stream, pinned = device.stream(), device.pinned(SIZE)
        memory = stream.upload(DATA)
        stream.copy_to_host(memory, pinned)
        seen.add((schedule == "early", bool(pinned[0] == DATA[0])))
        stream.record()
        seen.add((schedule == "early", bool(pinned[0] == DATA[0])))
    assert seen == {(True, True), (False, False), (False, True)}


def test_waiting_for_an_event_does_not_do_what_was_given_after_it(
    stream: FakeStream, memory: FakeArray, pinned: NDArray[np.uint8], device: FakeDevice
) -> None:
    event = stream.record()
    stream.copy_to_host(memory, pinned)
    event.wait()
    assert device.unsettled == 1
    assert (pinned == POISON).all()


@pytest.mark.parametrize(
    "read",
    [
        np.asarray,
        list,
        len,
        bool,
        lambda array: array[0],
        lambda array: DATA + array,
        lambda array: array == DATA,
    ],
    ids=["asarray", "list", "len", "bool", "element", "sum", "comparison"],
)
def test_the_host_cannot_read_device_memory(memory: FakeArray, read: Any) -> None:
    with pytest.raises((AssertionError, TypeError)):
        read(memory)


def test_the_host_cannot_copy_to_or_from_device_memory_by_itself(memory: FakeArray) -> None:
    host = np.zeros(SIZE, np.uint8)
    with pytest.raises(AssertionError, match="the host reads device memory"):
        host[:] = memory
    with pytest.raises(AssertionError, match="the host writes device memory"):
        memory[:] = host


def test_copies_take_pinned_memory_of_their_size_only(
    stream: FakeStream, memory: FakeArray
) -> None:
    with pytest.raises(AssertionError):
        stream.copy_to_host(memory, np.empty(SIZE, np.uint8))
    with pytest.raises(AssertionError):
        stream.copy_to_host(memory, FakeDevice().pinned(SIZE))


def test_a_device_cannot_read_numbers_at_odd_addresses(memory: FakeArray) -> None:
    assert memory[4:12].view(np.float32).size == 2
    with pytest.raises(AssertionError, match="address 2"):
        memory[2:10].view(np.float32)


def test_pinned_memory_that_is_used_again_too_soon_is_noticed(
    device: FakeDevice, memory: FakeArray, pinned: NDArray[np.uint8]
) -> None:
    first, second = device.stream(), device.stream()
    first.copy_to_host(memory[:32], pinned[:32])
    second.copy_to_host(memory[32:], pinned[32:])
    for stream in (first, second):
        with pytest.raises(AssertionError, match="pinned memory is used again"):
            stream.copy_to_host(memory[:32], pinned[31:63])
    assert len(device.violations) == 2


def test_pinned_memory_that_the_host_changes_too_soon_is_noticed(
    device: FakeDevice, stream: FakeStream, pinned: NDArray[np.uint8]
) -> None:
    stream.copy_to_device(pinned, stream.allocate(SIZE))
    pinned[3] = 1
    with pytest.raises(AssertionError, match="the host wrote to pinned memory"):
        stream.record().wait()
    assert device.violations


def test_two_streams_that_use_the_same_device_memory_are_noticed(
    device: FakeDevice, memory: FakeArray, pinned: NDArray[np.uint8]
) -> None:
    kept = device.stream()
    kept.copy_to_device(pinned[8:16], memory[8:16])
    kept.copy_to_host(memory[8:16], pinned[16:24])
    other = device.stream()
    other.copy_to_device(pinned[24:32], memory[16:24])
    with pytest.raises(AssertionError, match="two streams"):
        other.copy_to_host(memory[15:16], pinned[32:33])
    with pytest.raises(AssertionError, match="two streams"):
        device.contents(memory)


def test_memory_that_is_freed_too_soon_is_noticed(
    device: FakeDevice, pinned: NDArray[np.uint8]
) -> None:
    stream = device.stream()
    stream.copy_to_host(stream.upload(DATA), pinned)
    gc.collect()
    stream.record().wait()
    assert device.violations == ["memory was freed before the work that uses it was waited for"]
    assert (pinned == POISON).all()


def test_memory_is_counted_and_limited() -> None:
    device = FakeDevice(limit_bytes=100)
    held = [device.result(60)]
    with pytest.raises(OutOfDeviceMemoryError, match="no room for 41 bytes"):
        device.result(41)
    held.append(device.stream().allocate(40))
    assert device.live_bytes == device.peak_bytes == 100
    del held[0]
    assert device.live_bytes == 40
    with pytest.raises(OutOfDeviceMemoryError):
        device.result(59)  # what is freed is kept for allocations of its size
    assert device.result(60).size == 60
    device.free_unused()
    assert device.result(59).size == 59


def test_calls_fail_on_demand(
    device: FakeDevice, memory: FakeArray, pinned: NDArray[np.uint8]
) -> None:
    stream = device.stream()
    device.fail("copy", 1)
    stream.copy_to_host(memory, pinned)
    with pytest.raises(DeviceError):
        stream.copy_to_host(memory, pinned)
    device.fail("wait", 0)
    with pytest.raises(DeviceError):
        stream.record().wait()
    assert (pinned == POISON).all()
    stream.copy_to_host(memory, pinned)
    stream.record().wait()
    assert np.array_equal(pinned, DATA)
    device.fail("allocate", 0, 2)
    with pytest.raises(OutOfDeviceMemoryError):
        stream.upload(DATA)
    assert stream.upload(DATA).size == SIZE
    with pytest.raises(OutOfDeviceMemoryError):
        device.result(1)


def launch_arguments(stream: FakeStream) -> Iterator[Any]:
    """Yield what a launch of the uniform float32 kernel takes."""
    table, _ = run_table(np.array([0], np.uint64), np.array([SIZE // 4], np.uint64), 4)
    yield stream.upload(table)
    yield (np.uint32(1), np.uint32(2), np.uint32(3), np.uint32(4))
    yield np.uint32(0)
    yield (np.float32(0), np.float32(1), np.float32(1))
    yield stream.allocate(SIZE).view(np.float32)


@pytest.mark.parametrize(
    ("place", "wrong"),
    [(1, (1, 2, 3, 4)), (2, np.uint64(0)), (3, (0.0, 1.0, 1.0)), (3, (np.float32(0),) * 8)],
    ids=["key", "split", "params of another type", "params of a normal"],
)
def test_a_launch_takes_what_the_compiled_kernel_takes(
    device: FakeDevice, stream: FakeStream, place: int, wrong: Any
) -> None:
    kernel = BLOCK_KERNELS["uniform_float32"]
    arguments = list(launch_arguments(stream))
    stream.launch(kernel, SIZE // 16, tuple(arguments))
    stream.record().wait()
    values = device.contents(arguments[-1])
    assert ((values >= 0) & (values < 1)).all()
    arguments[place] = wrong
    with pytest.raises(AssertionError, match="uniform_float32 takes"):
        stream.launch(kernel, SIZE // 16, tuple(arguments))


def test_a_kernel_that_runs_before_its_table_is_there_is_noticed(
    device: FakeDevice, stream: FakeStream
) -> None:
    other = device.stream()
    _, *numbers, out = launch_arguments(stream)
    table = other.allocate(32).view(np.uint64)
    unwritten = FakeArray(table.block, 0, table.dtype, (4, 1))
    stream.launch(BLOCK_KERNELS["uniform_float32"], SIZE // 16, (unwritten, *numbers, out))
    with pytest.raises(AssertionError, match="before its table is there"):
        stream.record().wait()
    assert device.violations == ["a kernel runs before its table is there"]
