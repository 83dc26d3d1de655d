"""The six RPCs: reads a request, asks the core, writes the responses."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Self, TypeVar

import grpc
from google.protobuf.message import DecodeError, Message

from seedbed.spec.digests import DIGEST_ALGORITHMS, Digest, digest_bytes
from seedbed.spec.dtypes import Dtype
from seedbed.spec.errors import DeviceError, InvalidValueError
from seedbed.spec.info import NUMERICS, Limits, ServerInfo
from seedbed.v1 import service_pb2
from seedbed.wire import protos
from seedbed_server.backends.base import CancelledError
from seedbed_server.refusals import NotServingError, OverloadedError
from seedbed_server.sampling.descriptions import catalogue, describe
from seedbed_server.sampling.sampler import SamplePlan, plan
from seedbed_server.service.digest_cache import DigestCache
from seedbed_server.service.metrics import Method, Metrics
from seedbed_server.service.statuses import status_of
from seedbed_server.service.validation import (
    ResumePoint,
    check_chunk_bytes,
    check_one_message,
    check_resume,
    check_sizes,
    check_tensor_count,
)
from seedbed_server.streams.messages import SEGMENT_LINGER_SECONDS, Messages
from seedbed_server.streams.sampling_threads import SamplingPools
from seedbed_server.streams.segment_folder import SegmentFolder
from seedbed_server.streams.stream import Piece, TensorStream
from seedbed_server.streams.whole_tensor import sample_whole

log = logging.getLogger(__name__)

SERVICE = service_pb2.DESCRIPTOR.services_by_name["SeedbedService"]
# What a client is told to wait when the server is starting, stopping or full.
STARTING_RETRY_SECONDS = 1.0
STOPPING_RETRY_SECONDS = 5.0
FULL_RETRY_SECONDS = 1.0

Request = TypeVar("Request", bound=Message)


class Malformed:
    """Stands for a request whose bytes are not a message."""


class Servicer:
    """What the server answers. Until :meth:`serve` it refuses all but the description of its initializers."""

    def __init__(
        self,
        limits: Limits,
        *,
        version: str,
        default_chunk_bytes: int,
        metrics: Metrics,
        on_device_failure: Callable[[DeviceError], None],
        segments: SegmentFolder | None = None,
    ) -> None:
        self._segments = segments
        self._digests = DigestCache()
        self._limits = limits
        self._metrics = metrics
        self._on_device_failure = on_device_failure
        self._version = version
        self._default_chunk_bytes = min(default_chunk_bytes, limits.max_chunk_bytes)
        self._streams = threading.BoundedSemaphore(limits.max_concurrent_streams)
        self._pools: SamplingPools | None = None
        self._is_draining = False

    def serve(self, pools: SamplingPools) -> None:
        """Begin to answer, with these threads."""
        self._pools = pools

    def drain(self) -> None:
        """Refuse new requests; streams that are under way go on."""
        self._is_draining = True

    def wait_idle(self, timeout_seconds: float) -> None:
        """Return when all streams have ended, or the time is over; none can start afterwards."""
        deadline = time.monotonic() + timeout_seconds
        for _ in range(self._limits.max_concurrent_streams):
            # In short steps: a second signal that comes just before a wait is handled only when the
            # wait ends.
            while not self._streams.acquire(
                timeout=min(0.5, max(0.0, deadline - time.monotonic()))
            ):
                if time.monotonic() >= deadline:
                    return

    def handlers(self) -> grpc.GenericRpcHandler:
        """Return the handlers to be registered with a gRPC server."""
        unary: dict[str, Callable[[Any, _ServedCall], Message]] = {
            "GetServerInfo": self._get_server_info,
            "ListInitializers": self._list_initializers,
            "DescribeTensors": self._describe_tensors,
            "SampleTensor": self._sample_tensor,
        }
        streams: dict[str, tuple[Callable[..., Iterator[Any]], Callable[[Any], bytes]]] = {
            "DigestTensors": (self._digest_tensors, _serialize),
            "SampleTensors": (self._sample_tensors, bytes),
        }
        methods: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}
        for name, answer in unary.items():
            methods[name] = grpc.unary_unary_rpc_method_handler(
                self._guarded_unary(name, answer),
                request_deserializer=_parser(name),
                response_serializer=_serialize,
            )
        for name, (stream, serialize) in streams.items():
            methods[name] = grpc.unary_stream_rpc_method_handler(
                self._guarded_stream(name, stream),
                request_deserializer=_parser(name),
                response_serializer=serialize,
            )
        return grpc.method_handlers_generic_handler(SERVICE.full_name, methods)

    # The RPCs.

    def _get_server_info(
        self, request: service_pb2.GetServerInfoRequest, call: "_ServedCall"
    ) -> Message:
        del request, call
        backend = self._ready_pools().backend
        info = ServerInfo(
            version=self._version,
            numerics=(NUMERICS,),
            dtypes=tuple(Dtype),
            digest_algorithms=DIGEST_ALGORITHMS,
            backend=backend.name,
            device=backend.device,
            threads=backend.threads,
            limits=self._limits,
        )
        return protos.server_info_to_proto(info)

    def _list_initializers(
        self, request: service_pb2.ListInitializersRequest, call: "_ServedCall"
    ) -> Message:
        del request, call
        return protos.initializer_infos_to_proto(catalogue())

    def _describe_tensors(
        self, request: service_pb2.DescribeTensorsRequest, call: "_ServedCall"
    ) -> Message:
        del call
        plans = self._plans(request)
        return protos.descriptions_to_proto(
            describe(each, self._default_chunk_bytes) for each in plans
        )

    def _sample_tensor(
        self, request: service_pb2.SampleTensorRequest, call: "_ServedCall"
    ) -> Message:
        protos.numerics_from_proto(request.numerics)
        algorithm = protos.digest_algorithm_from_proto(request)
        wanted = protos.tensor_request_from_proto(request.tensor, "tensor")
        check_one_message(wanted, self._limits)
        with self._place():
            data = sample_whole(plan(wanted), self._ready_pools(), call.context.add_callback)
        call.record.size_bytes = data.size
        self._metrics.served("unary", data.size)
        header = protos.header_to_proto(wanted.shape, wanted.spec.dtype, wanted.size_bytes)
        digest = protos.digest_to_proto(digest_bytes(data.data, algorithm))
        return service_pb2.SampleTensorResponse(header=header, digest=digest, data=data.tobytes())

    def _digest_tensors(
        self, request: service_pb2.DigestTensorsRequest, call: "_ServedCall"
    ) -> Iterator[service_pb2.DigestTensorsResponse]:
        algorithm = protos.digest_algorithm_from_proto(request)
        plans = self._plans(request)
        known = [self._digests.get(plan.request, algorithm) for plan in plans]
        missing = [index for index, digest in enumerate(known) if digest is None]
        stream = TensorStream(
            [plans[index] for index in missing],
            self._ready_pools(),
            max_chunk_bytes=self._default_chunk_bytes,
            algorithm=algorithm,
            with_checksums=False,
        )
        pieces = call.pieces(stream)
        for index, digest in enumerate(known):
            if digest is not None:
                yield _digest_response(index, digest)
                continue
            for piece in pieces:
                if piece.digest is not None:
                    self._digests.put(plans[index].request, piece.digest)
                    yield _digest_response(index, piece.digest)
                    break
                if not piece.data:
                    yield service_pb2.DigestTensorsResponse(tensor_index=index)

    def _sample_tensors(
        self, request: service_pb2.SampleTensorsRequest, call: "_ServedCall"
    ) -> Iterator[bytes]:
        algorithm = protos.digest_algorithm_from_proto(request)
        chunk_bytes = self._default_chunk_bytes
        if request.HasField("max_chunk_bytes"):
            check_chunk_bytes(request.max_chunk_bytes, self._limits)
            chunk_bytes = request.max_chunk_bytes
        plans = self._plans(request)
        resume = ResumePoint(request.resume.tensor_index, request.resume.byte_offset)
        check_resume(resume, [each.request for each in plans])
        is_resumed = resume != ResumePoint(0, 0)
        may_map = request.accepts_segments and call.is_on_this_host and not is_resumed
        segments = self._segments if may_map else None
        messages = Messages(
            accepts_fill=request.accepts_fill and not is_resumed,
            segments=segments,
            locks_segments=request.locks_segments,
            omit_segment_digests=request.omit_segment_digests,
        )
        stream = TensorStream(
            plans,
            self._ready_pools(),
            max_chunk_bytes=chunk_bytes,
            algorithm=algorithm,
            first_tensor=resume.tensor_index,
            first_byte=resume.byte_offset,
            with_checksums=not request.omit_checksums,
            memory=messages,
        )
        try:
            for piece in call.pieces(stream):
                message = messages.encode(piece)
                is_last = piece.is_last and piece.tensor_index == len(plans) - 1
                call.record.may_be_ended = is_last and messages.has_segments
                self._metrics.served(
                    messages.lane(piece.tensor_index, piece.plan), messages.size_of(piece)
                )
                if message is not None:
                    call.record.sent()
                    yield message
            if messages.has_segments:  # the client ends the call when it has opened them
                stream.wait_cancelled(SEGMENT_LINGER_SECONDS)
        finally:
            messages.close()

    def _plans(
        self,
        request: service_pb2.DescribeTensorsRequest
        | service_pb2.DigestTensorsRequest
        | service_pb2.SampleTensorsRequest,
    ) -> list[SamplePlan]:
        protos.numerics_from_proto(request.numerics)
        check_tensor_count(len(request.tensors), self._limits)
        requests = protos.tensor_requests_from_proto(request.tensors)
        check_sizes(requests, self._limits)
        return [plan(each) for each in requests]

    # What every RPC goes through.

    def _ready_pools(self) -> SamplingPools:
        if self._is_draining:
            message = "the server is shutting down"
            raise NotServingError(
                message, reason="DRAINING", retry_after_seconds=STOPPING_RETRY_SECONDS
            )
        if self._pools is None:
            message = "the server is compiling its kernels"
            raise NotServingError(
                message, reason="STARTING", retry_after_seconds=STARTING_RETRY_SECONDS
            )
        return self._pools

    def _guarded_unary(
        self, name: str, answer: Callable[[Any, "_ServedCall"], Message]
    ) -> Callable[..., Message]:
        method = Method("unary", SERVICE.full_name, name)

        def call(request: Message | Malformed, context: grpc.ServicerContext) -> Message:
            with _Call(method, context, self._metrics, self._on_device_failure) as record:
                message = answer(_well_formed(request, name), _ServedCall(context, record))
                record.sent()
                return message

        return call

    def _guarded_stream(
        self, name: str, stream: Callable[..., Iterator[Any]]
    ) -> Callable[..., Iterator[Any]]:
        method = Method("server_stream", SERVICE.full_name, name)

        def call(request: Message | Malformed, context: grpc.ServicerContext) -> Iterator[Any]:
            with (
                _Call(method, context, self._metrics, self._on_device_failure) as record,
                self._place(),
            ):
                yield from stream(_well_formed(request, name), _ServedCall(context, record))

        return call

    def _place(self) -> "_Place":
        self._ready_pools()
        return _Place(self._streams, self._limits.max_concurrent_streams, self._ready_pools)


class _Place:
    """One of a limited number of streams, for as long as the ``with`` block lasts."""

    def __init__(
        self, places: threading.BoundedSemaphore, count: int, check_serving: Callable[[], object]
    ) -> None:
        self._places = places
        self._count = count
        self._check_serving = check_serving

    def __enter__(self) -> None:
        if not self._places.acquire(blocking=False):
            # A server that drains takes all places, and that is the reason then.
            self._check_serving()
            message = f"all {self._count} streams are in use (max_concurrent_streams)"
            raise OverloadedError(
                message, reason="TOO_MANY_STREAMS", retry_after_seconds=FULL_RETRY_SECONDS
            )

    def __exit__(self, *exception: object) -> None:
        self._places.release()


class _ServedCall(NamedTuple):
    """What an RPC needs of its call."""

    context: grpc.ServicerContext
    record: "_Call"

    @property
    def is_on_this_host(self) -> bool:
        """Whether the client came by a Unix socket."""
        return str(self.context.peer()).startswith("unix:")

    def pieces(self, tensors: TensorStream) -> Iterator[Piece]:
        """Yield a stream's pieces; the end of the call cancels it."""
        if not self.context.add_callback(tensors.cancel):
            raise CancelledError
        for piece in tensors.pieces():
            self.record.chunks += 1
            self.record.size_bytes += len(piece.data)
            yield piece


