"""How long one try of a call waits for what."""

import time
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class TryLimits:
    """How long one try waits; made as it begins."""

    connect_seconds: float
    """For a connection."""
    silence_seconds: float
    """Without a byte, before the server is asked for a sign of life."""
    answer_seconds: float
    """For that sign."""
    timeout_seconds: float | None = None
    """For the try as a whole; None is no limit."""
    begun: float = field(default_factory=time.monotonic)
    """When, by the monotonic clock."""

    @property
    def deadline(self) -> float | None:
        """When the try must have ended, by the monotonic clock."""
        return None if self.timeout_seconds is None else self.begun + self.timeout_seconds


# Packets that are lost on the way to a connection are sent again after 1 and 3 seconds.
ALONE = TryLimits(connect_seconds=4.0, silence_seconds=5.0, answer_seconds=5.0)
# Where another replica can take over, waiting costs more than asking that one.
AMONG_REPLICAS = TryLimits(connect_seconds=0.4, silence_seconds=0.4, answer_seconds=0.4)
