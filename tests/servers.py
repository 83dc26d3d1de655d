"""A real server for tests: seedbed-server in its own process, on a free port, always ended."""

import re
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from os import environ
from pathlib import Path

import psutil
from prometheus_client.parser import text_string_to_metric_families

PROGRAM = str(Path(sys.executable).with_name("seedbed-server"))
# Compiling every kernel without a cache takes about 20 s on a busy machine.
START_SECONDS = 120.0
STOP_SECONDS = 60.0

LISTENING = r" INFO listening address=(\S+)"
SERVING = r" INFO serving (\S+)"


@dataclass
class ServerProcess:
    """A seedbed-server and what it has written to its log so far."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)
    is_log_closed: bool = False
    changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def log(self) -> str:
        """All of the log so far."""
        with self.changed:
            return "".join(self.lines)

    @property
    def address(self) -> str:
        """Where it listens, the port resolved."""
        return self.wait_for(LISTENING)

    @property
    def metrics(self) -> str:
        """What it shows to Prometheus; needs ``--admin-listen``."""
        return self.admin("/metrics")

    def admin(self, path: str) -> str:
        """Return what its admin endpoint answers; needs ``--admin-listen``."""
        address = self.wait_for(r" INFO admin address=(\S+)")
        with urllib.request.urlopen(f"http://{address}{path}", timeout=30) as answer:
            return str(answer.read().decode())

    def metric(self, name: str, **labels: str) -> float:
        """Return a metric's value, summed over its labels but for those that are given."""
        return sum(
            sample.value
            for family in text_string_to_metric_families(self.metrics)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    @property
    def memory(self) -> int:
        """The resident memory in bytes, as the operating system tells it."""
        return int(psutil.Process(self.process.pid).memory_info().rss)

    @property
    def core_seconds(self) -> float:
        """How long it has computed, on all processors together."""
        used = psutil.Process(self.process.pid).cpu_times()
        return float(used.user + used.system)

    @property
    def threads(self) -> int:
        """How many threads it has."""
        return int(psutil.Process(self.process.pid).num_threads())

    def wait_for(self, pattern: str, seconds: float = START_SECONDS) -> str:
        """Return the first match in the log, or its first group; fail if none comes."""
        found: list[str] = []

        def is_there() -> bool:
            match = re.search(pattern, "".join(self.lines))
            if match:
                found.append(match.group(1) if match.groups() else match.group())
            return bool(match) or self.is_log_closed

        with self.changed:
            self.changed.wait_for(is_there, seconds)
        assert found, f"no {pattern!r} in the log:\n{self.log}"
        return found[0]

    def wait_for_count(self, text: str, count: int, seconds: float = START_SECONDS) -> None:
        """Return when the log holds a text so many times; fail if it does not within the time."""
        with self.changed:
            self.changed.wait_for(
                lambda: self.is_log_closed or self.log.count(text) >= count, seconds
            )
            assert self.log.count(text) >= count, (
                f"{text!r} is {self.log.count(text)} times in the log, not {count}"
            )

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def wait(self, seconds: float = STOP_SECONDS) -> int:
        """Return the exit code when the process has ended, and all of its log is there."""
        code = self.process.wait(seconds)
        with self.changed:
            assert self.changed.wait_for(lambda: self.is_log_closed, seconds), "its log is open"
        return code

    def read_log(self) -> None:
        """Collect the log until it ends; runs in a thread."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self.changed:
                self.lines.append(line)
                self.changed.notify_all()
        with self.changed:
            self.is_log_closed = True
            self.changed.notify_all()


@contextmanager
def server_process(
    *arguments: str,
    listen: str = "127.0.0.1:0",
    environment: Mapping[str, str] | None = None,
    program: Sequence[str] | None = None,
) -> Iterator[ServerProcess]:
    """Yield a server that was just started and may still be compiling; end it afterwards.

    Args:
        arguments: further ones of the command line.
        listen: the address; empty to leave it to the arguments and the environment.
        environment: variables besides those of this process.
        program: the words of the command line before its arguments.
    """
    where = ("--listen", listen) if listen else ()
    # Tests that are about the lame duck give its time themselves; the last one counts.
    command = [*(program or (PROGRAM,)), "--lame-duck-seconds", "0", *where, *arguments]
    with subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**environ, **(environment or {})},
    ) as process:
        server = ServerProcess(process)
        reader = threading.Thread(target=server.read_log, name="server-log")
        reader.start()
        try:
            yield server
        finally:
            if process.poll() is None:
                process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
            process.wait()
            reader.join()


@contextmanager
def serving(
    *arguments: str, listen: str = "127.0.0.1:0", environment: Mapping[str, str] | None = None
) -> Iterator[ServerProcess]:
    """Yield a server that answers."""
    with server_process(
        "--threads", "2", *arguments, listen=listen, environment=environment
    ) as server:
        server.wait_for(SERVING)
        yield server