class _Call:
    """Turns what an RPC raises into its status, counts it, and writes one line about it into the log."""

    def __init__(
        self,
        method: Method,
        context: grpc.ServicerContext,
        metrics: Metrics,
        on_device_failure: Callable[[DeviceError], None],
    ) -> None:
        self._method = method
        self._context = context
        self._metrics = metrics
        self._on_device_failure = on_device_failure
        self._started = time.monotonic()
        self.may_be_ended = False
        """Whether a client that ends the call has all it wanted."""
        self.chunks = 0
        self.size_bytes = 0
        self._messages = 0

    def __enter__(self) -> Self:
        self._metrics.call_started(self._method)
        return self

    def sent(self) -> None:
        """Take note of a message."""
        if not self._messages and self._method.name == "SampleTensors":
            self._metrics.first_chunk(time.monotonic() - self._started)
        self._messages += 1

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None or (isinstance(error, GeneratorExit) and self.may_be_ended):
            self._ended("OK")
        elif isinstance(error, (CancelledError, GeneratorExit)) or not self._context.is_active():
            self._ended("CANCELLED")
            if isinstance(error, CancelledError):
                self._context.abort(grpc.StatusCode.CANCELLED, "cancelled")
        else:
            if isinstance(error, DeviceError):
                self._on_device_failure(error)
            if isinstance(reason := getattr(error, "reason", None), str):
                self._metrics.rejected(reason)
            status = status_of(error)
            self._ended(status.code.name)
            self._context.abort_with_status(status)

    def _ended(self, code: str) -> None:
        seconds = time.monotonic() - self._started
        self._metrics.call_ended(self._method, code, seconds, self._messages)
        fields = {"method": self._method.name, "code": code, "seconds": round(seconds, 6)}
        log.info(
            "rpc", extra={"fields": fields | {"bytes": self.size_bytes, "chunks": self.chunks}}
        )


def _digest_response(tensor_index: int, digest: Digest) -> service_pb2.DigestTensorsResponse:
    return service_pb2.DigestTensorsResponse(
        tensor_index=tensor_index, digest=protos.digest_to_proto(digest)
    )


def _well_formed(request: Message | Malformed, name: str) -> Message:
    if isinstance(request, Malformed):
        raise InvalidValueError(
            f"the request is not a {SERVICE.methods_by_name[name].input_type.full_name} message"
        )
    return request


def _parser(name: str) -> Callable[[bytes], Message | Malformed]:
    """Return what reads a request; gRPC itself would answer INTERNAL and log a traceback for bytes that are none."""
    message: type[Message] = getattr(service_pb2, f"{name}Request")

    def parse(data: bytes) -> Message | Malformed:
        try:
            return message.FromString(data)
        except DecodeError:
            return Malformed()

    return parse


def _serialize(message: Message) -> bytes:
    return message.SerializeToString()
