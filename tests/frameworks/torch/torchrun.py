"""Ranks for tests, in a process group of their own that always ends as a whole."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

# What ranks import `tests` from, wherever they are started.
ROOT = Path(__file__).parents[3]
RANK = Path(__file__).with_name("rank.py")
# Every rank imports torch, on machines that may be busy.
RUN_SECONDS = 600


def torchrun(processes: int, program: Path, *arguments: str, environment: Mapping[str, str]) -> str:
    """Return the standard output of a program under torchrun with so many ranks."""
    options = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes))
    return python(*options, str(RANK), str(program), *arguments, environment=environment)


def python(*arguments: str, environment: Mapping[str, str]) -> str:
    """Return the standard output of Python with these arguments, and of its child processes."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    with subprocess.Popen(
        [sys.executable, *arguments],
        # One thread for each rank is what torchrun would set, with a warning.
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": path, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            output, errors = process.communicate(timeout=RUN_SECONDS)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0, output + errors
    return output
