"""The path of every call: its errors become statuses, and it is counted and logged."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import grpc
from google.protobuf.message import DecodeError, Message

from seedbed.spec.errors import DeviceError, InvalidValueError, SeedbedError
from seedbed.spec.info import Limits
from seedbed.spec.reasons import Reason
from seedbed_server.refusals import CallerError
from seedbed_server.security.identities import peer_of_identity
from seedbed_server.security.peers import UNIX_PEER, peer_of_connection
from seedbed_server.security.policy import NO_LIMITS
from seedbed_server.service.authentication import Authentication
from seedbed_server.service.metrics import Lane, Method, Metrics
from seedbed_server.service.open_calls import OpenCalls
from seedbed_server.service.request_ids import REQUEST_ID, request_id_of
from seedbed_server.service.statuses import CODE_NAMES, reason_of, status_of
from seedbed_server.service.tracing import Tracing
from seedbed_server.streams.events import (
    StreamEvent,
    TensorBytes,
    TensorFill,
    TensorSegment,
)

log = logging.getLogger(__name__)

# A status waits behind what the client has not read yet; after that time, the call is dropped.
LAST_WORDS_SECONDS = 60.0

# A call of a method that is not there is told so at once, or when its message is overdue.
FIRST_MESSAGE_SECONDS = 5.0

UNKNOWN = Method("unary", "unknown", "unknown")
"""All methods that are not there: a metric has few labels, whatever clients call."""

NO_REFUSAL: Mapping[str, str] = {}

Context = grpc.aio.ServicerContext[bytes, bytes]


class ServerCall:
    """One call while it is answered.

    Args:
        method: what was called.
        context: gRPC's side of it.
        metrics: where it is counted.
        tracing: makes its span; None is none.
    """

    def __init__(
        self, method: Method, context: Context, metrics: Metrics, tracing: Tracing | None
    ) -> None:
        self.method = method
        """What was called."""
        self._context = context
        self._metrics = metrics
        self._started = time.monotonic()
        self._messages = 0
        self._chunks = 0
        self._sampled_bytes = 0
        received = context.invocation_metadata() or ()
        self._end_span = tracing.begin(method, received) if tracing is not None else None
        self.request_id = request_id_of(received)
        """What client and operator call it; it goes back with the status."""
        self.trailing_metadata = ((REQUEST_ID, self.request_id),)
        context.set_trailing_metadata(self.trailing_metadata)
        self.peer = peer_of_connection(str(context.peer()))
        """Whose shares and turns it takes: an identity's, an IP address's, or ``unix:``."""
        self.is_on_this_host = self.peer == UNIX_PEER
        """Whether the client came by a Unix socket."""
        self.identity: str | None = None
        """Who calls; None where the server asks nobody, or does not know yet."""
        self.quotas = NO_LIMITS.quotas
        """How much who calls may have."""
        self.limits = Limits()
        """What the server refuses to go beyond for who calls."""
        self.sent_bytes = 0
        """How many bytes of tensors the client was given."""
        self.tensors = 0
        """How many tensors the request lists."""
        self.may_be_ended = False
        """Whether a client that ends the call has all it wanted."""

    def admit(self, authentication: Authentication) -> None:
        """Find out who calls, and what it may have.

        Raises:
            CallerError: if the server does not know it, or it may not call the method.
        """
        self.identity = authentication.identity(self._context)
        if self.identity is not None:
            self.peer = peer_of_identity(self.identity)
        name = self.method.name if self.method is not UNKNOWN else None
        rule = authentication.rule(self.identity, name)
        self.quotas, self.limits = rule.quotas, authentication.limits(rule)

    async def write(self, message: bytes) -> None:
        """Send a message; returns when gRPC has room for the next one."""
        if not self._messages and self.method.name == "SampleTensors":
            self._metrics.first_chunk(time.monotonic() - self._started)
        self._messages += 1
        try:
            await self._context.write(message)
        except grpc.aio.InternalError:
            # How gRPC says that the client is gone, where it says so before it cancels this task.
            raise asyncio.CancelledError from None

    def served(self, events: tuple[StreamEvent, ...]) -> None:
        """Count what a message brings of a tensor."""
        for event in events:
            match event:
                case TensorBytes(_, _, data, _):
                    self._count("stream", len(data))
                case TensorFill(_, _, size_bytes):
                    self._count("fill", size_bytes)
                case TensorSegment(_, _, _, size_bytes):
                    self._count("shared_memory", size_bytes)
                case _:
                    continue
            self._chunks += 1

    def served_whole(self, size_bytes: int) -> None:
        """Count a tensor that was sent in one message."""
        self._count("unary", size_bytes)

    def answered(self) -> None:
        """Count the one message of a unary call."""
        self._messages += 1

    def sampled(self, size_bytes: int) -> None:
        """Record bytes that were sampled for this call, and not for another one."""
        self._sampled_bytes += size_bytes

    def ended(self, code: str, refusal: Mapping[str, str] = NO_REFUSAL) -> None:
        """Count and log the end of the call.

        Args:
            code: its status code's name.
            refusal: why, where the client was told: the ``reason``, and a ``field`` of the request.
        """
        seconds = time.monotonic() - self._started
        self._metrics.call_ended(self.method, code, seconds, self._messages)
        fields: dict[str, str | int | float] = {"request_id": self.request_id}
        if self.identity is not None:
            fields["identity"] = self.identity
        fields |= {
            "method": self.method.name,
            "code": code,
            "seconds": round(seconds, 6),
            "bytes_sampled": self._sampled_bytes,
            "bytes_sent": self.sent_bytes,
            "tensors": self.tensors,
            "chunks": self._chunks,
        }
        fields |= refusal
        log.info("rpc", extra={"fields": fields})
        if self._end_span is not None:
            self._end_span(code, fields)

    def _count(self, lane: Lane, size_bytes: int) -> None:
        self.sent_bytes += size_bytes
        self._metrics.served(lane, size_bytes)


class CallGuard:
    """Makes gRPC handlers of functions that answer calls.

    Args:
        metrics: where calls are counted.
        authentication: knows who calls.
        on_device_failure: told when a call found the device broken.
        tracing: makes a span of each call; None is none.
    """

    def __init__(
        self,
        metrics: Metrics,
        authentication: Authentication,
        on_device_failure: Callable[[DeviceError], None],
        tracing: Tracing | None = None,
    ) -> None:
        self._metrics = metrics
        self._authentication = authentication
        self._on_device_failure = on_device_failure
        self._tracing = tracing
        metrics.begin_at_zero(UNKNOWN, CODE_NAMES)
        self.open_calls = OpenCalls()
        """Those under way."""

    def handler(
        self,
        method: Method,
        request_type: type[Message],
        answer: Callable[[Any, ServerCall], Awaitable[Any]],
    ) -> Callable[[bytes | None, Context], Awaitable[bytes]]:
        """Return what answers a call, given the bytes of its message, if it has one.

        The request is parsed here: for bytes that are no message, gRPC itself would answer INTERNAL
        and log a traceback.
        """
        self._metrics.begin_at_zero(method, CODE_NAMES)

        async def call(data: bytes | None, context: Context) -> bytes:
            call = ServerCall(method, context, self._metrics, self._tracing)
            self._metrics.call_started(method)
            self.open_calls.begin(call)
            try:
                call.admit(self._authentication)
                message: bytes | None = await answer(_parsed(request_type, data), call)
            except (asyncio.CancelledError, GeneratorExit):
                call.ended("OK" if call.may_be_ended else "CANCELLED")
                raise
            except BaseException as error:  # noqa: BLE001  # whatever it is, the client gets a status
                await self._fail(error, data or b"", call, context)
                raise AssertionError from None  # abort has raised
            finally:
                self.open_calls.end(call)
            if message is None:  # all were written
                call.ended("OK")
                return b""
            call.answered()
            call.ended("OK")
            return message

        return call

    def unwelcome(self, context: Context) -> CallerError | None:
        """Return the error for a caller who may not call anything; None for others."""
        try:
            identity = self._authentication.identity(context)
            self._authentication.rule(identity, None)
        except CallerError as error:
            return error
        return None

    async def refuse(
        self, error: SeedbedError, requests: AsyncIterator[bytes], context: Context
    ) -> None:
        """End a call of no method of ours with an error about its first message, if it has one.

        Who may not call anything is told only that.
        """
        call = ServerCall(UNKNOWN, context, self._metrics, self._tracing)
        self._metrics.call_started(UNKNOWN)
        self.open_calls.begin(call)
        try:
            try:
                call.admit(self._authentication)
            except CallerError as unwelcome:
                error = unwelcome
            await self._fail(error, await _first(requests), call, context)
        finally:
            self.open_calls.end(call)

    async def _fail(
        self, error: BaseException, request: bytes, call: ServerCall, context: Context
    ) -> None:
        """End a call with the status for an error that its request ran into."""
        if isinstance(error, DeviceError):
            self._on_device_failure(error)
        reason = reason_of(error)
        if reason is not Reason.INTERNAL:
            self._metrics.rejected(reason)
        status = status_of(error, request, call.request_id)
        call.ended(status.code.name, _refusal(error, reason))
        metadata = (*status.trailing_metadata, *call.trailing_metadata)
        try:
            async with asyncio.timeout(LAST_WORDS_SECONDS):
                await context.abort(status.code, status.details, metadata)
        except TimeoutError:
            raise asyncio.CancelledError from None


def streaming_handler(
    call: Callable[[bytes | None, Context], Awaitable[bytes]],
) -> "grpc.RpcMethodHandler[Any, Any]":
    """Return the handler of a method that answers one message with a stream.

    It reads the message itself: gRPC for Python never ends a call of a method with one message
    whose client sends none.
    """

    async def answer(_: AsyncIterator[bytes], context: Context) -> None:
        data: Any = await context.read()
        await call(None if data is grpc.aio.EOF else data, context)

    return grpc.stream_stream_rpc_method_handler(answer)


async def _first(requests: AsyncIterator[bytes]) -> bytes:
    """Return a call's first message; nothing where there is none, or it does not come."""
    try:
        async with asyncio.timeout(FIRST_MESSAGE_SECONDS):
            return await anext(requests, b"")
    except TimeoutError:
        return b""


def _refusal(error: BaseException, reason: Reason) -> dict[str, str]:
    """Return what the log says of an error: never its message, which may quote the request."""
    field = error.field if isinstance(error, InvalidValueError) else ""
    return {"reason": reason, "field": field} if field else {"reason": reason}


def _parsed(request_type: type[Message], data: bytes | None) -> Message:
    if data is None:
        raise InvalidValueError("the call has no message", reason=Reason.INVALID_MESSAGE)
    try:
        return request_type.FromString(data)
    except DecodeError:
        name = request_type.DESCRIPTOR.full_name
        message = f"the request's bytes are no {name} message"
        raise InvalidValueError(message, reason=Reason.INVALID_MESSAGE) from None
