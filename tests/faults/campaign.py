"""Many calls of every kind through faulty proxies, and how they ended."""

import asyncio
import inspect
import statistics
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import cycle, product
from pathlib import Path
from random import Random
from typing import Any, Literal

import seedbed as sb
from tests.faults.contents import CALLS, Call, Contents
from tests.faults.plans import Schedule
from tests.faults.proxy import Proxy, faulty_proxy

HANG_SECONDS = 120.0
"""Nothing takes as long that is not stuck."""
THREADS = 2


@dataclass(frozen=True, slots=True)
class Way:
    """How a client reaches the server."""

    targets: int
    style: Literal["sync", "asyncio"]
    socket: Literal["tcp", "unix"]


WAYS = tuple(
    Way(targets, style, kind)  # type: ignore[arg-type]
    for targets, style, kind in product((1, 3), ("sync", "asyncio"), ("tcp", "unix"))
)


@dataclass
class Outcomes:
    """How calls ended."""

    right: int = 0
    wrong: list[str] = field(default_factory=list)
    raised: list[str] = field(default_factory=list)
    hung: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    """What the proxies did."""

    @property
    def all_are_right(self) -> bool:
        """Whether nothing else happened."""
        return self.right > 0 and not (self.wrong or self.raised or self.hung)

    def __str__(self) -> str:
        faults = " ".join(f"{kind}={count}" for kind, count in sorted(self.counts.items()))
        text = (
            f"right={self.right} wrong={len(self.wrong)} raised={len(self.raised)} "
            f"hung={len(self.hung)} median={statistics.median(self.seconds):.2f}s "
            f"slowest={max(self.seconds):.2f}s {faults}"
        )
        return "\n  ".join([text, *self.wrong, *self.raised, *self.hung])

    def note(self, name: str, began: float, judge: Callable[[], bool]) -> None:
        """Take down how a call ended."""
        try:
            is_right = judge()
        except TimeoutError as error:
            if isinstance(error, sb.SeedbedError):
                self.raised.append(f"{name}: {error!r}")
            else:
                self.hung.append(name)
        except sb.SeedbedError as error:
            self.raised.append(f"{name}: {error!r}")
        else:
            if is_right:
                self.right += 1
            else:
                self.wrong.append(name)
        self.seconds.append(time.monotonic() - began)


@dataclass(frozen=True, slots=True)
class Task:
    """One call that is to be made."""

    name: str
    call: Call
    spec: sb.TensorSpec


def tasks(contents: Contents, count: int, random: Random) -> list[Task]:
    """Return calls of all kinds in turn, of tensors of all sizes."""
    kinds = cycle(random.sample(sorted(CALLS), len(CALLS)))
    found = []
    for kind in (next(kinds) for _ in range(count)):
        spec = random.choice(contents.specs)
        found.append(Task(f"{kind} {spec.name}", CALLS[kind], spec))
    return found


def run(
    contents: Contents,
    servers: dict[str, str],
    schedule: Schedule,
    *,
    count: int,
    seed: str,
    folder: Path,
) -> Outcomes:
    """Make calls in all ways at once, each through proxies of its own, and return how they ended.

    Args:
        contents: what is fetched.
        servers: the server's targets, by the kind of the socket.
        schedule: the proxies'.
        count: of calls.
        seed: of the calls.
        folder: for the proxies' Unix sockets.
    """
    outcomes = Outcomes()
    work = tasks(contents, count, Random(seed))
    with ExitStack() as stack, ThreadPoolExecutor(THREADS) as pool:
        jobs = []
        proxies: list[Proxy] = []
        for place, way in enumerate(WAYS):
            mine = [
                stack.enter_context(
                    faulty_proxy(
                        servers[way.socket],
                        schedule,
                        seed=10 * place + i,
                        path=folder / f"{place}-{i}" if way.socket == "unix" else None,
                    )
                )
                for i in range(way.targets)
            ]
            proxies += mine
            targets = [proxy.target for proxy in mine]
            make = _sync if way.style == "sync" else _asyncio
            jobs.append(pool.submit(make, targets, work[place :: len(WAYS)], contents, outcomes))
        for job in jobs:
            job.result()
    for proxy in proxies:
        outcomes.counts += proxy.counts
    return outcomes


def _sync(targets: list[str], work: list[Task], contents: Contents, outcomes: Outcomes) -> None:
    def ask(client: sb.Client, task: Task) -> Any:
        found = task.call.ask(client, contents, task.spec)
        return list(found) if isinstance(found, Iterator) else found

    with sb.connect(targets) as client, ThreadPoolExecutor(1) as pool:
        for task in work:
            began = time.monotonic()
            asked = pool.submit(ask, client, task)

            def judge(task: Task = task, asked: Any = asked) -> bool:
                return task.call.is_right(contents, task.spec, asked.result(HANG_SECONDS))

            outcomes.note(f"{len(targets)} {task.name}", began, judge)
            if outcomes.hung:
                return


def _asyncio(targets: list[str], work: list[Task], contents: Contents, outcomes: Outcomes) -> None:
    async def ask(client: sb.aio.Client, task: Task) -> Any:
        found = task.call.ask(client, contents, task.spec)
        if isinstance(found, AsyncIterator):
            return [chunk async for chunk in found]
        assert inspect.isawaitable(found)
        return await found

    async def answer(client: sb.aio.Client, task: Task) -> None:
        began = time.monotonic()
        try:
            found = await asyncio.wait_for(ask(client, task), HANG_SECONDS)
        except Exception as error:  # noqa: BLE001  # judged with all others
            failure = error

            def judge() -> bool:
                raise failure
        else:

            def judge() -> bool:
                return task.call.is_right(contents, task.spec, found)

        outcomes.note(f"asyncio {len(targets)} {task.name}", began, judge)

    async def make_all() -> None:
        async with sb.aio.connect(targets) as client:
            await asyncio.gather(*(answer(client, task) for task in work))

    asyncio.run(make_all())
