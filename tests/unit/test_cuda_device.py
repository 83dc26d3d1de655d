"""The CUDA device, on a stub of CuPy: the right calls, or one clear line where it fails."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seedbed.spec.errors import DeviceError, NoDeviceError, OutOfDeviceMemoryError
from seedbed_server.backends import cuda, cuda_kernels
from seedbed_server.backends.cpu import CpuBackend
from seedbed_server.backends.cuda import CudaDevice, cuda_device_count
from seedbed_server.backends.gpu import GpuBackend
from seedbed_server.kernels.blocks import BLOCK_KERNELS, run_table
from seedbed_server.sampling.self_test import run_self_test
from tests.stub_cupy import (
    CudaAPIError,
    CUDADriverError,
    CUDAError,
    CUDARuntimeError,
    Libraries,
    OutOfMemoryError,
)

ONE_LINE = r"^[^\n]+$"


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Libraries:
    """CuPy and the compilers as stubs, with two devices and no cache."""
    libraries = Libraries()
    numba_cuda = libraries.numba_cuda()
    monkeypatch.setitem(sys.modules, "cupy", libraries.cupy())
    monkeypatch.setattr(cuda_kernels, "machine_code", libraries.machine_code)
    monkeypatch.setattr(cuda_kernels, "numba_cuda", lambda: numba_cuda)
    monkeypatch.setattr(cuda_kernels, "cache_directory", lambda: None)
    return libraries


# Where there is none.


@pytest.mark.parametrize("call", [CudaDevice, cuda_device_count], ids=["device", "count"])
def test_without_cupy_one_line_names_it_and_the_extras(
    monkeypatch: pytest.MonkeyPatch, call: Callable[[], object]
) -> None:
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(NoDeviceError, match=ONE_LINE) as caught:
        call()
    for word in ("cupy", "pip install 'seedbed[gpu]'", "'seedbed[gpu-cuda12]'"):
        assert word in str(caught.value)


@pytest.mark.parametrize("call", [CudaDevice, cuda_device_count], ids=["device", "count"])
def test_without_numba_cuda_one_line_names_it_and_the_extras(
    stub: Libraries, monkeypatch: pytest.MonkeyPatch, call: Callable[[], object]
) -> None:
    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(cuda, "version", missing)
    with pytest.raises(
        NoDeviceError, match=r"^a GPU needs numba-cuda: pip install 'seedbed\[gpu\]'[^\n]*$"
    ):
        call()


@pytest.mark.parametrize("call", [CudaDevice, cuda_device_count], ids=["device", "count"])
def test_without_a_driver_one_line_says_so(stub: Libraries, call: Callable[[], object]) -> None:
    stub.driver_version = 0
    with pytest.raises(NoDeviceError, match=r"^no GPU can be used here: [^\n]*\bdriver\b[^\n]*$"):
        call()


@pytest.mark.parametrize("call", [CudaDevice, cuda_device_count], ids=["device", "count"])
def test_with_a_driver_that_does_not_work_one_line_has_its_words(
    stub: Libraries, call: Callable[[], object]
) -> None:
    stub.raising["getDeviceCount"] = CUDARuntimeError(
        "cudaErrorInsufficientDriver: CUDA driver is insufficient\nmore"
    )
    with pytest.raises(
        NoDeviceError, match=r"^no GPU can be used here: cudaErrorInsufficientDriver: [^\n]+$"
    ):
        call()


@pytest.mark.parametrize(("index", "count"), [(2, 2), (-1, 2), (0, 0), (7, 1)])
def test_a_number_that_no_device_has_is_refused_with_how_many_there_are(
    stub: Libraries, index: int, count: int
) -> None:
    stub.device_count = count
    assert cuda_device_count() == count
    with pytest.raises(
        NoDeviceError, match=rf"^there is no GPU {index} here: there are {count}\b[^\n]*$"
    ):
        CudaDevice(index)


def test_everything_imports_without_cupy_and_leaves_numba_cuda_alone() -> None:
    program = """
import importlib, pkgutil, sys
sys.modules["cupy"] = sys.modules["numba.cuda"] = None
import seedbed, seedbed_server
for package in (seedbed, seedbed_server):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.endswith("__main__"):
            try:
                importlib.import_module(module.name)
            except seedbed.FrameworkNotInstalledError:
                pass
