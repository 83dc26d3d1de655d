"""The bytes in flight: one budget for all streams of a process.

A stream that may begin has a small share of its own, so it always gets on, whatever the others do.
What is left over is given to whoever reads, as larger chunks and as chunks sampled ahead; a stream
that nobody reads never gets any of it.
"""

from seedbed.spec.errors import SeedbedError

# A stream's first chunk, and what it can always send. As large as HTTP/2's first window: a reader
# that takes nothing leaves no more than this in the server's memory.
SHARE_BYTES = 2**16


class InflightError(SeedbedError):
    """A budget that is too small for the streams."""


class InflightBytes:
    """How many of the budget's bytes are free.

    Args:
        max_bytes: the budget.
        max_streams: how many streams may begin; each has its share.

    Raises:
        InflightError: if the shares alone are more than the budget.
    """

    def __init__(self, max_bytes: int, max_streams: int) -> None:
        self.free_bytes = max_bytes - SHARE_BYTES * max_streams
        if self.free_bytes < 0:
            raise InflightError(
                f"--max-inflight-bytes must be at least {SHARE_BYTES} for each of "
                f"--max-concurrent-streams {max_streams}, {SHARE_BYTES * max_streams} in all. "
                f"Received: {max_bytes}"
            )

    def take(self, size_bytes: int) -> bool:
        """Take bytes beyond the shares, and return whether there were as many."""
        if size_bytes > self.free_bytes:
            return False
        self.free_bytes -= size_bytes
        return True

    def give_back(self, size_bytes: int) -> None:
        """Give back what was taken."""
        self.free_bytes += size_bytes
