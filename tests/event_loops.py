"""Event loops for tests: no task may be left at the end, and asyncio may not complain."""

import asyncio
import gc
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, TypeVar, cast

import seedbed as sb

T = TypeVar("T")

# Iterations that were given up are ended by tasks of the event loop's own.
LEFT_SECONDS = 60.0


def run(main: Coroutine[Any, Any, T]) -> T:
    """Return what a coroutine returns, run in an event loop of its own."""
    complaints: list[dict[str, Any]] = []

    async def watched() -> T:
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: complaints.append(context)
        )
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


class _Blocking:
    """An asynchronous client whose methods are run to their ends."""

    def __init__(self, client: sb.aio.Client, runner: asyncio.Runner) -> None:
        self._client = client
        self._runner = runner

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._client, name)

        @wraps(method)
        def call(*arguments: Any, **options: Any) -> Any:
            return self._runner.run(method(*arguments, **options))

        return call


@contextmanager
def blocking(client: sb.aio.Client) -> Iterator[sb.Client]:
    """Yield an asynchronous client as a synchronous one, for tests of both; close it afterwards."""
    with asyncio.Runner() as runner:
        try:
            yield cast(sb.Client, _Blocking(client, runner))
        finally:
            runner.run(client.close())
