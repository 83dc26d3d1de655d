"""How long one try of a call waits for what."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TryLimits:
    """How long one try waits."""

    connect_seconds: float
    """For a connection."""
    silence_seconds: float
    """Without a byte, before the server is asked for a sign of life."""
    answer_seconds: float
    """For that sign."""
    timeout_seconds: float | None = None
    """For the try as a whole; None is no limit."""


# Packets that are lost on the way to a connection are sent again after 1 and 3 seconds.
ALONE = TryLimits(connect_seconds=4.0, silence_seconds=5.0, answer_seconds=5.0)
# Where another replica can take over, waiting costs more than asking that one.
AMONG_REPLICAS = TryLimits(connect_seconds=0.4, silence_seconds=0.4, answer_seconds=0.4)

# Without a message of the answer. Pings may be answered by something before the server, which
# itself says every 5 s that it still computes. Patience, which is longer, has room for another try.
STALL_SECONDS = 12.0
