"""The bytes in flight: one budget for all streams of a process.

A stream that may begin has a small share of its own, so it always gets on, whatever the others do.
What is left over is given to whoever reads, as larger chunks and as chunks sampled ahead, and is
shared fairly among peers; a stream that nobody reads never gets any of it.
"""

from seedbed.spec.errors import SeedbedError
from seedbed_server.streams.fair_shares import FairShares
from seedbed_server.streams.peer_caps import PeerCap

# A stream's first chunk, and what it can always send. As large as HTTP/2's first window: a reader
# that takes nothing leaves no more than this in the server's memory.
SHARE_BYTES = 2**16


class InflightError(SeedbedError):
    """A budget that is too small for the streams."""


class InflightBytes(FairShares):
    """The budget's bytes beyond the streams' own shares.

    Args:
        max_bytes: the budget.
        max_streams: how many streams may begin; each has its share.
        cap: what else bounds a peer.

    Raises:
        InflightError: if the shares alone are more than the budget.
    """

    def __init__(self, max_bytes: int, max_streams: int, cap: PeerCap | None = None) -> None:
        super().__init__(max_bytes - SHARE_BYTES * max_streams, cap)
        if self.total < 0:
            raise InflightError(
                f"--max-inflight-bytes must be at least {SHARE_BYTES} for each of "
                f"--max-concurrent-streams {max_streams}, {SHARE_BYTES * max_streams} in all. "
                f"Received: {max_bytes}"
            )
