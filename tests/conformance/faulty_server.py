"""A gRPC server between the client and the real one, which damages what it passes on.

Unlike a flipped bit on the wire, its damage is well framed: only a client that verifies sees it.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
from google.protobuf import duration_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from seedbed.v1 import service_pb2, streams_pb2, tensors_pb2
from seedbed.wire.checksums import with_checksum
from seedbed.wire.request_hash import REQUEST_HASH, request_hash
from tests.conformance.case import Document
from tests.raw_calls import SERVICE

THREADS = 8


def _flip(data: bytes, at: int) -> bytes:
    """Return the bytes with one bit changed."""
    changed = bytearray(data)
    changed[at] ^= 0x10
    return bytes(changed)


class FaultyServer:
    """Passes calls on to a real server; to the first ones it does what its fault says.

    Args:
        address: the real server's.
        fault: as a case has it; its ``calls`` are how many it strikes, absence is all.
    """

    def __init__(self, address: str, fault: Document) -> None:
        self._channel = grpc.insecure_channel(address)
        self._fault = fault
        self._lock = threading.Lock()
        self._calls_left: float = fault.get("calls", float("inf"))
        self.data_bytes = 0
        """Bytes of tensors that it passed on, damaged or not."""
        self.has_struck = False
        """Whether the fault came to pass."""

    def close(self) -> None:
        """Close its connection to the real server."""
        self._channel.close()

    def respond(
        self, method: str, request: bytes, context: grpc.ServicerContext
    ) -> Iterator[bytes]:
        """Yield the messages of one call's answer."""
        kind = "nothing"
        if method.startswith(f"/{SERVICE}/") and self._strikes():
            kind = self._fault["kind"]
        # These wait for something in the stream that may not come.
        waits = kind == "break" or (kind == "flip" and method.endswith("/SampleTensors"))
        self.has_struck |= kind != "nothing" and not waits
        if kind == "refuse":
            _abort(context, self._fault, request)
        if kind == "request":
            request = _other_request(method, request, self._fault["what"])
        ask: Any = self._channel.unary_stream(method)
        call = ask(request)
        context.add_callback(call.cancel)
        try:
            yield from self._passed(self._damaged(kind, method, request, call, context), method)
        except grpc.RpcError as error:
            context.set_trailing_metadata(tuple(error.trailing_metadata()))  # type: ignore[arg-type]
            context.abort(error.code(), error.details() or "")

    def _strikes(self) -> bool:
        with self._lock:
            self._calls_left -= 1
            return self._calls_left >= 0

    def _flip_part(self, messages: Iterator[bytes], what: str, skip: int) -> Iterator[bytes]:
        """Yield the messages; one part that has what is to be damaged, after others, is."""
        for data in messages:
            message = service_pb2.SampleTensorsResponse.FromString(data)
            for part in message.parts:
                if _has(part, what):
                    if skip == 0:
                        _damage(part, what)
                        self.has_struck = True
                    skip -= 1
            yield message.SerializeToString()

    def _broken(
        self, messages: Iterator[bytes], after_messages: int, context: grpc.ServicerContext
    ) -> Iterator[bytes]:
        for count, message in enumerate(messages, 1):
            yield message
            if count == after_messages:
                self.has_struck = True
                context.abort(grpc.StatusCode.UNAVAILABLE, "this server has gone")

    def _passed(self, messages: Iterator[bytes], method: str) -> Iterator[bytes]:
        for message in messages:
            if method.endswith("/SampleTensors"):
                parts = service_pb2.SampleTensorsResponse.FromString(message).parts
                with self._lock:
                    self.data_bytes += sum(len(part.chunk.data) for part in parts)
            yield message

    def _damaged(
        self,
        kind: str,
        method: str,
        request: bytes,
        messages: Iterator[bytes],
        context: grpc.ServicerContext,
    ) -> Iterator[bytes]:
        match kind:
            case "flip" if method.endswith("/SampleTensors"):
                return self._flip_part(messages, self._fault["what"], self._fault.get("skip", 0))
            case "flip" if method.endswith("/SampleSmallTensor"):
                return (_flip_small(message, self._fault["what"]) for message in messages)
            case "flip":
                return (_flip_message(method, each, self._fault["what"]) for each in messages)
            case "missing":
                return _without_last_tensor(request, messages)
            case "heartbeats" if method.endswith("/SampleTensors"):
                return _with_heartbeats(messages)
            case "heartbeats":
                return _with_empty_messages(messages)
            case "repeat":
                return _with_first_chunk_twice(messages)
            case "break":
                return self._broken(messages, self._fault["after_messages"], context)
        return messages


def _other_request(method: str, request: bytes, what: str) -> bytes:
    """Return a request whose first tensor has another draw or another name."""
    message = _request_message(method).FromString(request)
    tensor = message.tensor if hasattr(message, "tensor") else message.tensors[0]
    if what == "draw":
        tensor.spec.draw ^= 1
    else:
        tensor.spec.name += "!"
    data: bytes = message.SerializeToString()
    return data


def _request_message(method: str) -> Any:
    return getattr(service_pb2, method.rpartition("/")[2] + "Request")


def _response_message(method: str) -> Any:
    return getattr(service_pb2, method.rpartition("/")[2] + "Response")


def _has(part: streams_pb2.TensorPart, what: str) -> bool:
    match what:
        case "data" | "running_digest" | "byte_offset":
            return bool(part.chunk.data)
        case "fill":
            return part.HasField("fill")
        case "digest":
            return part.HasField("digest")
    return part.HasField("header")


