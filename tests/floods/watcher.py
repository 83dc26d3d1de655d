"""What a process holds: memory, descriptors and threads, now and at the worst."""

import threading
import time
from types import TracebackType
from typing import NamedTuple, Self

import psutil

from tests.raw_calls import MIB

LOOK_EVERY_SECONDS = 0.05
# So many may gRPC begin of its own when there is much to do, and keep.
MORE_THREADS = 8


class State(NamedTuple):
    """What a process holds at a moment."""

    memory: int
    """Resident, in bytes."""
    files: int
    threads: int

    @classmethod
    def of(cls, pid: int) -> "State":
        """Return the state of a process."""
        process = psutil.Process(pid)
        return cls(process.memory_info().rss, process.num_fds(), process.num_threads())

    def __str__(self) -> str:
        return f"{self.memory / MIB:.0f} MiB, {self.files} descriptors, {self.threads} threads"


class Watcher:
    """Looks at a process within a ``with`` block and keeps the most it held of each.

    Args:
        pid: of the process.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.before = self.most = State.of(pid)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, name="watcher")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(LOOK_EVERY_SECONDS):
            self.most = State(*map(max, self.most, State.of(self.pid)))

    def settled(self, *, memory: int, files: int, threads: int, seconds: float = 120.0) -> State:
        """Return the state when it is back at the first one and these margins, or after a while."""
        end = time.monotonic() + seconds
        wanted = State(
            self.before.memory + memory, self.before.files + files, self.before.threads + threads
        )
        while True:
            state = State.of(self.pid)
            is_back = all(has <= may for has, may in zip(state, wanted, strict=True))
            if is_back or time.monotonic() >= end:
                return state
            time.sleep(LOOK_EVERY_SECONDS)
