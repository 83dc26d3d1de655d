"""How tests run coroutines: nothing that was begun may be left when they end, and asyncio may not complain."""

import asyncio
import gc
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

# gRPC's own tasks end when its core has reported the end of a call that was cancelled.
LEFT_SECONDS = 5.0


def run(main: Coroutine[Any, Any, T]) -> T:
    """Return what a coroutine returns, run in an event loop of its own."""
    complaints: list[dict[str, Any]] = []

    async def watched() -> T:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        result = await main
        gc.collect()
        own = asyncio.current_task()
        async with asyncio.timeout(LEFT_SECONDS):
            while left := asyncio.all_tasks() - {own}:
                await asyncio.wait(left)
        return result

    result = asyncio.run(watched())
    assert complaints == []
    return result
