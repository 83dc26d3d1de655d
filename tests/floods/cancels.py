"""Calls that are given up in every way there is, by a process that looks at what it holds.

    python -m tests.floods.cancels ADDRESS COUNT

Prints its state before and after as JSON; the first cancels are not counted, as they load code.
"""

import asyncio
import json
import random
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, suppress

import seedbed as sb
from seedbed import aio
from tests.floods.own_state import settled
from tests.floods.watcher import State

WARM_UP = 60
AT_ONCE = 8
SMALL = sb.TensorSpec("s", (1000,), "float32", sb.RandomUniform(seed=1))
# Minutes of work, so that no cancel comes too late.
HUGE = sb.TensorSpec("h", (2**36,), "bfloat16", sb.RandomUniform(seed=1))
MATRIX = sb.TensorSpec("m", (4096, 4096), "float32", sb.Orthogonal(seed=1))
# What is sampled into memory must fit there.
LARGE = sb.TensorSpec("l", (2**24,), "float32", sb.RandomNormal(seed=1))
EXPECTED = (sb.DeadlineError, sb.CancelledError)


def cancel_sync(address: str, client: sb.Client, number: int) -> None:
    """Begin a call and give it up."""
    seconds = random.Random(number).uniform(0.001, 0.02)
    match number % 6:
        case 0:
            next(client.chunks(HUGE))
        case 1:
            for count, _ in enumerate(client.chunks(HUGE)):
                if count == 9:
                    break
        case 2:
            with suppress(*EXPECTED):
                client.digest(HUGE, timeout_seconds=seconds)
                raise AssertionError("the call ended")
        case 3:
            with suppress(*EXPECTED):
                client.digest(MATRIX, timeout_seconds=seconds)
                raise AssertionError("the call ended")
        case 4:
            with suppress(*EXPECTED):
                client.sample(LARGE, timeout_seconds=seconds)
        case _:
            with sb.connect(address) as other:
                threading.Timer(seconds, other.close).start()
                with suppress(*EXPECTED):
                    other.digest(HUGE)
                    raise AssertionError("the call ended")


def cancel_all_sync(address: str, count: int) -> None:
    """Give up calls in several threads."""
    with sb.connect(address) as client, ThreadPoolExecutor(AT_ONCE) as pool:
        for done in [pool.submit(cancel_sync, address, client, i) for i in range(count)]:
            done.result()
        client.sample(SMALL, timeout_seconds=60)


async def cancel_async(client: aio.Client, number: int) -> None:
    """Begin a call and give it up."""
    seconds = random.Random(number).uniform(0.001, 0.02)
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: client.digest(HUGE),
        lambda: client.digest(MATRIX),
        lambda: client.sample(LARGE),
        lambda: client.describe(SMALL),
    ]
    if number % 5 == 4:
        async with aclosing(client.chunks(HUGE)) as chunks:
            async for _ in chunks:
                return
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await calls[number % 5]()


async def cancel_all_async(address: str, count: int) -> None:
    """Give up calls in several tasks."""
    async with aio.connect(address) as client:
        for first in range(0, count, AT_ONCE):
            numbers = range(first, min(first + AT_ONCE, count))
            await asyncio.gather(*(cancel_async(client, number) for number in numbers))
        await client.sample(SMALL, timeout_seconds=60)


def cancel_all(address: str, count: int) -> None:
    """Give up half of the calls in threads, and half in tasks."""
    cancel_all_sync(address, count // 2)
    asyncio.run(cancel_all_async(address, count - count // 2))


def main(address: str, count: int) -> None:
    """Cancel, and print what this process held before and after, and for how long it ran."""
    cancel_all(address, WARM_UP)
    before: State = settled()
    print("begun", flush=True)
    sys.stdin.readline()
    started = time.monotonic()
    cancel_all(address, count)
    print(json.dumps([before, settled(before), time.monotonic() - started]), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
