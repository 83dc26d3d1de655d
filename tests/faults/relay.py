"""A server that passes calls on to a real one, and may do anything to them on the way."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc

Handle = Callable[[str, bytes, grpc.ServicerContext, "Ask"], Iterable[bytes]]
"""Answers a call: its method's full name, the request, its context, and how to ask on."""

Ask = Callable[[bytes], Iterator[bytes]]
"""Returns the real server's answers to a request of the same method."""


def pass_on(
    method: str, request: bytes, context: grpc.ServicerContext, ask: Ask
) -> Iterable[bytes]:
    """Answer what the real server does."""
    return ask(request)


class _Relay(grpc.GenericRpcHandler):
    """Handles every method as a stream of bytes, which a unary call is as well."""

    def __init__(self, channel: grpc.Channel, handle: Handle) -> None:
        self._channel = channel
        self._handle = handle

    def service(self, details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Any, Any]":
        method = str(details.method)

        def respond(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
            def ask(changed: bytes) -> Iterator[bytes]:
                start: Any = self._channel.unary_stream(method)
                call = start(changed)
                context.add_callback(call.cancel)
                return iter(call)

            try:
                yield from self._handle(method, request, context, ask)
            except grpc.RpcError as error:
                failed: Any = error
                context.set_trailing_metadata(failed.trailing_metadata() or ())
                context.abort(failed.code(), failed.details() or "")

        return grpc.unary_stream_rpc_method_handler(respond)


@contextmanager
def relay(
    server: str,
    handle: Handle,
    *,
    options: Iterable[tuple[str, Any]] = (),
    credentials: grpc.ServerCredentials | None = None,
) -> Iterator[str]:
    """Yield the address of a server that hands its calls to a function.

    Args:
        server: the real one's address.
        handle: answers each call.
        options: gRPC server arguments.
        credentials: for TLS with clients.
    """
    with grpc.insecure_channel(server) as channel:
        passing = grpc.server(ThreadPoolExecutor(16), options=list(options))
        passing.add_generic_rpc_handlers((_Relay(channel, handle),))
        port = (
            passing.add_insecure_port("127.0.0.1:0")
            if credentials is None
            else passing.add_secure_port("127.0.0.1:0", credentials)
        )
        passing.start()
        try:
            yield f"127.0.0.1:{port}"
        finally:
            passing.stop(None).wait()
