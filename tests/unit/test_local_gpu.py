"""A GPU of the client's machine, a fake one: what it samples or receives has the right bits."""

import gc
import itertools
from collections.abc import Iterator

import numpy as np
import pytest

from seedbed.spec.dtypes import Dtype
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
from seedbed_server import local_device
from seedbed_server.backends.cpu import CpuBackend
from seedbed_server.backends.gpu import GpuBackend
from seedbed_server.local_device import LocalGpu
from tests.contract.backend_suite import bits, each_floating
from tests.fake_device import Call, FakeDevice
from tests.samples import sample

INITIALIZERS: list[InitializerSpec] = [
    RandomUniformSpec(-1.0, 3.0),
    RandomNormalSpec(0.1, 2.0),
    ConstantSpec(1.5),
    IdentitySpec(2.0),
    OrthogonalSpec(1.5),
]
PARTS = {
    "whole": None,
    "slice": TensorSlice((3, 4), (50, 31)),
    "column": TensorSlice((0, 5), (60, 1)),
}
NORMAL = TensorRequest(TensorSpec("normal", (9000,), Dtype.FLOAT32, RandomNormalSpec(), seed=1))


@pytest.fixture
def device() -> FakeDevice:
    """A device that works at any moment."""
    return FakeDevice(0)


@pytest.fixture
def gpu(device: FakeDevice, cpu: CpuBackend, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalGpu]:
    """A GPU with several pieces and slabs for the least tensor; nothing may be left on it."""
    monkeypatch.setattr(local_device, "PIECE_ELEMENTS", 1000)
    backend = GpuBackend(device, cpu, slots=2, slab_bytes=1024)
    yield LocalGpu(backend)
    if device.live_bytes:
        gc.collect()
    assert device.violations == []
    assert device.live_bytes == device.unsettled == 0
    assert backend.free_slots == 2


@each_floating
@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
@pytest.mark.parametrize("initializer", INITIALIZERS, ids=lambda initializer: initializer.name())
def test_what_is_sampled_on_it_has_the_bits_of_the_cpu(
    gpu: LocalGpu,
    device: FakeDevice,
    cpu: CpuBackend,
    initializer: InitializerSpec,
    part: TensorSlice | None,
    dtype: Dtype,
) -> None:
    spec = TensorSpec("local", (60, 50), dtype, initializer, seed=4)
    request = TensorRequest(spec, part)
    array = gpu.sample(request)
    assert array.shape == request.shape
    assert array.dtype == dtype.numpy
    assert np.array_equal(bits(device.contents(array)), bits(sample(cpu, spec, part)))


@pytest.mark.parametrize("dtype", Dtype, ids=lambda dtype: dtype.value)
def test_constants_of_every_dtype_are_put_on_it(
    gpu: LocalGpu, device: FakeDevice, cpu: CpuBackend, dtype: Dtype
) -> None:
    spec = TensorSpec("constant", (3, 700), dtype, ConstantSpec(1), seed=4)
    array = gpu.sample(TensorRequest(spec))
    assert array.dtype == dtype.numpy
    assert np.array_equal(bits(device.contents(array)), bits(sample(cpu, spec)))


def test_what_lands_on_it_piece_by_piece_is_the_tensor(
    gpu: LocalGpu, device: FakeDevice, cpu: CpuBackend
) -> None:
    right = bits(sample(cpu, NORMAL.spec))
    landing = gpu.landing(NORMAL)
    for begin, end in itertools.pairwise([0, 1, 7, 7, 3000, 20_001, right.size]):
        landing.write(begin, memoryview(right[begin:end].tobytes()))
    array = landing.array()
    assert array.shape == NORMAL.shape
    assert np.array_equal(bits(device.contents(array)), right)


def test_an_empty_tensor_has_its_shape(gpu: LocalGpu) -> None:
    request = TensorRequest(
        TensorSpec("empty", (4, 0, 3), Dtype.BFLOAT16, RandomNormalSpec(), seed=1)
    )
    assert gpu.sample(request).shape == gpu.landing(request).array().shape == (4, 0, 3)


@pytest.mark.parametrize("call", ["launch", "wait", "record"])
def test_a_failure_says_so_and_leaves_nothing_over(
    gpu: LocalGpu, device: FakeDevice, cpu: CpuBackend, call: Call
) -> None:
    device.fail(call, 5)
    with pytest.raises(DeviceError):
        gpu.sample(NORMAL)
    assert np.array_equal(bits(device.contents(gpu.sample(NORMAL))), bits(sample(cpu, NORMAL.spec)))


def test_a_tensor_for_which_there_is_no_room_is_out_of_device_memory(
    gpu: LocalGpu, device: FakeDevice
) -> None:
    device.limit_bytes = 10_000
    with pytest.raises(OutOfDeviceMemoryError):
        gpu.sample(NORMAL)
    with pytest.raises(OutOfDeviceMemoryError):
        gpu.landing(NORMAL)
