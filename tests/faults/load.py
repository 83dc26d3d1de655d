"""Clients that call without a pause, until they are told to stop."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from random import Random

import seedbed as sb
from tests.faults.contents import Contents, Question, questions
from tests.faults.outcomes import Outcomes

HANG_SECONDS = 120.0


@contextmanager
def load(contents: Contents, targets: Sequence[str]) -> Iterator[Outcomes]:
    """Keep two clients busy in the block, one of them by asyncio; yield how their calls end.

    All calls have ended at the block's end.
    """
    outcomes = Outcomes()
    is_over = threading.Event()
    with ThreadPoolExecutor(3) as pool:
        jobs = [
            pool.submit(_call, targets, contents, outcomes, is_over),
            pool.submit(_call_by_asyncio, targets, contents, outcomes, is_over),
        ]
        try:
            yield outcomes
        finally:
            is_over.set()
            for job in jobs:
                job.result()


def _endless(contents: Contents, random: Random) -> Iterator[Question]:
    while True:
        yield from questions(contents, 100, random)


def _call(
    targets: Sequence[str], contents: Contents, outcomes: Outcomes, is_over: threading.Event
) -> None:
    with ThreadPoolExecutor(1) as pool, sb.connect(targets) as client:
        for question in _endless(contents, Random("sync")):
            if is_over.is_set() or outcomes.hung:
                return
            with outcomes.noting(str(question)) as verdicts:
                found = pool.submit(question.ask, client).result(HANG_SECONDS)
                verdicts.append(question.is_right(found))


def _call_by_asyncio(
    targets: Sequence[str], contents: Contents, outcomes: Outcomes, is_over: threading.Event
) -> None:
    async def call(client: sb.aio.Client, number: int) -> None:
        for question in _endless(contents, Random(f"asyncio {number}")):
            if is_over.is_set() or outcomes.hung:
                return
            with outcomes.noting(f"{question} by asyncio") as verdicts:
                found = await asyncio.wait_for(question.ask_later(client), HANG_SECONDS)
                verdicts.append(question.is_right(found))

    async def call_all() -> None:
        async with sb.aio.connect(targets) as client:
            await asyncio.gather(*(call(client, number) for number in range(2)))

    asyncio.run(call_all())
