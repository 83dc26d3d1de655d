"""A seedbed-server in a process of its own, as an operator would start it."""

import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

START_SECONDS = 90.0
STOP_SECONDS = 30.0
SERVING = r" INFO serving "
LISTENING = r" INFO listening address=(\S+)"


class Server:
    """A server and its log so far."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "seedbed_server", "--listen", "127.0.0.1:0"]
        self.process = subprocess.Popen(
            [*command, "--lame-duck-seconds", "0", *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._lines: list[str] = []
        self._changed = threading.Condition()
        self._is_over = False
        threading.Thread(target=self._read, name="server-log", daemon=True).start()

    @property
    def log(self) -> str:
        """All of its log so far."""
        return "".join(self._lines)

    @property
    def address(self) -> str:
        """Where it listens."""
        match = re.search(LISTENING, self.log)
        assert match, f"no address in the server's log: {self.log}"
        return match.group(1)

    def wait_until_serving(self, count: int = 1, seconds: float = START_SECONDS) -> None:
        """Return when so many of its processes serve.

        Raises:
            AssertionError: with the log, if they do not.
        """

        def are_serving() -> bool:
            return len(re.findall(SERVING, self.log)) >= count

        with self._changed:
            self._changed.wait_for(lambda: self._is_over or are_serving(), seconds)
        assert are_serving(), f"the server does not serve: {self.log[-1000:]}"

    def terminate(self) -> int:
        """Send SIGTERM, and return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._changed:
                self._lines.append(line)
                self._changed.notify_all()
        with self._changed:
            self._is_over = True
            self._changed.notify_all()


@contextmanager
def serving(*arguments: str, processes: int = 1) -> Iterator[Server]:
    """Yield a server that answers; end it afterwards."""
    server = Server(*arguments)
    try:
        server.wait_until_serving(processes)
        yield server
    finally:
        server.process.kill()
        server.process.wait()