assert "seedbed_server.backends.gpu" in sys.modules and "seedbed_server.devices" in sys.modules
from seedbed_server.backends.cuda import CudaDevice
try:
    CudaDevice()
except seedbed.NoDeviceError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("a GPU needs cupy")
    assert done.stdout.count("\n") == 1


def test_numba_cuda_has_what_is_asked_of_it() -> None:
    real = cuda_kernels.numba_cuda()
    assert callable(real.external_stream)
    assert callable(real.jit)
    assert real.core.config.CUDA_LOW_OCCUPANCY_WARNINGS == 0


# Where there is one.


def test_it_gives_the_right_bits(stub: Libraries, cpu: CpuBackend) -> None:
    backend = GpuBackend(CudaDevice(1), cpu, slots=2, slab_bytes=4096)
    assert run_self_test(backend) > 0
    assert backend.device == "Stub 1 (GPU 1)"
    assert backend.free_slots == 2


# Its kernels.


def test_all_kernels_are_loaded_as_one_module(stub: Libraries) -> None:
    CudaDevice(1)
    (compiled,) = stub.named("machine_code")
    assert compiled.arguments == (list(BLOCK_KERNELS), (9, 0))
    (loaded,) = stub.named("load")
    assert loaded.device == 1
    assert not stub.named("jit")


