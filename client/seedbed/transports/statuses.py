"""From gRPC's errors to ours: one table, and what to do said in each."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import grpc
from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from seedbed.errors import (
    AuthenticationError,
    DataLossError,
    DeadlineError,
    InvalidArgumentError,
    InvalidValueError,
    OverloadedError,
    PermissionDeniedError,
    SeedbedError,
    ServerError,
    TlsError,
    TransportError,
    UnavailableError,
    UnsupportedError,
)
from seedbed.spec.errors import Violation
from seedbed.spec.reasons import Reason
from seedbed.transports.endings import cancelled, closed
from seedbed.transports.proxies import proxy_variable
from seedbed.wire.parts import MalformedError
from seedbed.wire.request_hash import REQUEST_HASH, request_hash

Code = grpc.StatusCode

# A server's own words are shorter. What comes from elsewhere may be of any length.
LONGEST_TEXT = 1000

# How grpcio words the cancellations of this process: Call.cancel and Channel.close.
CANCELLED_HERE = ("Locally cancelled by application!", "Channel closed!")
WITHOUT_STATUS = "the stream ended without a status"
# How we and grpcio word the end of a stream without a status: a proxy ends it so whose server was
# killed. A seedbed-server ends no call with UNKNOWN.
ENDED_EARLY = (WITHOUT_STATUS, "No status received", "Stream removed")
T = TypeVar("T", bound=Message)
R = TypeVar("R")


UNWELCOME = (AuthenticationError, PermissionDeniedError, TlsError)
"""What a server says of who calls, or its certificate of it: only another one may differ."""


class DoubtfulError(SeedbedError):
    """An error that the server cannot be shown to have meant for the request that was made.

    The request may have been damaged on its way, and the refusal be of what became of it.

    Args:
        error: what it is if it is meant.
    """

    def __init__(self, error: SeedbedError) -> None:
        super().__init__(str(error))
        self.error = error


@contextmanager
def translated(target: str, timeout_seconds: float | None, message: bytes) -> Iterator[None]:
    """Turn every error of gRPC inside the block into one of ours.

    Args:
        target: who is asked.
        timeout_seconds: for what is left of the call.
        message: the request.
    """
    try:
        yield
    except grpc.RpcError as error:
        found = from_rpc_error(error, target, timeout_seconds)
        if isinstance(found, (TransportError, *UNWELCOME)) or _is_about(error, message):
            raise found from None
        raise DoubtfulError(found) from None
    except ValueError as error:
        if "closed channel" in str(error).lower() or "channel closed" in str(error).lower():
            raise closed(target) from None
        raise


def parsed(target: str, parse: Callable[[bytes], R], data: bytes) -> R:
    """Return a response, read by ``parse``; raise DataLossError if it is unreadable."""
    try:
        return parse(data)
    except (DecodeError, MalformedError):
        raise no_response(target) from None


def no_response(target: str) -> DataLossError:
    """Return the error for bytes that are not what was asked for."""
    return DataLossError(
        f"{target} sent bytes that are no response; check that it is a seedbed-server"
    )


def silent(target: str) -> UnavailableError:
    """Return the error for a server that said nothing while another one did the work."""
    return UnavailableError(f"{target} does not answer; check that seedbed-server runs there")


def not_ready(target: str, timeout_seconds: float) -> UnavailableError:
    """Return the error for a server that one has waited for in vain."""
    return UnavailableError(
        f"{target} is not ready after {timeout_seconds:.3g} s; check that seedbed-server runs there"
    )


@contextmanager
def understood(target: str) -> Iterator[None]:
    """Turn the errors of reading a senseless response into one of ours."""
    try:
        yield
    except (DecodeError, InvalidArgumentError, LookupError, ValueError) as error:
        kind = type(error).__name__
        message = (
            f"{target} sent a response that makes no sense ({kind}: {error}); "
            "check that it is a seedbed-server"
        )
        raise DataLossError(message) from None


def from_rpc_error(
    error: grpc.RpcError, target: str, timeout_seconds: float | None
) -> SeedbedError:
    """Return our error for a call that failed."""
    code: grpc.StatusCode = error.code()
    message = printable(error.details() or "")
    match code:
        case Code.INVALID_ARGUMENT | Code.OUT_OF_RANGE:
            return _invalid(error, message)
        case Code.RESOURCE_EXHAUSTED if "CLIENT: Received message larger than max" in message:
            return DataLossError(
                f"{target} sent a message larger than a seedbed-server's; check what runs there"
            )
        case Code.RESOURCE_EXHAUSTED if "larger than max" in message:
            return InvalidValueError(
                f"{target} takes no request as large as this one: {message}; ask for fewer tensors"
                " at a time, or for shorter names",
                reason=Reason.OVER_LIMIT,
                limit="max_request_message_bytes",
            )
        case Code.RESOURCE_EXHAUSTED:
            seconds = _retry_after_seconds(error)
            when = (
                f"try again in {seconds:g} s"
                if seconds is not None
                else "try again later, or ask for less"
            )
            return OverloadedError(
                f"{target} has no room: {message}; {when}",
                retry_after_seconds=seconds,
                reason=_reason(error),
            )
        case Code.UNAVAILABLE:
            hint = (
                "check that seedbed-server runs there and is ready "
                "(Client.wait_ready waits for that)"
            )
            return UnavailableError(
                f"{target} does not answer: {message}; {hint}{_about_proxy(error, target)}",
                retry_after_seconds=_retry_after_seconds(error),
            )
        case Code.UNKNOWN if any(words in message for words in ENDED_EARLY):
            return UnavailableError(
                f"{target} broke off the call: {message}; call again, there or on another server"
            )
        case Code.DEADLINE_EXCEEDED:
            allowed = f"{timeout_seconds:.3g} s" if timeout_seconds is not None else "its deadline"
            return DeadlineError(
                f"{target} did not finish within {allowed}; allow more with timeout_seconds"
            )
        case Code.CANCELLED if not any(words in message for words in CANCELLED_HERE):
            # A server that ends cancels what reaches it too late to be refused.
            return UnavailableError(
                f"{target} ended the call: {message}; call again, there or on another server"
            )
        case Code.CANCELLED:
            return cancelled(target)
        case Code.DATA_LOSS:
            return DataLossError(f"{target}: {message}; fetch it again")
        case Code.UNAUTHENTICATED | Code.PERMISSION_DENIED:
            return _unwelcome(error, target, message)
        case Code.UNIMPLEMENTED:
            return UnsupportedError(
                f"{target} cannot do that: {message}; a newer seedbed-server may"
            )
    request = _detail(error, error_details_pb2.RequestInfo())
    return _server_error(error, target, message, request.request_id if request else None)


def _about_proxy(error: grpc.RpcError, target: str) -> str:
    """Return that a proxy may be in the way, where it was no server that answered.

    gRPC then names the proxy's address, and not whose it is.
    """
    name = proxy_variable()
    if name is None or target.startswith("unix:") or _reason(error):
        return ""
    return f"; the way goes through the proxy in ${name}, unless $no_proxy names the host"


def _unwelcome(
    error: grpc.RpcError, target: str, message: str
) -> AuthenticationError | PermissionDeniedError:
    """Return the error for a caller whom the server does not know, or does not allow something."""
    reason = _reason(error)
    if error.code() is Code.UNAUTHENTICATED:
        hint = "check this client's token"
        return AuthenticationError(
            f"{target} does not know who calls: {message}; {hint}", reason=reason
        )
    return PermissionDeniedError(
        f"{target} does not allow that: {message}; ask its operator", reason=reason
    )


def _invalid(error: grpc.RpcError, message: str) -> InvalidValueError:
    """Return the error for a request that the server refuses for good, with all that is wrong."""
    bad = _detail(error, error_details_pb2.BadRequest())
    info = _detail(error, error_details_pb2.ErrorInfo())
    violations = [
        Violation(printable(each.field), printable(each.description))
        for each in (bad.field_violations if bad else ())
    ]
    return InvalidValueError(
        "\n".join((message, *(each.message for each in violations[1:]))),
        field=violations[0].field if violations else "",
        reason=info.reason if info else error.code().name,
        limit=info.metadata.get("limit", "") if info else "",
        violations=violations,
    )


def printable(text: str) -> str:
    """Return a server's words, cut to a sensible length and without what a terminal obeys."""
    shown = "".join(c if c.isprintable() else " " for c in text[:LONGEST_TEXT])
    return shown if len(text) <= LONGEST_TEXT else f"{shown}..."


