"""On what machine, and with which versions, something was measured."""

import importlib.metadata
import platform
from pathlib import Path

from seedbed_server.backends.processor import available_threads, processor_name

PACKAGES = (
    "seedbed",
    "numpy",
    "numba",
    "grpcio",
    "protobuf",
    "pyarrow",
    "torch",
    "tensorflow-cpu",
    "tensorflow",
    "keras",
    "jax",
    "mlx",
)


def machine() -> dict[str, str]:
    """Return what a reader must know of the machine, by name."""
    return {
        "processor": f"{available_threads()} x {processor_name()}",
        "load": " ".join(Path("/proc/loadavg").read_text().split()[:3])
        if Path("/proc/loadavg").exists()
        else "",
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "packages": ", ".join(
            f"{name} {version}" for name in PACKAGES if (version := _version(name))
        ),
    }


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""
