"""Measures how a server serves others while thousands of calls are open and do nothing.

    python -m benchmarks.crowd [--silent N] [--unread N] [--per-connection N] [--budget-mib N]

Silent calls send nothing, not even their request; unread streams ask for a large tensor each and
never read. Meanwhile health must answer, another client must be served nearly as fast as alone,
memory must stay within its bounds, and when the calls end, all must be given back. Prints a table;
the exit code is 1 if a bound is broken.
"""

import argparse
import resource
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median

from benchmarks.servers import Server, seedbed_server
from benchmarks.sizes import MIB
from benchmarks.worker import Worker, WorkerError

HEALTH_MS = 100.0
SPEED_SHARE = 0.8
MARGIN_MIB = 128.0
# Of the server's files, for what a client may still hold when the crowd has gone.
SPARE_FILES = 8

HEALTH_CALLS = 100
HEALTH_TIMEOUT_SECONDS = 30.0
FETCHED_BYTES = 64 * MIB
COLUMNS, ITEM_BYTES = 1024, 4
FETCHES = 7
FETCH_TIMEOUT_SECONDS = 20.0
# How long the crowd stands before it is looked at, and how long the server has to clean up.
SETTLE_SECONDS = 3.0
CLEAN_UP_SECONDS = 60.0
LOOK_EVERY_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Crowd:
    """Who stands in the way."""

    silent: int = 10_000
    """Calls that send nothing."""
    unread: int = 2_000
    """Streams whose client never reads."""
    per_connection: int = 100
    """Calls that share a connection."""
    budget_mib: float = 512.0
    """How many bytes in flight the server may hold."""


@dataclass(frozen=True, slots=True)
class Bound:
    """One line of the table."""

    what: str
    """What was measured, with its unit."""
    figure: float
    """How it came out."""
    least: float = float("-inf")
    """What it must be at least."""
    most: float = float("inf")
    """What it may be at most."""

    @property
    def is_kept(self) -> bool:
        """Whether the figure lies within."""
        return self.least <= self.figure <= self.most

    def __str__(self) -> str:
        sides = ((self.least, "at least"), (self.most, "at most"))
        bounds = [f"{words} {value:,.1f}" for value, words in sides if abs(value) != float("inf")]
        verdict = "" if not bounds else "kept" if self.is_kept else "BROKEN"
        return f"{self.what:<54}{self.figure:>12,.1f}  {' '.join(bounds):<20}{verdict}".rstrip()


@dataclass(frozen=True, slots=True)
class State:
    """What the server's process holds at a moment."""

    memory_mib: float
    threads: int
    files: int

    @classmethod
    def of(cls, server: Server) -> "State":
        """Return the state as the operating system tells it."""
        process = server.process
        return cls(server.memory / MIB, process.num_threads(), process.num_fds())


@dataclass(frozen=True, slots=True)
class Look:
    """How the server was for others at one stage."""

    health: dict[str, float]
    fetch_seconds: list[float]
    states: tuple[State, State]
    """Before and after it was asked."""

    @property
    def memory_mib(self) -> float:
        """The most that it held."""
        return max(state.memory_mib for state in self.states)

    @property
    def threads(self) -> int:
        """The most that it had."""
        return max(state.threads for state in self.states)