def _is_about(error: grpc.RpcError, message: bytes) -> bool:
    """Return whether the server says that an error is about this very request."""
    info = _detail(error, error_details_pb2.ErrorInfo())
    return info is not None and info.metadata.get(REQUEST_HASH) == request_hash(message)


def _reason(error: grpc.RpcError) -> str:
    info = _detail(error, error_details_pb2.ErrorInfo())
    return str(info.reason) if info else ""


def _retry_after_seconds(error: grpc.RpcError) -> float | None:
    retry = _detail(error, error_details_pb2.RetryInfo())
    return max(retry.retry_delay.ToNanoseconds() / 1e9, 0.0) if retry else None


def _server_error(
    error: grpc.RpcError, target: str, message: str, request_id: str | None
) -> SeedbedError:
    hint = "tell its operator the request id" if request_id else "look at its log"
    return ServerError(
        f"{target} failed ({error.code().name}): {message}; {hint}", request_id=request_id
    )


def _detail(error: grpc.RpcError, wanted: T) -> T | None:
    try:
        # An RpcError of a call is the call.
        status: status_pb2.Status | None = rpc_status.from_call(error)  # type: ignore[arg-type]
    # Details that are none, or contradict the status: not from a seedbed-server.
    except (DecodeError, ValueError):
        return None
    for detail in status.details if status is not None else ():
        if detail.Unpack(wanted):
            return wanted
    return None
