"""Runs groups of checks, each in a process that may crash or hang without harm to the others."""

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
        """Yield the results of all groups; the time that one leaves, or owes, is the next one's."""
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
            saved = seconds - (time.monotonic() - began)
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
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.environment.variables,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        results: list[Result] = []
        deadline = time.monotonic() + seconds + LAST_STEPS_SECONDS
        with file.open(encoding="utf-8") as lines:
            try:
                while process.poll() is None and time.monotonic() < deadline:
                    results += self._new(lines)
                    time.sleep(POLL_SECONDS)
                code = process.poll()
            finally:
                _end(process)
            results += self._new(lines)
        return self._completed(group, results, code, log)

    def _new(self, lines: TextIO) -> list[Result]:
        """Return the results written since the last time; one without a name is not told."""
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
        self, group: Group, results: list[Result], code: int | None, log: Path
    ) -> list[Result]:
        """Return a result for each check of the list, also where its process gave none.

        Args:
            group: the checks.
            results: what the process gave.
            code: how it ended; None if it did not in time.
            log: what it printed.
        """
        named = {result.name: result for result in results}
        whole = named.pop("", None)
        ended = Result(group.name, "", "failed", f"the process ended with {code}")
        if code is None:
            ended = replace(ended, status="stopped", detail="the process did not end in time")
        left = whole if whole is not None and whole.status != "passed" else ended
        missing = [name for name in group.checks if name not in named]
        if code and not missing:
            missing = ["end of its process"]
        trace = left.trace + "\n" + _tail(log)
        rest = [self._noted(replace(left, name=name, trace=trace)) for name in missing]
        return [*named.values(), *rest]


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and all that it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    # One that hangs in the driver cannot be ended.
    with suppress(subprocess.TimeoutExpired):
        process.wait(LAST_STEPS_SECONDS)


def _tail(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")[-LOG_CHARACTERS:]
