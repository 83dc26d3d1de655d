"""PeerTurns for what the event loop does itself: hashing, framing, small tensors, lists of tensors.

The loop runs what is ready in order of its coming, so a peer with a hundred streams would get a
hundred times as much of it. Here a pass of the loop does a little, and what is beyond waits for the
next pass, for its peer's turn.
"""

import asyncio

from seedbed_server.streams.turns import PeerTurns

# What one pass does, about a millisecond: others, such as health checks, come between passes.
PASS_BYTES = 2**21
# A message costs as much as hashing and copying so many bytes (measured: some 50 microseconds).
MESSAGE_BYTES = 2**17


class LoopTurns:
    """Says who may go on now. Costs nothing while less is ready than one pass does."""

    def __init__(self) -> None:
        self._left = PASS_BYTES
        self._is_counting = False
        self._turns: PeerTurns[asyncio.Future[None]] = PeerTurns()

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._turns)

    async def turn(self, peer: str, size_bytes: int) -> None:
        """Return when the peer may have a message of so many bytes made, at once."""
        cost = size_bytes + MESSAGE_BYTES
        loop = asyncio.get_running_loop()
        if not self._is_counting:
            self._is_counting = True
            loop.call_soon(self._next_pass, loop)
        if self._left > 0 and not self._turns:
            self._left -= cost
            return
        future = loop.create_future()

        def start() -> None:
            self._left -= cost
            future.set_result(None)

        self._turns.add(peer, cost, future, start)
        await future

    def _next_pass(self, loop: asyncio.AbstractEventLoop) -> None:
        self._left = PASS_BYTES
        while self._left > 0 and self._turns.start_next():
            pass
        self._is_counting = self._left < PASS_BYTES
        if self._is_counting:
            loop.call_soon(self._next_pass, loop)
