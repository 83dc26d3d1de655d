"""Servers that lie: a gRPC server with chosen answers, and a proxy that damages bytes."""

import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

import grpc

from seedbed.spec.digests import Digest, Digester
from seedbed.spec.tensors import TensorRequest, TensorSpec
from seedbed.v1 import service_pb2, streams_pb2, tensors_pb2
from seedbed.wire.checksums import with_checksum
from seedbed.wire.protos import digest_to_proto, header_to_proto, tensor_request_to_proto
from tests.raw_calls import SERVICE

Message = service_pb2.SampleTensorsResponse
Part = streams_pb2.TensorPart
BLOCK_BYTES = 65_536


def honest_parts(
    content: bytes, spec: TensorSpec, *, index: int = 0, pieces: int = 3
) -> list[Part]:
    """Return what a server sends for a tensor, as if that were its content."""
    size = -(-len(content) // 4 // pieces) * 4
    found = []
    digester = Digester()
    for begin in range(0, len(content), size):
        data = content[begin : begin + size]
        digester.update(data)
        chunk = streams_pb2.Chunk(byte_offset=begin, digest=digester.digest().value, data=data)
        found.append(Part(tensor_index=index, chunk=chunk))
    found[0].header.CopyFrom(header_to_proto(TensorRequest(spec)))
    found[-1].digest.CopyFrom(digest_to_proto(digester.digest()))
    return found


def digest_message(
    index: int, spec: TensorSpec, digest: tensors_pb2.Digest
) -> service_pb2.DigestTensorsResponse:
    """Return what a server says of a tensor's digest, as if that were right."""
    message = service_pb2.DigestTensorsResponse(numerics=tensors_pb2.NUMERICS_SEEDBED_1)
    message.tensors.add(
        tensor_index=index,
        digest=digest,
        request=tensor_request_to_proto(TensorRequest(spec)),
    )
    return message


def serialized(parts: Iterable[Part]) -> Iterator[bytes]:
    """Yield a message for each part."""
    for part in parts:
        yield Message(parts=[part]).SerializeToString()


def digests_after_a_second(*batches: Sequence[TensorSpec]) -> Callable[[], Iterable[bytes]]:
    """Return what answers one DigestTensors call after the other, a second after it came."""
    left = iter(batches)

    def answer() -> Iterable[bytes]:
        threading.Event().wait(1.0)
        for index, spec in enumerate(next(left)):
            size_bytes = TensorRequest(spec).size_bytes
            digest = digest_to_proto(Digest("xxh3_128", bytes(16), size_bytes))
            yield with_checksum(digest_message(index, spec, digest).SerializeToString())

    return answer


@contextmanager
def meddling_server(address: str, change: Callable[[bytes], bytes]) -> Iterator[str]:
    """Yield the address of a server that asks another one, and changes what it is asked.

    Args:
        address: the other one's.
        change: returns the request that is passed on.
    """

    class Handlers(grpc.GenericRpcHandler):  # type: ignore[misc]
        def service(
            self, details: grpc.HandlerCallDetails
        ) -> "grpc.RpcMethodHandler[bytes, bytes]":
            ask: Any = channel.unary_stream(details.method)

            def respond(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
                call = ask(change(request))
                context.add_callback(call.cancel)
                try:
                    yield from call
                except grpc.RpcError as error:
                    context.set_trailing_metadata(error.trailing_metadata())
                    context.abort(error.code(), error.details())

            return grpc.unary_stream_rpc_method_handler(respond)

    server = grpc.server(ThreadPoolExecutor(4), [Handlers()])
    port = server.add_insecure_port("127.0.0.1:0")
    with grpc.insecure_channel(address) as channel:
        server.start()
        try:
            yield f"127.0.0.1:{port}"
        finally:
            server.stop(None).wait()


@contextmanager
def lying_server(
    answers: dict[str, Callable[[], Iterable[bytes]]], seconds_left: list[float] | None = None
) -> Iterator[str]:
    """Yield the address of a server that answers each of these methods with these messages.

    Args:
        answers: the messages, by the method's name.
        seconds_left: a list that gets the seconds that each call has left when it arrives.
    """

    def handler(answer: Callable[[], Iterable[bytes]]) -> "grpc.RpcMethodHandler[bytes, bytes]":
        def respond(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
            if seconds_left is not None:
                seconds_left.append(context.time_remaining())
            return iter(answer())

        return grpc.unary_stream_rpc_method_handler(respond)

    handlers = {method: handler(answer) for method, answer in answers.items()}
    server = grpc.server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()


@contextmanager
def damaging_proxy(address: str, change: Callable[[int, bytearray], None]) -> Iterator[str]:
    """Yield the address of a proxy that damages the server's answers.

    Args:
        address: the server's.
        change: gets the number of bytes passed before, and the next block, to damage in place.
    """
    host, _, port = address.rpartition(":")
    sockets: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def pump(
        source: socket.socket, sink: socket.socket, change: Callable[[int, bytearray], None] | None
    ) -> None:
        passed = 0
        try:
            while block := bytearray(source.recv(BLOCK_BYTES)):
                if change is not None:
                    change(passed, block)
                passed += len(block)
                sink.sendall(block)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # one of both ends is gone, and so is the connection

    def accept(listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            far = socket.create_connection((host, int(port)))
            sockets.extend((near, far))
            for source, sink, changing in ((near, far, None), (far, near, change)):
                threads.append(threading.Thread(target=pump, args=(source, sink, changing)))
                threads[-1].start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        accepting = threading.Thread(target=accept, args=(listener,))
        accepting.start()
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join()
            for each in sockets:
                with suppress(OSError):  # the peer was quicker
                    each.shutdown(socket.SHUT_RDWR)
            for thread in threads:
                thread.join()
            for each in sockets:
                each.close()
