"""Memory checking of one run by NVIDIA's compute-sanitizer, where it is installed."""

import shutil
import subprocess
import sys
from pathlib import Path

from tools.gpu_check.result import Checks, NotRunError, Passed, StoppedError
from tools.gpu_check.rig import Rig

PROGRAM = "compute-sanitizer"
# Not on the path of every image that has it.
TOOLKIT = Path("/usr/local/cuda/bin")
FOUND = 99
"""The exit code by which it says that it found something."""


def checks(rig: Rig) -> Checks:
    """Return the group's only check."""
    return {"memcheck": lambda: _memcheck(rig)}


def _memcheck(rig: Rig) -> Passed:
    program = shutil.which(PROGRAM) or shutil.which(PROGRAM, path=TOOLKIT)
    if program is None:
        raise NotRunError(f"{PROGRAM} is not installed")
    command = [program, "--tool", "memcheck", "--target-processes", "all"]
    # Libraries ask for what a device may not have, and take no for an answer.
    command += ["--report-api-errors", "no", "--error-exitcode", str(FOUND)]
    command += [sys.executable, "-m", "tools.gpu_check.one_run", str(rig.index)]
    try:
        done = subprocess.run(
            command,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=max(0.1, rig.seconds_left),
        )
    except subprocess.TimeoutExpired:
        raise StoppedError(0, 1) from None
    lines = done.stdout.strip().splitlines() or ["it said nothing"]
    assert done.returncode != FOUND, f"it found errors: {done.stdout[-1500:]}"
    assert done.returncode == 0, f"ended with {done.returncode}: {done.stdout[-1500:]}"
    return Passed(lines[-1])