def test_a_second_start_compiles_nothing(
    stub: Libraries, cpu: CpuBackend, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(cuda_kernels, "cache_directory", lambda: tmp_path)
    for _ in range(2):
        assert run_self_test(GpuBackend(CudaDevice(), cpu, slots=2, slab_bytes=4096)) > 0
    assert len(stub.named("machine_code")) == 1
    first, second = stub.named("load")
    assert first.arguments == second.arguments


def test_a_kernel_that_is_not_the_backends_is_compiled_when_it_is_first_launched(
    stub: Libraries,
) -> None:
    kernel = replace(BLOCK_KERNELS["uniform_float32"], name="another one")
    stub.kernels.append(kernel)
    device = CudaDevice()
    assert device.kernel(kernel) is device.kernel(kernel)
    assert [call.arguments[0] for call in stub.named("machine_code")[1:]] == [["another one"]]


@pytest.mark.parametrize("name", ["machine_code", "load"])
def test_numba_cuda_compiles_and_launches_kernels_that_cannot_be_loaded(
    stub: Libraries, cpu: CpuBackend, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    stub.raising[name] = CUDADriverError("CUDA_ERROR_NO_BINARY_FOR_GPU\nmore")
    backend = GpuBackend(CudaDevice(1), cpu, slots=1, slab_bytes=4096)
    assert caplog.messages == [
        "numba-cuda compiles the kernels for this start: CUDA_ERROR_NO_BINARY_FOR_GPU"
    ]
    compiled = stub.named("jit")
    assert [call.arguments[0] for call in compiled] == list(BLOCK_KERNELS)
    assert {call.device for call in compiled} == {1}
    # Other options would give other bits.
    assert all(call.arguments[1] == {"fastmath": False, "lto": False} for call in compiled)
    assert run_self_test(backend) > 0
    assert_launches_are_on_the_stream_of_everything_else(stub)


@pytest.mark.parametrize("limit", [None, 2**30])
def test_the_pool_takes_no_more_than_its_limit(stub: Libraries, limit: int | None) -> None:
    CudaDevice(memory_limit_bytes=limit)
    assert [call.arguments for call in stub.named("set_limit")] == (
        [] if limit is None else [(limit,)]
    )


def test_all_that_is_called_is_called_for_the_device(stub: Libraries, cpu: CpuBackend) -> None:
    device = CudaDevice(1)
    backend = GpuBackend(device, cpu, slots=2, slab_bytes=4096)
    run_self_test(backend)
    memory = backend.allocate(9000)
    backend.write(memory, 0, np.zeros(9000, np.uint8))
    device.free_unused()
    others = {call.name for call in stub.calls if call.device != 1}
    # Counting needs no device, and CuPy has the null stream from the beginning.
    assert others == {"getDeviceCount", "Stream"}
    assert [call.arguments for call in stub.named("Stream") if call.device == 1] == [(True,)] * 2


def test_kernels_are_launched_on_the_stream_of_everything_else(
    stub: Libraries, cpu: CpuBackend
) -> None:
    run_self_test(GpuBackend(CudaDevice(), cpu, slots=1, slab_bytes=4096))
    assert_launches_are_on_the_stream_of_everything_else(stub)


def assert_launches_are_on_the_stream_of_everything_else(stub: Libraries) -> None:
    (pointer,) = {
        call.arguments[0].ptr
        for name in ("get", "set", "Event.record")
        for call in stub.named(name)
    }
    assert {call.arguments[1:] for call in stub.named("launch")} == {
        (cuda.THREADS_PER_BLOCK, pointer)
    }
    assert {call.stream.ptr for call in stub.named("launch") if call.stream} == {pointer}


def test_copies_do_not_wait_and_waiting_sleeps(stub: Libraries, cpu: CpuBackend) -> None:
    backend = GpuBackend(CudaDevice(), cpu, slots=1, slab_bytes=4096)
    run_self_test(backend)
    assert {call.arguments[1] for call in stub.named("get")} == {False}
    assert {call.arguments for call in stub.named("Event")} == {(True, True)}
    assert (
        len(stub.named("Event.synchronize"))
        == len(stub.named("Event.record"))
        == len(stub.named("Event"))
    )


def test_what_a_stream_works_with_comes_from_the_pool_and_is_bound_to_the_stream(
    stub: Libraries,
) -> None:
    device = CudaDevice()
    stream = device.stream()
    before = len(stub.named("empty"))
    stream.allocate(100)
    uploaded = stream.upload(np.arange(12, dtype=np.uint64).reshape(4, 3))
    assert np.array_equal(uploaded.content, np.arange(12).reshape(4, 3))
    allocations = stub.named("empty")[before:]
    stream.record()
    (recorded,) = stub.named("Event.record")
    assert [call.arguments for call in allocations] == [(100, np.uint8), ((4, 3), np.uint64)]
    for call in allocations:
        assert call.pool is not None
        assert call.stream is not None
        assert call.stream is recorded.arguments[0]
    device.free_unused()
    assert [call.arguments[0] for call in stub.named("free_all_blocks")] == [allocations[0].pool]


def test_a_result_comes_from_where_the_user_gets_memory_and_is_no_longer_used(
    stub: Libraries,
) -> None:
    device = CudaDevice(1)
    memory = device.result(100)
    assert memory.size == 100
    assert memory.dtype == np.uint8
    allocation, wait = stub.named("empty")[-1], stub.named("Stream.synchronize")[-1]
    assert (allocation.device, allocation.pool, allocation.stream) == (1, None, None)
    assert stub.calls.index(wait) > stub.calls.index(allocation)


def test_pinned_memory_is_as_large_as_was_asked_for_and_can_be_written_to(stub: Libraries) -> None:
    pinned = CudaDevice().pinned(5000)
    assert pinned.size == 5000
    assert pinned.dtype == np.uint8
    assert [call.arguments for call in stub.named("PinnedMemory")] == [(5000,)]
    pinned[:] = 7


def test_a_result_becomes_an_array_of_its_dtype_and_shape(stub: Libraries) -> None:
    device = CudaDevice()
    array = device.as_dtype(device.result(48), np.dtype(np.float32), (3, 4))
    assert (array.shape, array.dtype) == ((3, 4), np.float32)


def test_a_dtype_that_cupy_does_not_have_is_a_device_error(stub: Libraries) -> None:
    device = CudaDevice()
    memory = device.result(48)
    stub.raising["view"] = TypeError("unsupported dtype")
    with pytest.raises(
        DeviceError, match=r"^CuPy 14\.0\.0 has no arrays of float32: unsupported dtype$"
    ):
        device.as_dtype(memory, np.dtype(np.float32), (12,))


# What the libraries raise.

OUT_OF_MEMORY = [
    OutOfMemoryError("Out of memory allocating 10 bytes (allocated so far: 20 bytes).\nmore"),
    CUDARuntimeError("cudaErrorMemoryAllocation: out of memory"),
    CudaAPIError("[2] Call to cuMemAlloc results in CUDA_ERROR_OUT_OF_MEMORY"),
    CUDAError("CUDA_ERROR_OUT_OF_MEMORY: the API call failed"),
]
FAILED = [
    CUDARuntimeError("cudaErrorIllegalAddress: an illegal memory access was encountered\nmore"),
    CUDADriverError("CUDA_ERROR_LAUNCH_FAILED: unspecified launch failure"),
    CudaAPIError("[700] Call to cuLaunchKernel results in CUDA_ERROR_ILLEGAL_ADDRESS"),
    CUDAError("CUDA_ERROR_ILLEGAL_ADDRESS: while executing a kernel"),
    CUDARuntimeError(""),
]


def kind_and_text(error: Exception) -> str:
    """Return a name for a case."""
    return f"{type(error).__name__}: {str(error)[:24]}"


each_out_of_memory = pytest.mark.parametrize("error", OUT_OF_MEMORY, ids=kind_and_text)
each_failure = pytest.mark.parametrize("error", FAILED, ids=kind_and_text)

TABLE, _ = run_table(np.array([0], np.uint64), np.array([4], np.uint64), 4)


def launch(device: CudaDevice, stream: Any) -> None:
    """Launch a kernel for four elements."""
    key = (np.uint32(1),) * 4
    params = (np.float32(0), np.float32(1), np.float32(1))
    out = stream.allocate(16).view(np.float32)
    stream.launch(
        BLOCK_KERNELS["uniform_float32"], 1, (stream.upload(TABLE), key, np.uint32(0), params, out)
    )


ACTIONS: dict[str, tuple[str, Callable[[CudaDevice, Any], object]]] = {
    "a new stream": ("Stream", lambda device, stream: device.stream()),
    "pinned memory": ("PinnedMemory", lambda device, stream: device.pinned(8)),
    "a result": ("empty", lambda device, stream: device.result(8)),
    "waiting for a result": ("Stream.synchronize", lambda device, stream: device.result(8)),
    "freeing": ("free_all_blocks", lambda device, stream: device.free_unused()),
    "an allocation": ("empty", lambda device, stream: stream.allocate(8)),
    "an upload": ("set", lambda device, stream: stream.upload(TABLE)),
    "a launch": ("launch", launch),
    "a copy to the host": (
        "get",
        lambda device, stream: stream.copy_to_host(stream.allocate(8), np.zeros(8, np.uint8)),
    ),
    "a copy to the device": (
        "set",
        lambda device, stream: stream.copy_to_device(np.zeros(8, np.uint8), stream.allocate(8)),
    ),
    "recording": ("Event.record", lambda device, stream: stream.record()),
    "waiting": ("Event.synchronize", lambda device, stream: stream.record().wait()),
}
each_action = pytest.mark.parametrize(("name", "action"), ACTIONS.values(), ids=ACTIONS)


@each_out_of_memory
@each_action
def test_no_room_is_out_of_device_memory(
    stub: Libraries, name: str, action: Callable[[CudaDevice, Any], object], error: Exception
) -> None:
    device = CudaDevice()
    stream = device.stream()
    stub.raising[name] = error
    with pytest.raises(OutOfDeviceMemoryError, match=ONE_LINE) as caught:
        action(device, stream)
    assert str(error).splitlines()[0] in str(caught.value)
    del stub.raising[name]
    action(device, stream)
    assert (stub.device, stub.pool, stub.stream) == (None, None, None)


@each_failure
@each_action
def test_a_failure_is_a_device_error(
    stub: Libraries, name: str, action: Callable[[CudaDevice, Any], object], error: Exception
) -> None:
    device = CudaDevice()
    stream = device.stream()
    stub.raising[name] = error
    with pytest.raises(DeviceError, match=r"^the GPU failed: [^\n]+$") as caught:
        action(device, stream)
    assert caught.value.__cause__ is error
    assert (str(error) or type(error).__name__).splitlines()[0] in str(caught.value)


@pytest.mark.parametrize(
    "error",
    [*FAILED, ImportError("libNVVM cannot be found"), RuntimeError("linking failed")],
    ids=kind_and_text,
)
def test_a_kernel_that_cannot_be_compiled_is_a_device_error(
    stub: Libraries, error: Exception
) -> None:
    stub.raising |= {"machine_code": error, "jit": error}
    with pytest.raises(DeviceError, match=r"^the GPU failed: [^\n]+$"):
        CudaDevice()
