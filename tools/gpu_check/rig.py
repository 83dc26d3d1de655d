"""What a group of checks works with: the device, the sizes, the time that is left."""

import time
from contextlib import ExitStack
from dataclasses import dataclass, field

from seedbed_server.backends.cpu import CpuBackend
from seedbed_server.backends.cuda import CudaDevice
from seedbed_server.backends.gpu import SLAB_BYTES, SLOTS, GpuBackend
from tools.gpu_check.result import NO_DEVICE, NotRunError


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is sampled."""

    words: int | None
    """Words of an exhaustive check; None is all."""
    chunk_words: int
    """Words that a thread compares at a time."""
    client_bytes: int
    """What each client of a server fetches in one tensor."""
    device_bytes: int
    """What a kernel fills when it is timed."""
    host_bytes: int
    """What is copied to the host when that is timed."""
    seconds: float
    """How long something is repeated when it is timed."""


ALL = Sizes(None, 2**22, 2**26, 2**32, 2**28, 0.2)
REHEARSAL = Sizes(2**12, 2**10, 2**20, 2**16, 2**18, 0.0)


@dataclass
class Rig:
    """One group's circumstances."""

    deadline: float
    """By :func:`time.monotonic`."""
    index: int = 0
    """The device's number."""
    rehearses: bool = False
    """Whether a stand-in takes the device's place."""
    stack: ExitStack = field(default_factory=ExitStack)
    """What ends with the group."""

    @property
    def sizes(self) -> Sizes:
        """How much to sample."""
        return REHEARSAL if self.rehearses else ALL

    @property
    def seconds_left(self) -> float:
        """How long the group may go on."""
        return self.deadline - time.monotonic()

    def need_device(self) -> None:
        """Give up what no stand-in can show."""
        if self.rehearses:
            raise NotRunError(NO_DEVICE)

    def device(self, memory_limit_bytes: int | None = None) -> CudaDevice:
        """Return the device, opened."""
        return CudaDevice(self.index, memory_limit_bytes=memory_limit_bytes)

    def host(self) -> CpuBackend:
        """Return the processor, to compare with."""
        backend = CpuBackend()
        self.stack.callback(backend.close)
        return backend

    def backend(
        self, device: CudaDevice, slots: int = SLOTS, slab_bytes: int = SLAB_BYTES
    ) -> GpuBackend:
        """Return the device as a backend."""
        return GpuBackend(device, self.host(), slots=slots, slab_bytes=slab_bytes)
