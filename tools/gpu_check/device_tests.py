"""What only a device can get wrong, as tests; the group ``contract`` runs them.

The fixture ``rig`` comes from there.
"""

import itertools
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from seedbed.spec.dtypes import FLOATING, Dtype
from seedbed.spec.errors import OutOfDeviceMemoryError
from seedbed.spec.initializers import RandomNormalSpec, RandomUniformSpec
from seedbed.spec.tensors import TensorRequest, TensorSpec
from seedbed_server.backends.base import Backend, SamplingCancelledError
from seedbed_server.backends.cpu import CpuBackend
from seedbed_server.backends.cuda import CudaDevice
from seedbed_server.backends.gpu import GpuBackend
from seedbed_server.local_device import LocalGpu
from seedbed_server.sampling.sampler import TensorSource, plan
from tests.contract.backend_suite import BackendTests, bits
from tests.samples import sample
from tools.gpu_check.device_arrays import content
from tools.gpu_check.rig import Rig

SLAB_BYTES = 4096
SPECS = [
    TensorSpec(f"{dtype.value} {initializer.name()}", (30_001,), dtype, initializer, seed=3)
    for dtype in FLOATING
    for initializer in (RandomUniformSpec(-1.0, 3.0), RandomNormalSpec(0.1, 2.0))
]
LARGE = TensorSpec("large", (2_000_003,), Dtype.FLOAT32, RandomNormalSpec(), seed=5)

processor = cache(CpuBackend)


@cache
def right(spec: TensorSpec) -> NDArray[np.uint8]:
    """Return a tensor's bytes, sampled on the processor."""
    return bits(sample(processor(), spec))


@pytest.fixture
def device(rig: Rig) -> CudaDevice:
    """The device, opened once."""
    return _device(rig.index)


@cache
def _device(index: int) -> CudaDevice:
    return CudaDevice(index)


def backend_on(device: CudaDevice, slots: int, slab_bytes: int = SLAB_BYTES) -> GpuBackend:
    """Return a backend that shares the processor with the others."""
    return GpuBackend(device, processor(), slots=slots, slab_bytes=slab_bytes)


@cache
def as_it_is(device: CudaDevice) -> GpuBackend:
    """Return a backend whose slots are as large as a server's; they take time to make."""
    return GpuBackend(device, processor())


def at_a_time(count: int, function: Callable[[int], object]) -> None:
    """Call a function with each number in a thread of its own; raise what any of them raises."""
    with ThreadPoolExecutor(count) as pool:
        list(pool.map(function, range(count)))


class TestBackend(BackendTests):
    """The promises of every backend, in slabs as they are, and in small ones."""

    @pytest.fixture(params=["as it is", "small slabs"])
    def backend(self, request: pytest.FixtureRequest, device: CudaDevice) -> Iterator[Backend]:
        backend = as_it_is(device) if request.param == "as it is" else backend_on(device, 3)
        yield backend
        assert backend.free_slots == backend.threads


class TestStreams:
    """Work of several streams at a time."""

    def test_threads_that_fill_different_tensors_get_the_right_bits(
        self, device: CudaDevice
    ) -> None:
        backend = backend_on(device, 8)

        def fill(number: int) -> None:
            for spec in SPECS[number:] + SPECS[:number]:
                assert np.array_equal(bits(sample(backend, spec)), right(spec)), spec.name

        at_a_time(8, fill)
        assert backend.free_slots == 8

    def test_tensors_that_stay_on_the_device_have_the_right_bits(self, device: CudaDevice) -> None:
        gpu = LocalGpu(backend_on(device, 4))

        def leave(number: int) -> None:
            for spec in SPECS[number:]:
                array = gpu.sample(TensorRequest(spec))
                assert array.shape == spec.shape
                assert content(array) == right(spec).tobytes(), spec.name

        at_a_time(6, leave)

    def test_what_is_written_to_the_device_is_there(self, device: CudaDevice) -> None:
        backend = backend_on(device, 3)
        data = right(LARGE)
        memory = backend.allocate(data.size)
        cuts = [0, 1, 4097, 4098, 300_000, data.size]
        for begin, end in reversed(list(itertools.pairwise(cuts))):
            backend.write(memory, begin, data[begin:end])
        assert content(memory) == data.tobytes()


