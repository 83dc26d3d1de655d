"""Programs of these tests, each a process of its own."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]


@contextmanager
def program(name: str, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """Yield a process that runs a module of this folder; ended afterwards at the latest."""
    with subprocess.Popen(
        [sys.executable, "-m", f"tests.floods.{name}", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        try:
            yield process
        finally:
            process.kill()
