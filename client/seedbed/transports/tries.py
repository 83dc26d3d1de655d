"""How long a call goes on trying.

A failed try is followed by another one for as long as the call has time; without a time of its
own, for as long as its patience lasts, which every verified byte renews.
"""

import logging
import random
import time

from seedbed.deadlines import deadline
from seedbed.errors import (
    DataLossError,
    DeadlineError,
    OverloadedError,
    SeedbedError,
    UnavailableError,
)
from seedbed.transports.statuses import UNWELCOME, DoubtfulError
from seedbed.transports.try_limits import ALONE, TryLimits

log = logging.getLogger("seedbed")

# Between failures in a row; the first failure after a success is followed by a try at once.
FIRST_BACKOFF_SECONDS = 0.05
LONGEST_BACKOFF_SECONDS = 2.0

# How often in a row an answer may be damaged, or an error one that the server cannot be shown to
# have meant. A server that lies, or is not ours, would go on without end.
MOST_DOUBTS = 6

# How often a try may break although the server was heard to compute, without anything to show.
MOST_FRUITLESS = 10

RETRIED = (
    UnavailableError,
    OverloadedError,
    DataLossError,
    DeadlineError,
    DoubtfulError,
    *UNWELCOME,
)
"""Failures that another try may not have, here or at another replica; UNWELCOME only there."""


def backoff_seconds(failures: int) -> float:
    """Return how long to wait after so many failures in a row: twice as long after each."""
    longest = min(FIRST_BACKOFF_SECONDS * 2.0 ** min(failures - 1, 16), LONGEST_BACKOFF_SECONDS)
    return random.uniform(0.5, 1.0) * longest


class Tries:
    """The tries of one call, made by one thread, or by several under a lock of theirs.

    Args:
        target: whom the call asks, for messages.
        timeout_seconds: for the whole call; None leaves it to its patience.
        patience_seconds: how long it may go on without progress.
        limits: of each try, as long as not too many have failed.
    """

    def __init__(
        self,
        target: str,
        timeout_seconds: float | None,
        patience_seconds: float,
        limits: TryLimits,
    ) -> None:
        self._remaining = deadline(target, timeout_seconds)
        self._has_deadline = timeout_seconds is not None
        self._patience_seconds = patience_seconds
        self._limits = limits
        self._started = self._last_progress = self._last_heard = time.monotonic()
        self._count = 0
        self._fruitless = 0
        self._in_a_row = 0
        self._doubts = 0
        self._has_told = False
        self._has_counted = False
        self._error: SeedbedError | None = None  # the last one

    def limits(self) -> TryLimits:
        """Return what the next try may wait.

        Failures in a row double the waits: a network that is slow rather than broken has a chance.

        Raises:
            SeedbedError: the error with which the call ends, if no time is left.
        """
        if self._has_deadline and self._left_seconds <= 0 and self._error is not None:
            raise self._last(self._error)
        factor = 2 ** min(self._in_a_row // 2, 8)
        return TryLimits(
            min(self._limits.connect_seconds * factor, ALONE.connect_seconds),
            min(self._limits.silence_seconds * factor, ALONE.silence_seconds),
            min(self._limits.answer_seconds * factor, ALONE.answer_seconds),
            self._remaining(),
        )

    @property
    def failures_in_a_row(self) -> int:
        """How many tries have failed since something came of one."""
        return self._in_a_row

    def progressed(self) -> None:
        """Take note of something that was verified: patience begins anew."""
        self._last_progress = self._last_heard = time.monotonic()
        self._in_a_row = self._doubts = self._fruitless = 0
        self._error = None

    def heard(self) -> None:
        """Take note that the server is at work, though nothing has come of it yet."""
        self._last_heard = time.monotonic()

    def failed(self, error: SeedbedError) -> None:
        """Take note of a failed try.

        Raises:
            SeedbedError: the error with which the call ends, if another try makes no sense.
        """
        before, self._error = self._error, error
        self._count += 1
        self._in_a_row += 1
        if isinstance(error, DeadlineError):
            is_over = self._left_seconds <= 0 and self._in_a_row > 1
            if is_over and before is not None and not isinstance(before, DeadlineError):
                raise self._last(before)  # what the time was spent on
            # Raises where the time is over; else the limit was damaged on its way.
            self._remaining()
        if isinstance(error, (DataLossError, DoubtfulError, DeadlineError)):
            self._doubts += 1
            if self._doubts >= MOST_DOUBTS:
                raise self._last(error)
        self._fruitless += self._last_heard > self._last_progress
        if self._left_seconds <= 0 or self._fruitless >= MOST_FRUITLESS:
            raise self._last(error)

    def wait_seconds(self, error: SeedbedError, ready_in_seconds: float) -> float:
        """Return how long to wait before the next try, where no other replica can be asked.

        Args:
            error: the last failure.
            ready_in_seconds: when a replica may be asked again by its own words; 0 if none said.

        Raises:
            SeedbedError: the error with which the call ends, if there is no time for another.
        """
        left = self._left_seconds
        if ready_in_seconds > left:
            raise self._last(error)
        self._tell(error)
        return min(ready_in_seconds or self._backoff_seconds(), max(left, 0.0))

    @property
    def _left_seconds(self) -> float:
        """How long further tries may begin."""
        if self._has_deadline:
            try:
                return self._remaining() or 0.0
            except DeadlineError:
                return 0.0
        return self._last_heard + self._patience_seconds - time.monotonic()

    def _backoff_seconds(self) -> float:
        if self._in_a_row <= 1 and self._last_progress > self._started:
            return 0.0
        return backoff_seconds(self._in_a_row)

    def _last(self, error: SeedbedError) -> SeedbedError:
        """Return the error with which the call ends."""
        if isinstance(error, DoubtfulError):
            error = error.error
        # Where the time is over before a try could begin, this error comes here twice.
        if self._count > 1 and not self._has_counted:
            self._has_counted = True
            seconds = time.monotonic() - self._started
            error.args = (f"{error} (tried {self._count} times in {seconds:.1f} s)",)
        return error

    def _tell(self, error: SeedbedError) -> None:
        """Say once in the log that the call waits: it may look as if it hung."""
        if not self._has_told and self._in_a_row > 2:
            self._has_told = True
            log.warning("%s; trying again", error)
