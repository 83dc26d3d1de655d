"""What a server did in the last minutes: few values, however long it runs."""

from collections import deque
from dataclasses import dataclass

from seedbed_server.admin.reading import MetricsReading

STEP_SECONDS = 3.0
POINTS = 300
"""A quarter of an hour."""

# Refusals and times are those of the last five minutes; a reading each half minute is enough.
WINDOW_SECONDS = 300.0
WINDOW_STEP_SECONDS = 30.0
WINDOW_READINGS = int(WINDOW_SECONDS / WINDOW_STEP_SECONDS) + 1


@dataclass(frozen=True, slots=True)
class Point:
    """What a server did between two readings; rates are per second."""

    served: float = 0.0
    """Bytes."""
    sampled: float = 0.0
    """Bytes."""
    calls: float = 0.0
    refused: float = 0.0
    streams: int = 0
    """Those under way at the end."""


class History:
    """The last points, and the readings that others are compared with."""

    def __init__(self) -> None:
        self.points: deque[Point] = deque(maxlen=POINTS)
        """The oldest first, one each :data:`STEP_SECONDS`."""
        self._recent: deque[MetricsReading] = deque(maxlen=2)
        self._window: deque[MetricsReading] = deque(maxlen=WINDOW_READINGS)

    def add(self, reading: MetricsReading) -> None:
        """Take the next reading."""
        if self._recent:
            self.points.append(point(self._recent[-1], reading))
        if not self._window or reading.at >= self._window[-1].at + WINDOW_STEP_SECONDS:
            self._window.append(reading)
        self._recent.append(reading)

    def moments_before(self, reading: MetricsReading) -> MetricsReading:
        """Return what a reading has a rate against: one of three to six seconds earlier."""
        return self._recent[0] if self._recent else reading

    def minutes_before(self, reading: MetricsReading) -> MetricsReading:
        """Return the reading of five minutes earlier, or the first one."""
        first = reading.at - WINDOW_SECONDS - WINDOW_STEP_SECONDS / 2
        return next((each for each in self._window if each.at >= first), reading)


def point(before: MetricsReading, after: MetricsReading) -> Point:
    """Return what a server did between two readings."""
    seconds = after.at - before.at

    def rate(then: float, now: float) -> float:
        return (now - then) / seconds if seconds > 0 else 0.0

    return Point(
        served=rate(sum(before.served.values()), sum(after.served.values())),
        sampled=rate(before.sampled, after.sampled),
        calls=rate(sum(before.ended.values()), sum(after.ended.values())),
        refused=rate(sum(before.refused.values()), sum(after.refused.values())),
        streams=after.streams,
    )
