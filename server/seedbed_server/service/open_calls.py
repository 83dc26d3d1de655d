"""The calls that a server is answering, which it waits for before it ends."""

import asyncio
import time
from typing import Any


class OpenCalls:
    """Calls under way. Their state belongs to the event loop."""

    def __init__(self) -> None:
        self._begun: dict[object, float] = {}
        self._none = asyncio.Event()
        self._none.set()

    def begin(self, call: object) -> None:
        """Count a call."""
        self._begun[call] = time.monotonic()
        self._none.clear()

    def end(self, call: object) -> None:
        """Count a call no longer."""
        del self._begun[call]
        if not self._begun:
            self._none.set()

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._begun)

    @property
    def fields(self) -> dict[str, Any]:
        """What the log says of them."""
        # A dict keeps its order, so the first is the oldest.
        oldest = next(iter(self._begun.values()), time.monotonic())
        return {"streams": self.count, "oldest_seconds": round(time.monotonic() - oldest)}

    async def wait_none(self, timeout_seconds: float) -> None:
        """Return when there is none, or after the time."""
        try:
            await asyncio.wait_for(self._none.wait(), timeout_seconds)
        except TimeoutError:
            return
