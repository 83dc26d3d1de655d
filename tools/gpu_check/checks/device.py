"""The device itself: whether it opens, and what it is."""

from typing import Any

from tools.gpu_check.environment import nvidia_smi
from tools.gpu_check.result import Checks, Passed
from tools.gpu_check.rig import Rig


def checks(rig: Rig) -> Checks:
    """Return the group's only check."""
    return {"it opens": lambda: _open(rig)}


def _open(rig: Rig) -> Passed:
    import cupy

    # The first memory of a process opens CUDA.
    with cupy.cuda.Device(rig.index):
        cupy.empty(1)
    facts = device_facts(cupy, rig.index)
    return Passed(", ".join(map(str, facts.values())), facts)


def device_facts(cupy: Any, index: int) -> dict[str, float | str]:
    """Return what CUDA says of a device, as far as it says it."""
    runtime = cupy.cuda.runtime
    said = runtime.getDeviceProperties(index)
    facts: dict[str, float | str] = {"device": said["name"].decode()}
    if "major" in said and "minor" in said:
        facts["compute capability"] = f"{said['major']}.{said['minor']}"
    for name, key in (("memory bytes", "totalGlobalMem"), ("processors", "multiProcessorCount")):
        if key in said:
            facts[name] = int(said[key])
    facts["driver"] = nvidia_smi("driver_version") or "unknown"
    facts["CUDA of the driver"] = int(runtime.driverGetVersion())
    return facts
