"""The path of every call: it is counted, let in and parsed, and its errors become statuses."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
from google.protobuf.message import DecodeError, Message

from seedbed.spec.errors import DeviceError, InvalidValueError, SeedbedError
from seedbed.spec.info import Limits
from seedbed.spec.reasons import Reason
from seedbed_server.refusals import CallerError
from seedbed_server.service.authentication import Authentication
from seedbed_server.service.calls import UNKNOWN, Context, ServerCall
from seedbed_server.service.metrics import Method, Metrics
from seedbed_server.service.open_calls import OpenCalls
from seedbed_server.service.statuses import CODE_NAMES, reason_of, status_of
from seedbed_server.service.tracing import Tracing
from seedbed_server.service.validation import check_fields

# A status waits behind what the client has not read yet; after that time, the call is dropped.
LAST_WORDS_SECONDS = 60.0

# A call of a method that is not there is told so at once, or when its message is overdue.
FIRST_MESSAGE_SECONDS = 5.0


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
                message: bytes | None = await answer(_parsed(request_type, data, call.limits), call)
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
        # Its frames hold the request, many times as large as its bytes, and the client may take
        # its time.
        error.__traceback__ = error.__context__ = None
        try:
            async with asyncio.timeout(LAST_WORDS_SECONDS):
                await context.abort(status.code, status.details, metadata)
        except TimeoutError:
            raise asyncio.CancelledError from None


def method_handler(
    call: Callable[[bytes | None, Context], Awaitable[bytes]], *, streams: bool
) -> "grpc.RpcMethodHandler[Any, Any]":
    """Return the handler of a method that answers one message with one, or with a stream.

    It reads the message itself: gRPC for Python never ends a call of a method with one message
    whose client sends none.
    """

    async def answer(_: AsyncIterator[bytes], context: Context) -> bytes:
        data: Any = await context.read()
        return await call(None if data is grpc.aio.EOF else data, context)

    async def answer_stream(requests: AsyncIterator[bytes], context: Context) -> None:
        await answer(requests, context)

    if streams:
        return grpc.stream_stream_rpc_method_handler(answer_stream)
    return grpc.stream_unary_rpc_method_handler(answer)


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


def _parsed(request_type: type[Message], data: bytes | None, limits: Limits) -> Message:
    if data is None:
        raise InvalidValueError("the call has no message", reason=Reason.INVALID_MESSAGE)
    check_fields(data, limits)
    try:
        return request_type.FromString(data)
    except DecodeError:
        name = request_type.DESCRIPTOR.full_name
        message = f"the request's bytes are no {name} message"
        raise InvalidValueError(message, reason=Reason.INVALID_MESSAGE) from None
