"""One server: single tries of a call, and what has become of them."""

import math
import random
import threading
import time
import weakref
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import TypeVar

from google.protobuf.message import Message
from grpc_health.v1 import health_pb2

from seedbed.errors import ForkError, OverloadedError, SeedbedError, TlsError, UnavailableError
from seedbed.spec.reasons import Reason
from seedbed.spec.stats import ReplicaStats
from seedbed.transports.calls import Call, Calls
from seedbed.transports.cancellation import Cancellation
from seedbed.transports.filler import Filler
from seedbed.transports.forks import forgets_after_fork
from seedbed.transports.http2.errors import UnmetError
from seedbed.transports.mapping import Mapper, SegmentBusyError
from seedbed.transports.messages import SERVICE, sample_message
from seedbed.transports.probe import Probe
from seedbed.transports.statuses import UNWELCOME, no_response, parsed, translated
from seedbed.transports.try_limits import TryLimits
from seedbed.wire.parts import MalformedError

HEALTH_CHECK = "/grpc.health.v1.Health/Check"
SAMPLE = f"/{SERVICE}/SampleTensors"

# A replica that is set aside is asked whether it serves: soon at first, then less and less often.
FIRST_LOOK_SECONDS = 0.2
LONGEST_LOOK_SECONDS = 5.0
LOOK_LIMITS = TryLimits(1.0, 1.0, 1.0, 2.0)

# A server may hear of a new token a little later than others: so long they are asked in its place.
UNWELCOME_SECONDS = 2.0

# A crowd that is told to come back in a second shall not come back as a crowd.
SPREAD = 1.25

R = TypeVar("R")


