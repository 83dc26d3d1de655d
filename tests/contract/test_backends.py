"""Each backend keeps the contract, the GPU's on a fake device however late that works."""

import gc
from collections.abc import Iterator

import pytest

from seedbed_server.backends.base import Backend
from seedbed_server.backends.cpu import CpuBackend
from seedbed_server.backends.gpu import GpuBackend
from tests.contract.backend_suite import BackendTests
from tests.fake_device import FakeDevice, Schedule


class TestCpuBackend(BackendTests):
    """The processor."""

    @pytest.fixture
    def backend(self, cpu: CpuBackend) -> Backend:
        return cpu


class TestGpuBackend(BackendTests):
    """A GPU with slabs so small that every tensor has many, and always too few slots."""

    @pytest.fixture(params=["late", 0], ids=lambda schedule: f"work is done {schedule}")
    def backend(self, request: pytest.FixtureRequest, cpu: CpuBackend) -> Iterator[Backend]:
        schedule: Schedule = request.param
        device = FakeDevice(schedule)
        backend = GpuBackend(device, cpu, slots=3, slab_bytes=4096)
        yield backend
        if device.live_bytes:
            gc.collect()
        assert device.violations == []
        assert device.unsettled == 0
        assert device.live_bytes == 0
        assert backend.free_slots == 3
        assert device.live_streams == 3
        assert device.pinned_bytes == 3 * 4096
