"""A fetch by several connections at the same time: portions, each from whoever is free.

A portion that breaks goes on where it broke, by another connection if need be. When nothing is left
to begin, one that lags is asked for at another server as well, into memory of its own, and whoever
is first wins.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextvars import copy_context
from dataclasses import dataclass, field

from seedbed.errors import CancelledError, SeedbedError
from seedbed.interrupts.held_signals import signals_held
from seedbed.interrupts.threads import Threads
from seedbed.transports.cancellation import Cancellation
from seedbed.transports.endings import cancelled, closed
from seedbed.transports.filler import Filler
from seedbed.transports.ranges import Portion
from seedbed.transports.replica import Replica
from seedbed.transports.replicas import check_welcome
from seedbed.transports.statuses import silent
from seedbed.transports.tries import RETRIED, Tries, backoff_seconds

# A portion lags if it has taken this much longer than another server would have taken for it.
LAG_FACTOR = 3.0
LAG_SECONDS = 0.5
# Likewise, where no other server's speed is known, if no byte of it has come for so long.
STILL_SECONDS = 1.0
MOST_HEDGES = 2
# Less says little of a server's speed.
MEASURED_BYTES = 2**20
# How often a connection looks whether its server serves again.
LOOK_SECONDS = 0.1


@dataclass(slots=True, eq=False)
class _Work:
    """A portion while it is fetched; what is said here is under the fetch's lock."""

    portion: Portion
    filler: Filler = field(init=False)
    replica: Replica | None = None
    """Who is asked for it now; None while it waits."""
    cancellation: Cancellation = field(default_factory=Cancellation)
    """Of the try that is under way."""
    begun: float = 0.0
    """When that try was begun."""
    heard: float = 0.0
    """When the last bytes of it came."""
    received_bytes: int = 0
    """Verified bytes in their place, of all tries."""
    hedges: int = 0
    """How often it was asked for elsewhere."""
    is_done: bool = False
    """Whether all its bytes are there, or about to be put there."""

    @property
    def size_bytes(self) -> int:
        return sum(map(len, self.portion.outs))


