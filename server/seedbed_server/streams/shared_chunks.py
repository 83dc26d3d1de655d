"""Chunks that are being sampled, or were a moment ago: streams that ask for the same one share it.

The ranks of a job ask for the same tensors at about the same time. Content is a pure function of
the request, so what one stream sampled is right for all. While several streams read a tensor, a
window of fixed size keeps its latest chunks
for those that are behind. One stream alone keeps nothing: memory that is used again at once is
still in the processor's cache, and that is worth a third of the speed.
"""

import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Buffer(Protocol):
    """Memory that a chunk is sampled to."""

    @property
    def data(self) -> NDArray[np.uint8]:
        """Exactly the chunk's bytes."""


_taking_work = threading.Lock()


@dataclass(slots=True)
class Flight:
    """The sampling of one chunk."""

    buffer: Buffer
    """Where to."""
    sampled: "Future[int]"
    """Its checksum, when it is done."""
    wanted: int = 1
    """How many streams wait for it, or read it."""
    work: Callable[[], int] | None = None
    """What gives the checksum, for the first stream that needs it; None where it has begun."""

    @property
    def has_failed(self) -> bool:
        """Whether it will never be done, such as when the stream that began it was cancelled."""
        return self.sampled.done() and (
            self.sampled.cancelled() or self.sampled.exception() is not None
        )

    def sample_here(self) -> None:
        """Sample in this thread, unless it has begun in another one."""
        with _taking_work:
            work, self.work = self.work, None
        if work is None or not self.sampled.set_running_or_notify_cancel():
            return
        try:
            self.sampled.set_result(work())
        # Every stream that wants the chunk hears of it.
        except BaseException as error:  # noqa: BLE001
            self.sampled.set_exception(error)


class Flights:
    """The flights of a process.

    Args:
        window_bytes: how much memory chunks may hold that no stream reads any more.
    """

    def __init__(self, window_bytes: int) -> None:
        self._window_bytes = window_bytes
        self._held_bytes = 0
        self._readers: Counter[str] = Counter()
        self._flights: OrderedDict[Hashable, Flight] = OrderedDict()
        self._lock = threading.Lock()

    def enter(self, tensor: str) -> None:
        """Take note that a stream begins to read a tensor."""
        with self._lock:
            self._readers[tensor] += 1

    def exit(self, tensor: str) -> None:
        """Take note that a stream reads a tensor no longer."""
        with self._lock:
            self._readers[tensor] -= 1
            if not self._readers[tensor]:
                del self._readers[tensor]

    def join(self, key: Hashable, start: Callable[[], Flight]) -> Flight:
        """Return the flight of a chunk: one that others started, or else a new one."""
        with self._lock:
            flight = self._flights.get(key)
            if flight is not None and not flight.has_failed:
                self._flights.move_to_end(key)
                if flight.wanted == 0:
                    self._held_bytes -= flight.buffer.data.size
                flight.wanted += 1
                return flight
            flight = start()
            self._flights[key] = flight
            return flight

    def leave(self, key: Hashable, flight: Flight, tensor: str) -> None:
        """Take note that a stream needs a flight of a tensor no longer."""
        with self._lock:
            flight.wanted -= 1
            if flight.wanted > 0 or self._flights.get(key) is not flight:
                return
            if self._readers[tensor] < 2 or not flight.sampled.done() or flight.has_failed:
                flight.sampled.cancel()
                del self._flights[key]
                return
            self._held_bytes += flight.buffer.data.size
            self._shrink()

    def _shrink(self) -> None:
        unwanted = [key for key, flight in self._flights.items() if flight.wanted == 0]
        for key in unwanted:
            if self._held_bytes <= self._window_bytes:
                return
            self._held_bytes -= self._flights.pop(key).buffer.data.size