class Replica:
    """A server. Safe to use from several threads, and after a fork.

    Args:
        target: its address, as given to ``connect``.
        calls: makes the calls.
        mapper: maps its shared memory.
        probe: finds out why it does not speak.
        has_others: whether others can be asked in its place.
    """

    def __init__(
        self,
        target: str,
        calls: Calls,
        mapper: Mapper,
        probe: Probe,
        *,
        has_others: bool = False,
    ) -> None:
        self.target = target
        self._has_others = has_others
        self.mapper = mapper
        self._calls = calls
        self._probe = probe
        # A plain server that has ever spoken needs no probe, and any other one.
        self._may_want_tls = probe.tls is None
        self._counts = dict.fromkeys(("tries", "failures", "resumes", "hedges", "bytes"), 0)
        self._is_closed = False
        self.bytes_per_second = 0.0
        """How fast it lately gave ranges; 0 while that is not known."""
        self.forget()
        forgets_after_fork(self)

    def forget(self) -> None:
        """Begin anew in a forked child: who looked after the replica is not there."""
        self._lock = threading.Lock()
        self._is_unreachable = False
        self._ready_at = 0.0

    def close(self) -> None:
        """Close the connections; calls under way end with CancelledError."""
        self._is_closed = True
        self._calls.close()

    # What is known of it.

    @property
    def is_closed(self) -> bool:
        """Whether the client has been closed."""
        return self._is_closed

    @property
    def ready_in_seconds(self) -> float:
        """When it may be asked again by its own words; 0 for now or unknown."""
        return max(self._ready_at - time.monotonic(), 0.0)

    @property
    def is_set_aside(self) -> bool:
        """Whether others are to be asked in its place."""
        return self._is_unreachable or self.ready_in_seconds > 0

    @property
    def stats(self) -> ReplicaStats:
        """What has been asked of it."""
        counts = self._counts
        return ReplicaStats(
            self.target,
            counts["tries"],
            counts["failures"],
            counts["resumes"],
            counts["hedges"],
            counts["bytes"],
            self.is_set_aside,
        )

    def count(self, what: str, number: int = 1) -> None:
        """Count tries, failures, resumes, hedges or bytes."""
        with self._lock:
            self._counts[what] += number

    def failed(self, error: SeedbedError) -> None:
        """Take note of a failed try; where another replica serves, this one is set aside."""
        self.count("failures")
        if isinstance(error, (OverloadedError, UnavailableError)) and error.retry_after_seconds:
            seconds = error.retry_after_seconds * random.uniform(1.0, SPREAD)
            self._ready_at = time.monotonic() + seconds
        elif isinstance(error, UNWELCOME) and self._has_others:
            self._ready_at = time.monotonic() + UNWELCOME_SECONDS
        elif isinstance(error, UnavailableError) and self._has_others:
            self._look_after()

    def succeeded(self) -> None:
        """Record that it answers."""
        self.found()
        self._ready_at = 0.0

    def found(self) -> None:
        """Record that it says it serves; a time that it has asked for remains."""
        self._is_unreachable = self._may_want_tls = False

    def _look_after(self) -> None:
        """Set the replica aside until it serves again, which a thread looks after."""
        with self._lock:
            if self._is_unreachable:
                return
            self._is_unreachable = True
        threading.Thread(
            target=_look_until_it_serves,
            args=(weakref.ref(self),),
            name="seedbed-look",
            daemon=True,
        ).start()

    def is_found(self) -> bool:
        """Return whether nobody need look for it any more; asks it whether it serves."""
        with suppress(TlsError):
            if (
                self._is_unreachable
                and not self._is_closed
                and self.serves(LOOK_LIMITS, Cancellation())
            ):
                self.found()
        return self._is_closed or not self._is_unreachable

    # Single tries. All raise errors of seedbed.errors, or DoubtfulError.

    def serves(self, limits: TryLimits, cancellation: Cancellation) -> bool:
        """Return whether the server says that it serves; False if it says nothing.

        Raises:
            TlsError: if it never will to this client.
            ForkError: if this process cannot ask it.
        """
        message = health_pb2.HealthCheckRequest(service=SERVICE)
        parse = health_pb2.HealthCheckResponse.FromString
        try:
            found = self.response(HEALTH_CHECK, message, parse, limits, cancellation)
        except (TlsError, ForkError):
            raise
        except SeedbedError:
            return False
        return bool(found.status == health_pb2.HealthCheckResponse.SERVING)

    def response(
        self,
        method: str,
        message: Message,
        parse: Callable[[bytes], R],
        limits: TryLimits,
        cancellation: Cancellation,
    ) -> R:
        """Return the only response of a call; the arguments are those of :meth:`responses`.

        Raises:
            DataLossError: if there is none, or more than one.
        """
        found = list(self.responses(method, message, parse, limits, cancellation))
        if len(found) != 1:
            raise no_response(self.target)
        return found[0]

    def responses(
        self,
        method: str,
        message: Message,
        parse: Callable[[bytes], R],
        limits: TryLimits,
        cancellation: Cancellation,
    ) -> Generator[R, None, None]:
        """Yield the responses of a call; however the iteration ends, so does the call.

        Args:
            method: its full name, with slashes.
            message: the request.
            parse: reads a response.
            limits: how long the try may wait.
            cancellation: ends the call from another thread.
        """
        with self._call(method, message, limits, cancellation) as call:
            while (size_bytes := call.next_message()) is not None:
                yield parsed(self.target, parse, call.read(size_bytes))

    def fill(
        self,
        filler: Filler,
        limits: TryLimits,
        cancellation: Cancellation,
        on_message: Callable[[], None],
    ) -> None:
        """Go on with a fetch where it broke, or begin it.

        Args:
            filler: has the bytes so far, and takes the others.
            limits: how long the try may wait.
            cancellation: ends the call from another thread.
            on_message: called after each response, heartbeats too.

        Raises:
            SegmentBusyError: if the server has no room in shared memory.
        """
        requests, first_byte = filler.missing
        if not requests:  # only the end of the last try was missing
            return
        before = filler.received_bytes
        self.count("resumes", bool(before))
        filler.begin_stream()
        message = sample_message(requests, first_byte, accepts_segments=filler.accepts_segments)
        try:
            self._fill(filler, message, limits, cancellation, on_message)
        finally:
            self.count("bytes", filler.received_bytes - before)

    def _fill(
        self,
        filler: Filler,
        message: Message,
        limits: TryLimits,
        cancellation: Cancellation,
        on_message: Callable[[], None],
    ) -> None:
        """Let a filler read the answer to a SampleTensors request."""
        try:
            with self._call(SAMPLE, message, limits, cancellation) as call:
                while (size_bytes := call.next_message()) is not None:
                    try:
                        filler.read(call, size_bytes)
                    except MalformedError:
                        raise no_response(self.target) from None
                    on_message()
                    if filler.may_end_call:
                        call.cancel()
            filler.check_end()
        except OverloadedError as error:
            if error.reason == Reason.SHARED_MEMORY_FULL:
                raise SegmentBusyError(str(error)) from None
            raise

    @contextmanager
    def _call(
        self, method: str, message: Message, limits: TryLimits, cancellation: Cancellation
    ) -> Generator[Call, None, None]:
        data = message.SerializeToString(deterministic=True)
        with (
            translated(self.target, limits.timeout_seconds, data),
            self._explained(limits, cancellation),
            self._calls.call(method, data, limits, cancellation) as call,
        ):
            yield call

    @contextmanager
    def _explained(
        self, limits: TryLimits, cancellation: Cancellation
    ) -> Generator[None, None, None]:
        """Raise a TlsError if the block ends since server and client do not agree on TLS."""
        try:
            yield
        except UnmetError:
            if self._probe.tls is not None or self._may_want_tls:
                self._may_want_tls = False
                seconds = min(limits.connect_seconds, limits.timeout_seconds or math.inf)
                if (reason := self._probe.reason(seconds, cancellation)) is not None:
                    raise TlsError(f"{self.target} {reason}") from None
            raise


def _look_until_it_serves(reference: "weakref.ref[Replica]") -> None:
    """Ask a replica now and then whether it serves; ends with the replica, or its client."""
    seconds = FIRST_LOOK_SECONDS
    while (replica := reference()) is not None and not replica.is_found():
        del replica
        time.sleep(seconds * random.uniform(0.75, 1.0))
        seconds = min(seconds * 2, LONGEST_LOOK_SECONDS)
