"""Gives memory that many calls have used back to the system once they have ended.

The C library keeps what was freed for its next use. After thousands of calls that is hundreds of
megabytes, which nothing but another crowd would use again.
"""

import asyncio
import ctypes

# Often enough for an operator who looks, seldom enough to cost nothing: a trim takes milliseconds.
TRIM_SECONDS = 5.0


async def give_back_memory() -> None:
    """Trim the heap now and then; runs until it is cancelled."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    while trim is not None:  # glibc has it
        await asyncio.sleep(TRIM_SECONDS)
        await asyncio.to_thread(trim, 0)
