"""What a client's process holds, as it tells it itself."""

import ctypes
import gc
import os
import time

from tests.floods.watcher import State

SETTLE_SECONDS = 60.0


def settled(least: State | None = None) -> State:
    """Return this process's state, garbage collected and free memory given back.

    Args:
        least: the state that it should come back to; it is waited for a while, as threads and
            sockets end a moment after those who used them.
    """
    end = time.monotonic() + SETTLE_SECONDS
    while True:
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)
        state = State.of(os.getpid())
        is_back = least is None or (state.files <= least.files and state.threads <= least.threads)
        if is_back or time.monotonic() >= end:
            return state
        time.sleep(0.1)
