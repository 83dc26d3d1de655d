"""Servers in processes of their own: seedbed's, and those of its peers."""

import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from os import environ
from pathlib import Path
from typing import Any

import psutil

from benchmarks.checkouts import ROOT, import_path

LISTENING = r"listening address=(\S+)"
SERVING = r" INFO serving "
# Compiling every kernel without a cache takes about 20 s on a busy machine.
START_SECONDS = 240.0
# Whether it has started.
LOOK_EVERY_SECONDS = 0.005
STOP_SECONDS = 20.0


class ServerError(Exception):
    """A server that does not start."""


class Server:
    """A process and what it writes: into a file, so that nobody else works while it is measured."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        self._log = tempfile.NamedTemporaryFile()  # noqa: SIM115  # closed with the process
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,  # its end tells a peer that nobody is there any more
            stdout=self._log,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            env={**environ, **(environment or {})},
        )

    def wait_for(self, pattern: str, count: int = 1) -> str:
        """Wait for ``count`` matches in its output; return the first one, or its group.

        Raises:
            ServerError: if they do not come.
        """
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            has_ended = self._process.poll() is not None
            text = Path(self._log.name).read_text()
            found: list[str] = re.findall(pattern, text)
            if len(found) >= count:
                return found[0]
            if has_ended:
                break
            time.sleep(LOOK_EVERY_SECONDS)
        lines = text.strip().splitlines()
        raise ServerError(lines[-1] if lines else "the server wrote nothing")

    @property
    def address(self) -> str:
        """Where it listens, the port resolved."""
        return self.wait_for(LISTENING)

    @property
    def process(self) -> psutil.Process:
        """The server's process, as the operating system sees it."""
        return psutil.Process(self._process.pid)

    @property
    def memory(self) -> int:
        """The resident memory of it and its children in bytes, as the operating system tells it."""
        processes = (self.process, *self.process.children(recursive=True))
        return sum(int(each.memory_info().rss) for each in processes)

    def stop(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdin.close()
        self._log.close()


@contextmanager
def seedbed_server(
    *arguments: str,
    listen: str = "127.0.0.1:0",
    environment: Mapping[str, str] | None = None,
    workers: int = 1,
    checkout: Path = ROOT,
) -> Iterator[Server]:
    """Yield a seedbed-server that serves.

    Args:
        arguments: further ones of the command line.
        listen: its address.
        environment: variables besides those of this process.
        workers: how many processes it is to be.
        checkout: whose server it is.
    """
    number = ("--workers", str(workers)) if workers > 1 else ()
    command = [
        sys.executable,
        "-m",
        "seedbed_server",
        "--device",
        "cpu",
        "--listen",
        listen,
        *number,
        *arguments,
    ]
    # Nobody has to notice that it ends.
    own = {**import_path(checkout), "SEEDBED_LAME_DUCK_SECONDS": "0"}
    with _started(command, {**own, **(environment or {})}) as server:
        server.wait_for(SERVING, workers)
        yield server


@contextmanager
def peer_server(module: str, **settings: Any) -> Iterator[Server]:
    """Yield a server of :mod:`benchmarks.peers` that listens."""
    with _started(
        [sys.executable, "-m", f"benchmarks.peers.{module}", json.dumps(settings)],
        import_path(ROOT),
    ) as server:
        server.wait_for(LISTENING)
        yield server


@contextmanager
def _started(
    command: Sequence[str], environment: Mapping[str, str] | None = None
) -> Iterator[Server]:
    server = Server(command, environment)
    try:
        yield server
    finally:
        server.stop()
