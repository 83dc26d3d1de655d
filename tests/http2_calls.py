"""Calls by our HTTP/2 reader, of a server that a test drives."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

from seedbed.transports.cancellation import Cancellation
from seedbed.transports.http2.call import Http2Call
from seedbed.transports.http2.connections import Connections
from seedbed.transports.http2.errors import CallError
from seedbed.transports.try_limits import TryLimits
from tests.http2_server import METHOD, PATIENCE_SECONDS, ScriptedServer

# Nobody gives a silent server up sooner, so that what ends within SOON_SECONDS ends for another
# reason, on a busy machine, too.
PATIENT = TryLimits(connect_seconds=60.0, silence_seconds=60.0, answer_seconds=60.0)
SOON_SECONDS = 45.0


@contextmanager
def connections_to(server: ScriptedServer) -> Iterator[Connections]:
    """Yield a client of a server, closed afterwards."""
    with closing(server.connections()) as connections:
        yield connections


@contextmanager
def call_of(
    connections: Connections,
    message: bytes = b"request",
    timeout_seconds: float | None = PATIENCE_SECONDS,
    *,
    limits: TryLimits = PATIENT,
    cancellation: Cancellation | None = None,
) -> Iterator[Http2Call]:
    """Yield a call that the server has begun to answer."""
    limits = replace(limits, timeout_seconds=timeout_seconds)
    with connections.call(METHOD, message, limits, cancellation or Cancellation()) as call:
        yield call


def messages_of(
    connections: Connections,
    message: bytes = b"request",
    timeout_seconds: float | None = PATIENCE_SECONDS,
    *,
    limits: TryLimits = PATIENT,
    cancellation: Cancellation | None = None,
) -> list[bytes]:
    """Return the messages of a call's answer."""
    found = []
    with call_of(
        connections, message, timeout_seconds, limits=limits, cancellation=cancellation
    ) as call:
        while (size_bytes := call.next_message()) is not None:
            found.append(call.read(size_bytes))
    return found


def error_of(
    connections: Connections,
    message: bytes = b"request",
    timeout_seconds: float | None = PATIENCE_SECONDS,
    *,
    limits: TryLimits = PATIENT,
) -> CallError:
    """Return how a call fails; it must."""
    try:
        found = messages_of(connections, message, timeout_seconds, limits=limits)
    except CallError as error:
        return error
    raise AssertionError(f"the call ended well, with {found}")
