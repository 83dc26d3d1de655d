"""Arrays on a device of this machine, for tensors that are left there.

What drives the device comes with the engine; it is found by the entry point ``seedbed.devices``, so
that the SDK stays light.
"""

from typing import Any, Protocol

from seedbed.errors import EngineNotInstalledError
from seedbed.spec.device_names import DeviceName
from seedbed.spec.tensors import TensorRequest


class Landing(Protocol):
    """Device memory for one tensor, or slice, that arrives piece by piece."""

    def write(self, byte_offset: int, data: memoryview) -> None:
        """Copy bytes to their place."""

    def array(self) -> Any:
        """Return the array, which stays on the device (DLPack, ``__cuda_array_interface__``)."""


class LocalDevice(Protocol):
    """A device of this machine."""

    def sample(self, request: TensorRequest) -> Any:
        """Return a tensor, or slice, sampled on the device, as an array that stays there."""

    def landing(self, request: TensorRequest) -> Landing:
        """Return where the bytes of a tensor, or slice, that come from elsewhere are put."""


def open_device(name: DeviceName) -> LocalDevice:
    """Return a device of this machine, opened once in a process.

    Raises:
        EngineNotInstalledError: if the engine's packages are missing.
        NoDeviceError: if there is no such device, or what drives it is missing.
    """
    import importlib.metadata  # email, calendar and csv come with it

    for entry_point in importlib.metadata.entry_points(group="seedbed.devices", name=name.kind):
        try:
            device: LocalDevice = entry_point.load()(name)
        except ModuleNotFoundError as error:
            message = f"arrays on a device need {error.name}: pip install 'seedbed[gpu]'"
            raise EngineNotInstalledError(message) from None
        return device
    raise EngineNotInstalledError("arrays on a device need the engine: pip install 'seedbed[gpu]'")