def measure(crowd: Crowd) -> list[Bound]:
    """Start a server, and return how it came out alone, in the crowd and after it."""
    _allow_many_files()
    with ExitStack() as stack:
        server = stack.enter_context(seedbed_server())
        to = {"address": server.address}
        asking = {**to, "calls": HEALTH_CALLS, "timeout_seconds": HEALTH_TIMEOUT_SECONDS}
        health = stack.enter_context(Worker("health_client", asking))
        shape = (FETCHED_BYTES // ITEM_BYTES // COLUMNS, COLUMNS)
        fetching = {**to, "shape": shape, "has_array": True}
        client = stack.enter_context(Worker("seedbed_client", fetching))
        _fetch_seconds(client)  # loads the code, and what memory it takes is not the crowd's
        alone = _look(server, health, client)
        callers = [
            stack.enter_context(_callers(server, crowd, crowd.silent, asks=False)),
            stack.enter_context(_callers(server, crowd, crowd.unread, asks=True)),
        ]
        for caller in callers:
            caller.run("open")
        time.sleep(SETTLE_SECONDS)
        together = _look(server, health, client)
        ended = [caller.run("ended")["ended"] for caller in callers]
        for caller in callers:
            caller.run("close")
        left = _state_after(server, alone.states[1])
        after = _look(server, health, client)
    return [*_service(alone, together, after, ended), *_held(crowd, alone, together, left)]


def _look(server: Server, health: Worker, client: Worker) -> Look:
    before = State.of(server)
    answers, seconds = health.run("check"), _fetch_seconds(client)
    return Look(answers, seconds, (before, State.of(server)))


def _service(alone: Look, together: Look, after: Look, ended: Sequence[float]) -> list[Bound]:
    """Return how others were served."""
    # Alone both before and after, so that the crowd is not blamed for a machine that slows down.
    lone_seconds = median([*alone.fetch_seconds, *after.fetch_seconds])
    seconds = median(together.fetch_seconds)
    share = 100 * lone_seconds / seconds
    return [
        Bound(f"health alone, worst of {HEALTH_CALLS} (ms)", alone.health["worst"]),
        Bound("health in the crowd, median (ms)", together.health["p50"]),
        Bound("health in the crowd, worst (ms)", together.health["worst"], most=HEALTH_MS),
        Bound("health after it, worst (ms)", after.health["worst"], most=HEALTH_MS),
        Bound("64 MiB fetched alone (MB/s)", FETCHED_BYTES / lone_seconds / 1e6),
        Bound("64 MiB fetched in the crowd (MB/s)", FETCHED_BYTES / seconds / 1e6),
        Bound("its speed over the lone speed (%)", share, least=100 * SPEED_SHARE),
        Bound("silent calls that the server has ended", ended[0]),
        Bound("unread streams that the server has ended", ended[1]),
    ]


def _held(crowd: Crowd, alone: Look, together: Look, left: State) -> list[Bound]:
    """Return what the server held, and what it has not given back."""
    idle = alone.states[1]
    growth, kept = together.memory_mib - idle.memory_mib, left.memory_mib - idle.memory_mib
    most = MARGIN_MIB + crowd.budget_mib
    return [
        Bound("memory when idle (MiB)", idle.memory_mib),
        Bound("memory in the crowd, beyond idle (MiB)", growth, most=most),
        Bound("memory after it, beyond idle (MiB)", kept, most=MARGIN_MIB),
        Bound("threads when idle", idle.threads),
        Bound("threads in the crowd", together.threads),
        Bound("threads after it", left.threads),
        Bound("open files in the crowd", together.states[0].files),
        Bound("open files after it, beyond idle", left.files - idle.files, most=SPARE_FILES),
    ]


def _callers(server: Server, crowd: Crowd, calls: int, *, asks: bool) -> Worker:
    settings = {"calls": calls, "calls_per_connection": crowd.per_connection, "asks": asks}
    return Worker("open_calls", {"address": server.address, **settings})


def _fetch_seconds(client: Worker) -> list[float]:
    """Return how long each of several fetches took; infinite if one fails or does not end."""
    seconds: list[float] = []
    for _ in range(FETCHES):
        try:
            client.ask("fetch")
            if not client.is_done(FETCH_TIMEOUT_SECONDS):
                return [float("inf")]
            seconds.append(client.answer()["seconds"])
        except WorkerError as error:
            print(f"a fetch failed: {error}", file=sys.stderr)
            return [float("inf")]
    return seconds


def _state_after(server: Server, idle: State) -> State:
    """Return the state when it is the idle one again, or when the time for that is over."""
    deadline = time.monotonic() + CLEAN_UP_SECONDS
    while time.monotonic() < deadline:
        state = State.of(server)
        has_files = state.files <= idle.files + SPARE_FILES
        if has_files and state.memory_mib <= idle.memory_mib + MARGIN_MIB:
            break
        time.sleep(LOOK_EVERY_SECONDS)
    return state


def _allow_many_files() -> None:
    """Let this process, and those it starts, open as many files as the system allows."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return the exit code."""
    description, _, more = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.crowd", description=description, epilog=more.partition("\n\n")[2]
    )
    default = Crowd()
    parser.add_argument("--silent", type=int, default=default.silent)
    parser.add_argument("--unread", type=int, default=default.unread)
    parser.add_argument("--per-connection", type=int, default=default.per_connection)
    parser.add_argument("--budget-mib", type=float, default=default.budget_mib)
    bounds = measure(Crowd(**vars(parser.parse_args(arguments))))
    print("\n".join(map(str, bounds)))
    return int(not all(bound.is_kept for bound in bounds))


if __name__ == "__main__":
    sys.exit(main())
