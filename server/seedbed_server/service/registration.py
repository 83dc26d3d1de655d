"""How the methods of services get to gRPC: ours, and those that its own packages bring."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from grpc_health.v1 import health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2_grpc

from seedbed.spec.errors import InvalidValueError
from seedbed.spec.reasons import Reason
from seedbed_server.refusals import UnknownMethodError
from seedbed_server.service.call_guard import CallGuard
from seedbed_server.service.calls import Context
from seedbed_server.service.request_ids import request_id_of
from seedbed_server.service.statuses import status_of

Methods = Mapping[str, "grpc.RpcMethodHandler[Any, Any]"]


def add_service(server: grpc.aio.Server, service: str, methods: Methods) -> None:
    """Add the methods of a service to a server that was not started."""
    # Python accepts one call at a time of each registered method, and one of all the others: many
    # calls of one method keep none of another waiting. Older releases of grpcio take no note of
    # registered methods, and need generic handlers.
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, dict(methods)),))
    server.add_registered_method_handlers(service, dict(methods))


def add_standard_services(
    server: grpc.aio.Server,
    health: health_pb2_grpc.HealthServicer,
    reflected: Sequence[str],
    guard: CallGuard,
) -> None:
    """Add health to a server, and reflection of the named services, if there are any.

    Health is open to all, reflection to whoever may call something. Bytes that are no message are
    refused as for our own methods: gRPC itself would answer UNKNOWN and write a traceback to the
    log.
    """
    # Generated code has no annotations, or those of real servers.
    checking: Any = _CheckingServer(server)
    health_pb2_grpc.add_HealthServicer_to_server(health, checking)
    if reflected:
        add_reflection: Any = reflection_pb2_grpc.add_ServerReflectionServicer_to_server
        guarding: Any = _CheckingServer(server, guard)
        add_reflection(reflection.aio.ReflectionServicer(reflected), guarding)


class UnknownMethods(grpc.GenericRpcHandler):
    """Refuses the calls of all methods that no service has, of whatever kind.

    To be added last: gRPC asks handlers in turn.

    Args:
        guard: what shapes, counts and logs the refusals.
    """

    def __init__(self, guard: CallGuard) -> None:
        self._guard = guard

    def service(self, details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Any, Any]":
        """Return what refuses a call of a method."""
        error = UnknownMethodError(details.method)

        async def refuse(requests: AsyncIterator[bytes], context: Context) -> None:
            await self._guard.refuse(error, requests, context)

        # Streams of messages are how calls of all kinds can be read.
        return grpc.stream_stream_rpc_method_handler(refuse)


class _CheckingServer:
    """Stands in for a server to which generated code adds a service.

    Args:
        server: the real one.
        guard: refuses those who may not call anything; None admits everybody.
    """

    def __init__(self, server: grpc.aio.Server, guard: CallGuard | None = None) -> None:
        self._server = server
        self._guard = guard

    def add_generic_rpc_handlers(self, handlers: Sequence[grpc.GenericRpcHandler]) -> None:
        """Do nothing: generated code gives the same methods twice."""

    def add_registered_method_handlers(self, service: str, methods: Methods) -> None:
        """Add a service's methods, each behind a check of its requests."""
        checked = {name: _checked(handler, self._guard) for name, handler in methods.items()}
        add_service(self._server, service, checked)


def _checked(handler: Any, guard: CallGuard | None) -> "grpc.RpcMethodHandler[Any, Any]":
    """Return a handler that parses its requests where an error can be answered."""
    parse = handler.request_deserializer

    async def parsed(data: bytes, context: Any) -> Any:
        try:
            return parse(data)
        except DecodeError:
            await refuse("the request's bytes are no message of this method", data, context)

    async def refuse(message: str, data: bytes, context: Any) -> None:
        error = InvalidValueError(message, reason=Reason.INVALID_MESSAGE)
        status = status_of(error, data, request_id_of(context.invocation_metadata()))
        await context.abort(status.code, status.details, status.trailing_metadata)

    async def only(context: Any) -> Any:
        """Return a call's one message, which gRPC itself would wait for where there is none."""
        data = await context.read()
        if data is grpc.aio.EOF:
            await refuse("the call has no message", b"", context)
        return await parsed(data, context)

    async def answer(_: AsyncIterator[bytes], context: Any) -> Any:
        return await handler.unary_unary(await only(context), context)

    async def answer_stream(_: AsyncIterator[bytes], context: Any) -> None:
        await handler.unary_stream(await only(context), context)

    async def answer_streams(requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[Any]:
        # Of reflection: the only method with streams both ways, and the only service with a guard.
        if guard is not None and (unwelcome := guard.unwelcome(context)) is not None:
            await guard.refuse(unwelcome, requests, context)

        async def messages() -> AsyncIterator[Any]:
            async for data in requests:
                yield await parsed(data, context)

        async for response in handler.stream_stream(messages(), context):
            yield response

    serialize = handler.response_serializer
    if handler.request_streaming:
        return grpc.stream_stream_rpc_method_handler(answer_streams, None, serialize)
    if handler.response_streaming:
        return grpc.stream_stream_rpc_method_handler(answer_stream, None, serialize)
    return grpc.stream_unary_rpc_method_handler(answer, None, serialize)
