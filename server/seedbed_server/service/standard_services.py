"""gRPC's own services, such as health: bytes that are no message are refused, as for ours.

gRPC itself would answer UNKNOWN and write a traceback to the log.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from grpc_health.v1 import health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2_grpc

from seedbed.spec.errors import InvalidValueError
from seedbed_server.service.statuses import status_of


def add_standard_services(
    server: grpc.aio.Server, health: health_pb2_grpc.HealthServicer, reflected: Sequence[str]
) -> None:
    """Add health to a server, and reflection of the named services, if there are any."""
    # Generated code has no annotations, or those of real servers.
    checking: Any = _CheckingServer(server)
    health_pb2_grpc.add_HealthServicer_to_server(health, checking)
    if reflected:
        add_reflection: Any = reflection_pb2_grpc.add_ServerReflectionServicer_to_server
        add_reflection(reflection.aio.ReflectionServicer(reflected), checking)


class _CheckingServer:
    """Stands in for a server to which generated code adds a service.

    Args:
        server: the real one.
    """

    def __init__(self, server: grpc.aio.Server) -> None:
        self._server = server

    def add_generic_rpc_handlers(self, handlers: Sequence[grpc.GenericRpcHandler]) -> None:
        """Do nothing: they are the registered ones again."""

    def add_registered_method_handlers(
        self, service: str, handlers: "Mapping[str, grpc.RpcMethodHandler[Any, Any]]"
    ) -> None:
        """Add a service's handlers, each behind a check of its requests."""
        checked = {name: _checked(handler) for name, handler in handlers.items()}
        self._server.add_registered_method_handlers(service, checked)


def _checked(handler: Any) -> "grpc.RpcMethodHandler[Any, Any]":
    """Return a handler that parses its requests where an error can be answered."""
    parse = handler.request_deserializer

    async def parsed(data: bytes, context: Any) -> Any:
        try:
            return parse(data)
        except DecodeError:
            status = status_of(InvalidValueError("the request is no message of this method"), data)
            await context.abort(status.code, status.details, status.trailing_metadata)

    async def answer(data: bytes, context: Any) -> Any:
        return await handler.unary_unary(await parsed(data, context), context)

    async def answer_stream(data: bytes, context: Any) -> None:
        await handler.unary_stream(await parsed(data, context), context)

    async def answer_streams(requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[Any]:
        async def messages() -> AsyncIterator[Any]:
            async for data in requests:
                yield await parsed(data, context)

        async for response in handler.stream_stream(messages(), context):
            yield response

    serialize = handler.response_serializer
    if handler.request_streaming:
        return grpc.stream_stream_rpc_method_handler(answer_streams, None, serialize)
    if handler.response_streaming:
        return grpc.unary_stream_rpc_method_handler(answer_stream, None, serialize)
    return grpc.unary_unary_rpc_method_handler(answer, None, serialize)
