"""A server from its start to its exit code."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from seedbed.spec.errors import SeedbedError
from seedbed_server.service.app import Server
from seedbed_server.settings import Settings
from seedbed_server.stopping import StopRequest

log = logging.getLogger(__name__)

SETTLE_SECONDS = 1.0
# In steps: one is over when the process was stopped meanwhile, or its machine was, and not all are.
SETTLE_STEPS = 20


def serve(settings: Settings, stop: StopRequest) -> int:
    """Serve until asked to stop, or the server cannot go on; return the exit code."""
    return asyncio.run(_settled(_serve(settings, stop)))


async def _settled(serving: Coroutine[Any, Any, int]) -> int:
    """Return the exit code once gRPC's own tasks have ended.

    Those of calls that were cut off end by themselves, a moment later. Cancelled by asyncio at the
    loop's end, they would write a traceback.
    """
    exit_code = await serving
    for _ in range(SETTLE_STEPS):
        if others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(others, timeout=SETTLE_SECONDS / SETTLE_STEPS)
    return exit_code


async def _serve(settings: Settings, stop: StopRequest) -> int:
    failures: list[BaseException] = []

    def fail(error: BaseException) -> None:
        failures.append(error)
        stop.make()

    try:
        server = Server(settings, on_failure=fail)
    except SeedbedError as error:
        log.error("%s", error)
        return 1
    try:
        for address in await server.listen():
            log.info("listening", extra={"fields": {"address": address}})
        if server.admin_address is not None:
            log.info("admin", extra={"fields": {"address": server.admin_address}})
    except SeedbedError as error:
        log.error("%s", error)
        await server.stop()
        return 1
    # A signal need not wait for compilation.
    starting = asyncio.create_task(_start(server, fail))
    # Signals come to the main thread, which the loop may have asleep: a thread waits for them.
    await asyncio.to_thread(stop.wait)
    starting.cancel()
    if failures:
        await server.stop()
        is_ours = isinstance(failures[0], SeedbedError)
        log.error("%s", failures[0], exc_info=None if is_ours else failures[0])
        return 1
    log.info("stopping")
    await server.stop(
        lame_duck_seconds=0.0 if stop.is_hurried else settings.lame_duck_seconds,
        grace_seconds=settings.grace_seconds,
    )
    log.info("stopped")
    return 0


async def _start(server: Server, fail: Callable[[BaseException], None]) -> None:
    try:
        await server.serve()
    except Exception as error:  # noqa: BLE001  # whoever waits for the server reports it
        fail(error)
