"""The list of checks: a check that is on it and gives no result has failed."""

from dataclasses import dataclass
from itertools import product

DTYPES = ("float16", "bfloat16", "float8_e4m3fn", "float8_e5m2", "float32", "float64")
KERNELS = tuple(f"{what}_{dtype}" for what in ("uniform", "normal") for dtype in DTYPES)


@dataclass(frozen=True, slots=True)
class Group:
    """Checks that run in one process."""

    name: str
    module: str
    """What returns the checks; see :mod:`tools.gpu_check.checks`."""
    seconds: float
    """What it may take, and what the groups before it left."""
    checks: tuple[str, ...]


def _group(name: str, seconds: float, *checks: str) -> Group:
    return Group(name, f"tools.gpu_check.checks.{name}", seconds, checks)


# Run by the program itself, before the groups.
ENVIRONMENT = Group("environment", "", 0.0, ("wheels", "libraries"))

GROUPS = (
    _group("device", 15, "it opens"),
    _group("golden", 75, *KERNELS, "whole file"),
    _group(
        "exhaustive",
        95,
        *(
            f"{what} {dtype}"
            for dtype in ("float32", "float64")
            for what in ("uniform", "normal", "truncated normal")
        ),
        *(f"rounding to {dtype}" for dtype in DTYPES[:4]),
    ),
    _group(
        "contract",
        50,
        "backend suite",
        "streams",
        "slot reuse",
        "cancellation",
        "out of memory",
        "several workers",
    ),
    _group("server", 45, "8 clients", "cancels", "SIGTERM", "2 workers"),
    _group(
        "arrays",
        40,
        *(
            f"{origin} {dtype}{end}"
            for origin, dtype, end in product(
                ("embedded", "served"), DTYPES, ("", " to torch", " to jax")
            )
        ),
    ),
    _group(
        "throughput",
        80,
        "write",
        "copy",
        *KERNELS,
        "torch normal_",
        "torch uniform_",
        "torch trunc_normal_",
        "CuPy standard_normal",
        "CuPy random",
        "client.sample on the device",
        "to the host, plain pinned copy",
        "to the host, pinned ring",
        "to the host, pinned ring, 6 threads",
        "server's stream",
        "start, cold and cached",
    ),
    _group("sanitizer", 35, "memcheck"),
)
"""In the order in which they run; their seconds are less than 8 minutes."""