def _damage(part: streams_pb2.TensorPart, what: str) -> None:
    match what:
        case "data":
            part.chunk.data = _flip(part.chunk.data, len(part.chunk.data) // 2)
        case "running_digest":
            part.chunk.digest = _flip(part.chunk.digest, 3)
        case "byte_offset":
            part.chunk.byte_offset ^= 16
        case "fill":
            part.fill = _flip(part.fill, 0)
        case "digest":
            part.digest.value = _flip(part.digest.value, 3)
        case "header":
            part.header.request.spec.draw ^= 1
        case _:
            raise ValueError(f"nothing that a part has: {what}")


def _flip_small(data: bytes, what: str) -> bytes:
    message = service_pb2.SampleSmallTensorResponse.FromString(data)
    match what:
        case "data":
            message.data = _flip(message.data, len(message.data) // 2)
        case "digest":
            message.digest.value = _flip(message.digest.value, 3)
        case "header":
            message.header.request.spec.draw ^= 1
        case _:
            raise ValueError(f"nothing that a small tensor's answer has: {what}")
    return message.SerializeToString()


def _flip_message(method: str, data: bytes, what: str) -> bytes:
    """Return an answer with a checksum damaged: in what it says, or in its checksum."""
    if what == "checksum":  # the last eight bytes
        return _flip(data, len(data) - 1)
    message = _response_message(method).FromString(data)
    match method.rpartition("/")[2]:
        case "GetServerInfo":
            message.version += "1"
        case "ListInitializers":
            message.initializers[0].field += "s"
        case "DescribeTensors":
            message.tensors[0].size_bytes ^= 16
        case "DigestTensors" if message.tensors:
            message.tensors[0].digest.value = _flip(message.tensors[0].digest.value, 3)
    damaged: bytes = message.SerializeToString()
    return damaged


def _without_last_tensor(request: bytes, messages: Iterator[bytes]) -> Iterator[bytes]:
    last = len(service_pb2.SampleTensorsRequest.FromString(request).tensors) - 1
    for data in messages:
        parts = service_pb2.SampleTensorsResponse.FromString(data).parts
        kept = [part for part in parts if part.tensor_index != last]
        yield service_pb2.SampleTensorsResponse(parts=kept).SerializeToString()


def _with_heartbeats(messages: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the messages of a server that computes for long before each of a tensor's parts."""
    for data in messages:
        for part in service_pb2.SampleTensorsResponse.FromString(data).parts:
            if part.WhichOneof("content") is not None:
                chunk = streams_pb2.Chunk(byte_offset=part.chunk.byte_offset)
                alive = streams_pb2.TensorPart(tensor_index=part.tensor_index, chunk=chunk)
                header = part.header if part.HasField("header") else None
                first = streams_pb2.TensorPart(
                    tensor_index=part.tensor_index, header=header, chunk=chunk
                )
                yield service_pb2.SampleTensorsResponse(parts=[first]).SerializeToString()
                yield service_pb2.SampleTensorsResponse(parts=[alive]).SerializeToString()
                part.ClearField("header")
            yield service_pb2.SampleTensorsResponse(parts=[part]).SerializeToString()


def _with_empty_messages(messages: Iterator[bytes]) -> Iterator[bytes]:
    """Yield digests with a heartbeat before each message."""
    for data in messages:
        alive = service_pb2.DigestTensorsResponse(numerics=tensors_pb2.NUMERICS_SEEDBED_1)
        yield with_checksum(alive.SerializeToString())
        yield data


def _with_first_chunk_twice(messages: Iterator[bytes]) -> Iterator[bytes]:
    is_due = True
    for data in messages:
        yield data
        parts = service_pb2.SampleTensorsResponse.FromString(data).parts
        chunks = [part for part in parts if part.chunk.data]
        if is_due and chunks:
            is_due = False
            again = streams_pb2.TensorPart(
                tensor_index=chunks[0].tensor_index, chunk=chunks[0].chunk
            )
            yield service_pb2.SampleTensorsResponse(parts=[again]).SerializeToString()


def _abort(context: grpc.ServicerContext, fault: Document, request: bytes) -> None:
    """Refuse a request as the fault says: it, or another one."""
    meant = request + b"\0" if fault.get("is_of_another_request") else request
    info = error_details_pb2.ErrorInfo(
        domain="seedbed", reason=fault["reason"], metadata={REQUEST_HASH: request_hash(meant)}
    )
    status = status_pb2.Status(code=code_pb2.Code.Value(fault["code"]), message="not now")
    status.details.add().Pack(info)
    if "field" in fault:
        wrong = error_details_pb2.BadRequest.FieldViolation(
            field=fault["field"], description="not as it should be"
        )
        status.details.add().Pack(error_details_pb2.BadRequest(field_violations=[wrong]))
    if "retry_seconds" in fault:
        delay = duration_pb2.Duration()
        delay.FromNanoseconds(int(fault["retry_seconds"] * 1e9))
        status.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=delay))
    context.abort_with_status(rpc_status.to_status(status))


class _Handlers(grpc.GenericRpcHandler):
    """Any method of any service: on the wire a unary answer is a stream of one message."""

    def __init__(self, respond: Callable[..., Iterator[bytes]]) -> None:
        self._respond = respond

    def service(self, details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes]":
        return grpc.unary_stream_rpc_method_handler(
            lambda request, context: self._respond(details.method, request, context)
        )


@contextmanager
def faulty_server(address: str, fault: Document) -> Iterator[tuple[str, FaultyServer]]:
    """Yield the address of a faulty server in front of a real one, and what it has seen."""
    between = FaultyServer(address, fault)
    server = grpc.server(ThreadPoolExecutor(THREADS), [_Handlers(between.respond)])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}", between
    finally:
        server.stop(None).wait()
        between.close()
