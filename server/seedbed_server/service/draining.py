"""The phases of a server's end, and what its log says of them meanwhile."""

import asyncio
import logging
import time

from seedbed_server.service.open_calls import OpenCalls

log = logging.getLogger(__name__)

# How often the log says what is waited for.
LOG_SECONDS = 5.0


async def lame_duck(calls: OpenCalls, seconds: float) -> None:
    """Let the time pass in which new calls are answered though health says NOT_SERVING."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        log.info("lame duck", extra={"fields": {"seconds_left": round(left), **calls.fields}})
        await asyncio.sleep(min(left, LOG_SECONDS))


async def drain(calls: OpenCalls, seconds: float) -> None:
    """Return when all calls have ended, or after the time."""
    deadline = time.monotonic() + seconds
    while True:
        left = max(0.0, deadline - time.monotonic())
        log.info("draining", extra={"fields": {"seconds_left": round(left), **calls.fields}})
        await calls.wait_none(min(left, LOG_SECONDS))
        if not calls.count:
            return
        if time.monotonic() >= deadline:
            log.warning("the grace is over", extra={"fields": calls.fields})
            return
