"""The machine's processor: its name, and how much of it this process may use."""

import os
import platform
from pathlib import Path


def available_threads() -> int:
    """Return how many processors this process may use: its affinity or, if less, its quota."""
    allowed = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return min(allowed, -(-int(quota) // int(period)))
    except (OSError, ValueError):  # not Linux, no such file, or no quota ("max")
        return allowed


def processor_name() -> str:
    """Return the processor's name as the operating system tells it."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