class RangedFetch:
    """One fetch. Its threads share the portions, one thread for each connection.

    Args:
        portions: what to fetch.
        lanes: the server of each connection.
        tries: counts failures, and says when it is enough.
        on_bytes: called with the number of new bytes; never by two threads at a time.
        cancellation: ends all of it from another thread.
    """

    def __init__(
        self,
        portions: Iterator[Portion],
        lanes: Sequence[Replica],
        tries: Tries,
        on_bytes: Callable[[int], None],
        cancellation: Cancellation,
    ) -> None:
        self._fresh = portions
        self._are_all_begun = False
        self._lanes = lanes
        self._tries = tries
        self._on_bytes = on_bytes
        self._cancellation = cancellation
        self._changed = threading.Condition()
        self._again: deque[_Work] = deque()
        self._under_way: list[_Work] = []
        self._hedging: list[tuple[_Work, Cancellation]] = []
        self._is_stopped = False

    def run(self) -> None:
        """Fetch everything.

        Raises:
            SeedbedError: if the tries come to an end before.
        """
        with Threads(len(self._lanes), thread_name_prefix="seedbed-fetch") as pool:
            try:
                lanes = [
                    pool.submit(copy_context().run, self._run_lane, replica)
                    for replica in self._lanes
                ]
                for done in lanes:
                    done.result()
            finally:
                with signals_held():  # a second interrupt must not leave threads that go on
                    self._stop()

    def _run_lane(self, replica: Replica) -> None:
        failures = 0
        try:
            while (taken := self._take(replica)) is not None:
                work, is_hedge = taken
                before = work.received_bytes
                error = self._hedge(replica, work) if is_hedge else self._fetch(replica, work)
                # A connection that breaks again and again, but brings something each time, need not
                # wait longer and longer.
                is_fruitless = error is not None and work.received_bytes == before
                failures = failures + 1 if is_fruitless else 0
                if error is not None:
                    self._rest(replica, error, failures)
        except BaseException:
            self._stop()
            raise

    def _stop(self) -> None:
        """Make all threads end soon."""
        with self._changed:
            self._is_stopped = True
            for each in self._under_way:
                each.cancellation.cancel()
            for _, hedge in self._hedging:
                hedge.cancel()
            self._changed.notify_all()

    # What is next.

    def _take(self, replica: Replica) -> tuple[_Work, bool] | None:
        """Return what to fetch next, and whether as a hedge; None at the end."""
        with self._changed:
            while not self._is_stopped:
                work = self._again.popleft() if self._again else self._new()
                if work is not None:
                    work.replica = replica
                    work.cancellation = Cancellation()
                    work.begun = work.heard = time.monotonic()
                    self._under_way.append(work)
                    return work, False
                if not self._under_way:
                    self._changed.notify_all()
                    return None
                lagging, in_seconds = self._laggard(replica)
                if lagging is not None:
                    lagging.hedges += 1
                    return lagging, True
                self._changed.wait(in_seconds)  # what is under way may fail, and come back
            return None

    def _new(self) -> _Work | None:
        portion = next(self._fresh, None)
        if portion is None:
            self._are_all_begun = True
            return None
        work = _Work(portion)
        work.filler = Filler(portion.requests, portion.outs, lambda size: self._arrived(work, size))
        return work

    def _laggard(self, replica: Replica) -> tuple[_Work | None, float | None]:
        """Return a portion that another server should be asked for, or when to look again."""
        now = time.monotonic()
        soonest: float | None = None
        for work in self._under_way:
            if work.replica is replica or work.hedges >= MOST_HEDGES or work.is_done:
                continue
            due = work.heard + STILL_SECONDS
            if replica.bytes_per_second:
                expected = work.size_bytes / replica.bytes_per_second
                due = min(due, work.begun + LAG_SECONDS + LAG_FACTOR * expected)
            if due <= now:
                return work, None
            soonest = min(due - now, soonest) if soonest is not None else due - now
        return None, soonest

    # The tries. Each returns the error with which it failed, or None.

    def _fetch(self, replica: Replica, work: _Work) -> SeedbedError | None:
        """Fetch a portion, or the rest of it, by one try."""
        before = work.received_bytes
        try:
            with work.cancellation.within(self._cancellation):
                self._fill(replica, work.filler, work.cancellation)
        except RETRIED as error:
            self._leave(work, is_done=False)
            return error
        except CancelledError:
            is_meant = work.is_done or self._is_stopped
            self._leave(work, is_done=False)
            if is_meant:  # a hedge was faster, or all is over
                return None
            raise
        self._measure(replica, work.received_bytes - before, work.begun)
        self._leave(work, is_done=True)
        return None

    def _hedge(self, replica: Replica, work: _Work) -> SeedbedError | None:
        """Fetch a portion that lags elsewhere into memory of its own, and put it in its place."""
        replica.count("hedges")
        begun = time.monotonic()
        memories = [memoryview(bytearray(len(out))) for out in work.portion.outs]
        filler = Filler(work.portion.requests, memories, lambda _: None)
        cancellation = Cancellation()
        with self._changed:
            self._hedging.append((work, cancellation))
            if work.is_done or self._is_stopped:
                cancellation.cancel()
        try:
            with cancellation.within(self._cancellation):
                self._fill(replica, filler, cancellation)
        except RETRIED as error:
            return error
        except CancelledError:
            if work.is_done or self._is_stopped:
                return None
            raise
        finally:
            with self._changed:
                self._hedging.remove((work, cancellation))
        self._measure(replica, work.size_bytes, begun)
        self._win(work, memories)
        return None

    def _win(self, work: _Work, memories: Sequence[memoryview]) -> None:
        """Put what a hedge has brought in its place, once nobody else writes there any more."""
        with self._changed:
            if work.is_done:
                return
            work.is_done = True
            if work in self._again:
                # Whoever took it would write where the right bytes are.
                self._again.remove(work)
            work.cancellation.cancel()
            if work.replica is not None and work.heard == work.begun:
                # Nothing came of that try: the next fetch shall not have to find that out anew.
                work.replica.failed(silent(work.replica.target))
            self._changed.wait_for(lambda: work not in self._under_way)
            for out, memory in zip(work.portion.outs, memories, strict=True):
                out[:] = memory
            self._tries.progressed()
            self._on_bytes(work.size_bytes - work.received_bytes)
            self._changed.notify_all()

    def _fill(self, replica: Replica, filler: Filler, cancellation: Cancellation) -> None:
        limits = self._tries.limits()
        replica.count("tries")
        replica.fill(filler, limits, cancellation, self._tries.heard)
        replica.succeeded()

    @staticmethod
    def _measure(replica: Replica, size_bytes: int, begun: float) -> None:
        if size_bytes >= MEASURED_BYTES:
            replica.bytes_per_second = size_bytes / max(time.monotonic() - begun, 1e-6)

    def _rest(self, replica: Replica, error: SeedbedError, failures: int) -> None:
        """Let a connection wait before its next try; others go on meanwhile.

        Raises:
            CancelledError: as soon as the client is closed, or the call cancelled.
            SeedbedError: the error with which the fetch ends, if it is enough.
        """
        with self._changed:
            replica.failed(error)
            check_welcome(error, replica, self._lanes)
            self._tries.failed(error)
            soonest = min(each.ready_in_seconds for each in self._lanes)
            seconds = self._tries.wait_seconds(error, soonest)
            seconds = max(seconds, backoff_seconds(failures) if failures > 1 else 0.0)
            end = time.monotonic() + seconds
            while not self._is_over:
                if self._cancellation.is_cancelled:
                    raise cancelled(replica.target)
                if replica.is_closed:
                    raise closed(replica.target)
                left = max(end - time.monotonic(), replica.ready_in_seconds)
                # A thread looks after a server that is set aside; as long as others serve, they do.
                if left <= 0 and not (replica.is_set_aside and self._others_serve):
                    return
                self._changed.wait(min(left, LOOK_SECONDS) if left > 0 else LOOK_SECONDS)

    # What they have in common.

    @property
    def _is_over(self) -> bool:
        are_all_done = self._are_all_begun and not (self._again or self._under_way)
        return self._is_stopped or are_all_done

    @property
    def _others_serve(self) -> bool:
        return not all(each.is_set_aside for each in self._lanes)

    def _leave(self, work: _Work, *, is_done: bool) -> None:
        """End a try of a portion, which then is complete or to be taken again."""
        with self._changed:
            self._under_way.remove(work)
            work.is_done |= is_done
            if not work.is_done:
                self._again.append(work)
            else:
                for hedged, hedge in self._hedging:
                    if hedged is work:
                        hedge.cancel()
            self._changed.notify_all()

    def _arrived(self, work: _Work, size_bytes: int) -> None:
        with self._changed:
            work.heard = time.monotonic()
            self._tries.progressed()
            if not work.is_done:
                work.received_bytes += size_bytes
                self._on_bytes(size_bytes)
