"""The device that the GPU backend needs: memory, streams, events.

Memory is on both sides. :mod:`.cuda` is the real one. Work on a stream runs in the order in which
it was given, at some later time; work on two streams in any order. An event is reached when all
that its stream was given before has been done. Until then, what that work reads and writes must not
be touched, freed or given to other work.
"""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from seedbed_server.kernels.blocks import BlockKernel

DeviceArray = Any
"""An array in the device's memory, with a part of numpy's interface.

It has ``size``, ``nbytes``, one-dimensional slices and ``view``.
"""


class Event(Protocol):
    """A point in the work of a stream."""

    def wait(self) -> None:
        """Return when the point has been reached, leaving Python to other threads.

        Raises:
            DeviceError: if any of the work before it failed.
        """


class Stream(Protocol):
    """Work for the device, in order. Used by one thread at a time."""

    def allocate(self, size_bytes: int) -> DeviceArray:
        """Return device memory (uint8) for this stream's work; freed when nothing refers to it.

        Raises:
            OutOfDeviceMemoryError: if there is no room.
        """

    def upload(self, source: NDArray[Any]) -> DeviceArray:
        """Return a copy of a small host array in device memory.

        The source may be changed afterwards.

        Raises:
            OutOfDeviceMemoryError: if there is no room.
        """

    def launch(self, kernel: BlockKernel, threads: int, arguments: tuple[Any, ...]) -> None:
        """Run a kernel's body for every thread.

        ``arguments`` are those that follow the thread's number.

        Raises:
            DeviceError: if it cannot be launched.
        """

    def copy_to_host(self, source: DeviceArray, target: NDArray[np.uint8]) -> None:
        """Copy device memory to pinned host memory of the same size."""

    def copy_to_device(self, source: NDArray[np.uint8], target: DeviceArray) -> None:
        """Copy pinned host memory to device memory of the same size."""

    def record(self) -> Event:
        """Return the point that the stream's work has come to."""


class Device(Protocol):
    """One device."""

    @property
    def name(self) -> str:
        """The device in words, with its number."""

    def stream(self) -> Stream:
        """Return a new stream, which waits for no other one."""

    def pinned(self, size_bytes: int) -> NDArray[np.uint8]:
        """Return host memory that the device copies from and to by itself.

        Raises:
            OutOfDeviceMemoryError: if the host has no room for it.
        """

    def result(self, size_bytes: int) -> DeviceArray:
        """Return device memory (uint8) for the caller to own; any stream may write to it at once.

        Raises:
            OutOfDeviceMemoryError: if there is no room.
        """

    def free_unused(self) -> None:
        """Give memory that nothing refers to back to the device."""

    def as_dtype(
        self, array: DeviceArray, dtype: np.dtype[Any], shape: tuple[int, ...]
    ) -> DeviceArray:
        """Return uint8 device memory as an array of a dtype and a shape, for users.

        Raises:
            DeviceError: if the device's arrays cannot have the dtype.
        """