class TestSlotReuse:
    """Few slots, many slabs."""

    @pytest.mark.parametrize("slots", [1, 2, 3])
    def test_slots_that_are_used_again_and_again_hold_what_they_were_given_last(
        self, device: CudaDevice, slots: int
    ) -> None:
        backend = backend_on(device, slots)
        for _ in range(5):
            for spec in SPECS:
                assert np.array_equal(bits(sample(backend, spec)), right(spec)), spec.name
        assert backend.free_slots == slots

    def test_more_threads_than_slots_come_to_an_end(self, device: CudaDevice) -> None:
        backend = backend_on(device, 2)

        def fill(number: int) -> None:
            spec = SPECS[number % len(SPECS)]
            assert np.array_equal(bits(sample(backend, spec)), right(spec))

        at_a_time(16, fill)
        assert backend.free_slots == 2


class Refusing(np.ndarray[Any, np.dtype[np.uint8]]):
    """Host memory that a number of writes goes to, and no more."""

    writes_left: int

    def __array_finalize__(self, whole: Any) -> None:
        self.writes_left = getattr(whole, "writes_left", 0)  # a part of it takes as many

    def __setitem__(self, key: Any, value: Any) -> None:
        if self.writes_left == 0:
            raise RuntimeError("nothing can be written here")
        self.writes_left -= 1
        super().__setitem__(key, value)


class TestCancellation:
    """Fills that end before their time."""

    @pytest.mark.parametrize("writes", [0, 1, 7])
    def test_a_fill_that_ends_midway_leaves_the_slots_free(
        self, device: CudaDevice, writes: int
    ) -> None:
        backend = backend_on(device, 3)
        memory = np.zeros(right(LARGE).size, np.uint8).view(Refusing)
        memory.writes_left = writes
        with pytest.raises(RuntimeError, match="nothing can be written here"):
            TensorSource(plan(TensorRequest(LARGE)), backend).fill(0, memory)
        assert backend.free_slots == 3
        assert np.array_equal(bits(sample(backend, LARGE)), right(LARGE))

    def test_a_source_that_is_cancelled_while_threads_fill_ends(self, device: CudaDevice) -> None:
        backend = backend_on(device, 2)
        source = TensorSource(plan(TensorRequest(LARGE)), backend)
        ended: list[int] = []

        def fill(number: int) -> None:
            if number == 0:
                source.cancel()
            part = np.empty(4 * 10_000, np.uint8)
            try:
                while True:
                    source.fill(number * 10_000, part)
            except SamplingCancelledError:
                ended.append(number)

        at_a_time(8, fill)
        assert sorted(ended) == list(range(8))
        assert backend.free_slots == 2
        assert np.array_equal(bits(sample(backend, LARGE)), right(LARGE))


class TestOutOfMemory:
    """A pool that is too small."""

    def test_slabs_get_smaller_until_they_fit(self, rig: Rig) -> None:
        # No room for a slab of 4 MiB, but for one of 2 with its table.
        small = rig.device(memory_limit_bytes=3 * 2**20)
        backend = backend_on(small, 1, 4 * 2**20)
        for _ in range(3):
            assert np.array_equal(bits(sample(backend, LARGE)), right(LARGE))
        assert backend.free_slots == 1

    def test_where_nothing_fits_the_fill_fails_and_the_slots_are_free(self, rig: Rig) -> None:
        backend = backend_on(rig.device(memory_limit_bytes=2**14), 2, 2**20)
        for _ in range(3):
            with pytest.raises(OutOfDeviceMemoryError):
                sample(backend, LARGE)
            assert backend.free_slots == 2

    def test_an_array_larger_than_any_device_is_refused_and_the_device_works_on(
        self, device: CudaDevice
    ) -> None:
        backend = backend_on(device, 2)
        with pytest.raises(OutOfDeviceMemoryError):
            backend.allocate(2**50)
        assert np.array_equal(bits(sample(backend, LARGE)), right(LARGE))


class TestSeveralWorkers:
    """Several backends, and several processes, on one device."""

    def test_backends_that_share_a_device_do_not_disturb_each_other(
        self, device: CudaDevice
    ) -> None:
        backends = [backend_on(device, 2) for _ in range(3)]

        def fill(number: int) -> None:
            for spec in SPECS:
                sampled = bits(sample(backends[number % 3], spec))
                assert np.array_equal(sampled, right(spec)), spec.name

        at_a_time(6, fill)

    def test_processes_that_share_a_device_get_the_right_bits(self, rig: Rig) -> None:
        command = [sys.executable, "-m", "tools.gpu_check.one_run", str(rig.index)]
        processes = [
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            for _ in range(3)
        ]
        said = [process.communicate(timeout=120)[0] for process in processes]
        assert [process.returncode for process in processes] == [0] * 3, said
