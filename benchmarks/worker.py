"""A contender's process, as others see it: takes its turns and reports their durations."""

import json
import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from benchmarks.checkouts import ROOT, import_path

# A turn that takes longer hangs.
LONGEST_TURN_SECONDS = 1800.0
# Libraries that return new memory from every call would pay for its pages each time; keeping it is
# their best case. For those that compute in their own process.
KEEP_MEMORY = "glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=1099511627776"
# Set on some machines for old builds of OpenBLAS; they slow a current one down.
MACHINE_SETTINGS = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


class WorkerError(Exception):
    """A contender that cannot do what it is asked for."""


class Worker:
    """A process that runs one module of :mod:`benchmarks.peers`.

    Args:
        module: its name there.
        settings: the arguments of its ``actions``.
        threads: how many threads, and so processors, a library may use that computes in its own
            process.
        checkout: whose seedbed it imports.
        scripts: whose :mod:`benchmarks` it runs.
    """

    def __init__(
        self,
        module: str,
        settings: Mapping[str, Any],
        threads: int | None = None,
        *,
        checkout: Path = ROOT,
        scripts: Path = ROOT,
    ) -> None:
        command = [
            sys.executable,
            "-m",
            "benchmarks.work",
            f"benchmarks.peers.{module}",
            json.dumps(settings),
        ]
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  # closed with the process
        self._process = subprocess.Popen(
            command if threads is None else [*command, str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            cwd=scripts,
            env={**_environment(threads), **import_path(checkout)},
        )
        self._actions: frozenset[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def actions(self) -> frozenset[str]:
        """Return what it can do; waits until it is set up.

        Raises:
            WorkerError: if it cannot be.
        """
        if self._actions is None:
            self._actions = frozenset(self._read()["actions"])
        return self._actions

    def ask(self, action: str) -> None:
        """Tell it to do something.

        Raises:
            WorkerError: if it has ended.
        """
        self.actions()
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(action + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise WorkerError(self._last_words()) from None

    def is_done(self, within_seconds: float) -> bool:
        """Return whether the answer to :meth:`ask` is there, waiting for it for a while."""
        assert self._process.stdout is not None
        return bool(select.select([self._process.stdout], [], [], within_seconds)[0])

    def answer(self) -> dict[str, float]:
        """Return the figures of what it was asked for, when it has done it.

        Raises:
            WorkerError: if it could not.
        """
        figures = self._read()
        if "error" in figures:
            raise WorkerError(figures["error"])
        return figures

    def run(self, action: str) -> dict[str, float]:
        """Let it do something, and return the figures."""
        self.ask(action)
        return self.answer()

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:  # such as one whose stream will never end
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._errors.close()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        # One line is there for one question, so none waits in Python's buffer, where select would
        # not see it.
        if not self.is_done(LONGEST_TURN_SECONDS):
            self._process.kill()
            raise WorkerError(f"no answer within {LONGEST_TURN_SECONDS:g} s")
        line = self._process.stdout.readline()
        if not line:
            raise WorkerError(self._last_words())
        found: dict[str, Any] = json.loads(line)
        return found

    def _last_words(self) -> str:
        code = self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().strip().splitlines()
        return lines[-1] if lines else f"ended with exit code {code}"


def _environment(threads: int | None) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name not in MACHINE_SETTINGS}
    quiet = {
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_ENABLE_ONEDNN_OPTS": "1",
        "KERAS_BACKEND": "tensorflow",
    }
    # The processor's libraries are compared, also where a GPU is.
    devices = {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"}
    if threads is None:
        return {**inherited, **quiet, **devices}
    pools = {f"{name}_NUM_THREADS": str(threads) for name in ("OMP", "OPENBLAS", "MKL")}
    return {**inherited, **quiet, **devices, **pools, "GLIBC_TUNABLES": KEEP_MEMORY}
