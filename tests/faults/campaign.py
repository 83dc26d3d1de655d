"""Calls of every kind, in all ways to reach a server, through faulty proxies."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from random import Random

import seedbed as sb
from tests.faults.contents import Contents, Question, questions
from tests.faults.outcomes import Outcomes
from tests.faults.plans import Schedule
from tests.faults.proxy import Proxy, faulty_proxy

HANG_SECONDS = 120.0
"""Nothing takes as long that is not stuck."""
THREADS = 2


@dataclass(frozen=True, slots=True)
class Way:
    """How a client reaches the server."""

    targets: int
    is_asyncio: bool
    is_unix: bool


WAYS = tuple(Way(*each) for each in product((1, 3), (False, True), (False, True)))


def run(
    contents: Contents,
    server: str,
    schedule: Schedule,
    *,
    count: int,
    seed: str,
    folder: Path,
) -> Outcomes:
    """Make calls in all ways, each through proxies of its own, and return how they ended.

    Args:
        contents: what is fetched.
        server: its address.
        schedule: the proxies'.
        count: of calls.
        seed: of the calls.
        folder: for the proxies' Unix sockets.
    """
    outcomes = Outcomes()
    asked = questions(contents, count, Random(seed))

    def proxy(place: int, way: Way, number: int) -> Proxy:
        path = folder / f"{place}-{number}" if way.is_unix else None
        return stack.enter_context(
            faulty_proxy(server, schedule, seed=10 * place + number, path=path)
        )

    with ExitStack() as stack, ThreadPoolExecutor(THREADS) as pool:
        jobs = []
        proxies = []
        for place, way in enumerate(WAYS):
            mine = [proxy(place, way, number) for number in range(way.targets)]
            proxies += mine
            targets = [each.target for each in mine]
            ask = _ask_together if way.is_asyncio else _ask
            jobs.append(pool.submit(ask, targets, asked[place :: len(WAYS)], outcomes))
        for job in jobs:
            job.result()
    for each in proxies:
        outcomes.counts += each.counts
    return outcomes


def _ask(targets: list[str], asked: list[Question], outcomes: Outcomes) -> None:
    """Ask one question after the other, until one hangs."""
    with ThreadPoolExecutor(1) as pool, sb.connect(targets) as client:
        for question in asked:
            with outcomes.noting(f"{question} of {len(targets)}") as verdicts:
                found = pool.submit(question.ask, client).result(HANG_SECONDS)
                verdicts.append(question.is_right(found))
            if outcomes.hung:
                return


def _ask_together(targets: list[str], asked: list[Question], outcomes: Outcomes) -> None:
    """Ask all questions at the same time."""

    async def ask(client: sb.aio.Client, question: Question) -> None:
        with outcomes.noting(f"{question} of {len(targets)} by asyncio") as verdicts:
            found = await asyncio.wait_for(question.ask_later(client), HANG_SECONDS)
            verdicts.append(question.is_right(found))

    async def ask_all() -> None:
        async with sb.aio.connect(targets) as client:
            await asyncio.gather(*(ask(client, question) for question in asked))

    asyncio.run(ask_all())
