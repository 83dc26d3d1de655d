"""Runs groups of checks one after another, each in a process that may crash or hang without harm to the others."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

from tools.gpu_check.environment import ROOT, Environment
from tools.gpu_check.result import NO_DEVICE, Result
from tools.gpu_check.steps import Group

POLL_SECONDS = 0.1
# How long a process whose time is up may take to say how far it came.
LAST_STEPS_SECONDS = 8.0
LOG_CHARACTERS = 4000
# A rehearsal shall come to its end on any machine; nobody waits for it beside a device.
REHEARSAL_TIMES = 10


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs groups."""

    environment: Environment
    """Where they run."""
    print_result: Callable[[Result], None]
    """Told of each result as it comes."""
    device: int = 0
    """The device's number."""
    rehearses: bool = False
    """Whether a stand-in takes the device's place."""

    def run(self, groups: Sequence[Group]) -> Iterator[Result]:
        """Yield the results of all groups; what a group does not use of its time is the next one's."""
        saved = 0.0
        no_device = ""
        for group in groups:
            if no_device:
                yield from (
                    self._noted(Result(group.name, n, "not run", no_device)) for n in group.checks
                )
                continue
            began = time.monotonic()
            seconds = group.seconds * (REHEARSAL_TIMES if self.rehearses else 1) + saved
            results = self._run(group, seconds)
            saved = max(0.0, seconds - (time.monotonic() - began))
            # No device for one is no device for all.
            no_device = next(
                (r.detail for r in results if r.detail.startswith(NO_DEVICE + ":")), ""
            )
            yield from results

    def _run(self, group: Group, seconds: float) -> list[Result]:
        file = self.environment.folder / f"{group.name}.jsonl"
        file.touch()
        log = self.environment.folder / f"{group.name}.log"
        command = [sys.executable, "-m", "tools.gpu_check.child", group.name, group.module]
        command += [str(file), str(seconds), str(self.device)]
        command += ["--rehearse"] * self.rehearses
        results: list[Result] = []
        with (
            log.open("wb") as output,
            subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.environment.variables,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            ) as process,
            file.open(encoding="utf-8") as lines,
        ):
            deadline = time.monotonic() + seconds + LAST_STEPS_SECONDS
            try:
                while process.poll() is None and time.monotonic() < deadline:
                    results += self._new(lines)
                    time.sleep(POLL_SECONDS)
                was_late = process.poll() is None
            finally:
                _end(process)
            results += self._new(lines)
        if was_late:
            left = Result(group.name, "", "stopped", "the process did not end in time")
        else:
            left = Result(group.name, "", "failed", f"the process ended with {process.returncode}")
        return self._completed(group, results, left, log)

    def _new(self, lines: TextIO) -> list[Result]:
        """Return the results that were written since the last time; one without a name is not told."""
        found: list[Result] = []
        position = lines.tell()
        while (line := lines.readline()).endswith("\n"):
            found.append(Result(**json.loads(line)))
            position = lines.tell()
        lines.seek(position)  # the rest of a line may be yet to come
        return [self._noted(result) if result.name else result for result in found]

    def _noted(self, result: Result) -> Result:
        self.print_result(result)
        return result

    def _completed(
        self, group: Group, results: list[Result], left: Result, log: Path
    ) -> list[Result]:
        """Return a result for each check of the list: ``left`` is that of those that gave none."""
        named = {result.name: result for result in results}
        whole = named.pop("", None)
        if whole is not None and whole.status != "passed":
            left = whole
        left = replace(left, trace=left.trace + "\n" + _tail(log))
        missing = [name for name in group.checks if name not in named]
        return [
            *named.values(),
            *(self._noted(replace(left, name=name)) for name in missing),
        ]


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and all that it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _tail(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")[-LOG_CHARACTERS:]
