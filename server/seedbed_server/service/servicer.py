"""The six RPCs: each reads a request, asks the core, and answers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from typing import Any

import grpc
import numpy as np
from google.protobuf.message import Message

from seedbed.spec.digests import DIGEST_ALGORITHMS, Digest, digest_bytes
from seedbed.spec.dtypes import Dtype
from seedbed.spec.errors import InvalidArgumentError
from seedbed.spec.info import CAPABILITIES, NUMERICS, Limits, ServerInfo
from seedbed.spec.reasons import Reason
from seedbed.spec.tensors import TensorRequest
from seedbed.v1 import service_pb2
from seedbed.wire import protos
from seedbed.wire.checksums import with_checksum
from seedbed_server.refusals import NotServingError, StreamEndedError
from seedbed_server.sampling.descriptions import catalogue, describe
from seedbed_server.sampling.sampler import SamplePlan, TensorSource, plan
from seedbed_server.security.quotas import DailyBytes
from seedbed_server.service.call_guard import CallGuard, method_handler
from seedbed_server.service.calls import ServerCall
from seedbed_server.service.digest_cache import DigestCache
from seedbed_server.service.faults import ManyTensorsRequest, Request, with_all_faults
from seedbed_server.service.metrics import Method, Usage
from seedbed_server.service.places import Places
from seedbed_server.service.validation import (
    PLANNED_TENSOR_BYTES,
    ResumePoint,
    check_chunk_bytes,
    check_costs,
    check_resume,
    check_sizes,
    check_small_tensor,
    check_tensor_count,
)
from seedbed_server.settings import Settings
from seedbed_server.streams.events import Heartbeat, TensorEnd
from seedbed_server.streams.messages import encode, messages
from seedbed_server.streams.resources import StreamResources
from seedbed_server.streams.stream import Events, TensorStream

SERVICE = service_pb2.DESCRIPTOR.services_by_name["SeedbedService"]

# What a client is told to wait when the server is starting or stopping.
STARTING_RETRY_SECONDS = 1.0
# Behind one address there may be others, so soon.
STOPPING_RETRY_SECONDS = 0.5

# How long a client may take to open its segments after the last message.
SEGMENT_LINGER_SECONDS = 60.0

# When a stream that was ended may be resumed.
RESUME_SECONDS = 0.2

# A request of this many tensors is checked and planned by a thread: on the loop, others would wait.
# So many are described at once.
MANY_TENSORS = 64


Answer = Callable[[Any, ServerCall], Awaitable[bytes | None]]


class Servicer:
    """What the server answers. Until :meth:`serve` it refuses all but the initializers' list.

    Args:
        settings: how the server runs.
        version: of the package.
        guard: what every call goes through.
    """

    def __init__(self, settings: Settings, *, version: str, guard: CallGuard) -> None:
        self._settings = settings
        self._default_chunk_bytes = min(settings.chunk_bytes, settings.limits.max_chunk_bytes)
        self._version = version
        self._guard = guard
        self._digests = DigestCache()
        self._daily = DailyBytes(settings.workers or 1)
        self._places = Places(settings.limits.max_concurrent_streams)
        self._resources: StreamResources | None = None
        self._is_draining = False

    def serve(self, resources: StreamResources) -> None:
        """Begin to answer."""
        self._resources = resources

    def drain(self) -> None:
        """Refuse new requests; streams that are under way go on."""
        self._is_draining = True

    @property
    def usage(self) -> Usage:
        """How much of each resource is in use, and how many jobs wait in each lane."""
        held = {"streams": self._places.taken_count}
        limits = {"streams": self._settings.max_concurrent_streams}
        if (resources := self._resources) is None:
            return Usage(held, limits)
        return Usage(held | resources.held_bytes, limits | resources.most_bytes, resources.waiting)

    def methods(self) -> dict[str, "grpc.RpcMethodHandler[Any, Any]"]:
        """Return the handlers of the methods, by name."""
        answers: dict[str, Answer] = {
            "GetServerInfo": self._get_server_info,
            "ListInitializers": self._list_initializers,
            "DescribeTensors": self._describe_tensors,
            "DigestTensors": self._digest_tensors,
            "SampleTensors": self._sample_tensors,
            "SampleSmallTensor": self._sample_small_tensor,
        }
        methods: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}
        for name, answer in answers.items():
            streams = SERVICE.methods_by_name[name].server_streaming
            method = Method("server_stream" if streams else "unary", SERVICE.full_name, name)
            request_type: type[Message] = getattr(service_pb2, f"{name}Request")
            call = self._guard.handler(method, request_type, self._explaining(answer))
            methods[name] = method_handler(call, streams=streams)
        return methods

    def _explaining(self, answer: Answer) -> Answer:
        """Return an answer whose error says all that is wrong with a request."""

        async def explained(request: Any, call: ServerCall) -> bytes | None:
            call.tensors = _tensor_count(request)
            try:
                return await answer(request, call)
            except InvalidArgumentError as error:
                first = error
            raise await self._with_all_faults(first, request, call)

        return explained

    async def _with_all_faults(
        self, first: InvalidArgumentError, request: Request, call: ServerCall
    ) -> InvalidArgumentError:
        count = call.tensors
        if count < MANY_TENSORS or count > call.limits.max_tensors_per_request:
            return with_all_faults(first, request, call.limits)
        arguments = (first, request, call.limits)
        return await self._serving().threads.plan(call.peer, count, with_all_faults, *arguments)

    # The RPCs. Those that stream write to the call and return None.

    async def _get_server_info(
        self, request: service_pb2.GetServerInfoRequest, call: ServerCall
    ) -> bytes:
        del request
        backend = self._serving().threads.backend
        info = ServerInfo(
            version=self._version,
            numerics=(NUMERICS,),
            dtypes=tuple(Dtype),
            digest_algorithms=DIGEST_ALGORITHMS,
            capabilities=CAPABILITIES if self._serving().segments else ("fill",),
            backend=backend.name,
            device=backend.device,
            threads=backend.threads,
            limits=call.limits,
        )
        return with_checksum(protos.server_info_to_proto(info).SerializeToString())

    async def _list_initializers(
        self, request: service_pb2.ListInitializersRequest, call: ServerCall
    ) -> bytes:
        del request, call
        return with_checksum(protos.initializer_infos_to_proto(catalogue()).SerializeToString())

    async def _describe_tensors(
        self, request: service_pb2.DescribeTensorsRequest, call: ServerCall
    ) -> None:
        async with self._stream(call), self._plans(request, call) as plans:
            for first in range(0, len(plans), MANY_TENSORS):
                response = protos.descriptions_to_proto(
                    (each.request, describe(each, self._default_chunk_bytes))
                    for each in plans[first : first + MANY_TENSORS]
                )
                await self._write(call, with_checksum(response.SerializeToString()))

    async def _sample_small_tensor(
        self, request: service_pb2.SampleSmallTensorRequest, call: ServerCall
    ) -> bytes:
        await self._serving().loop_turns.turn(call.peer, 0)
        protos.numerics_from_proto(request.numerics)
        algorithm = protos.digest_algorithm_from_proto(request)
        wanted = protos.tensor_request_from_proto(request.tensor, "tensor")
        check_small_tensor(wanted, call.limits)
        wanted_plan = plan(wanted)
        check_costs([wanted_plan], "tensor.spec.shape", call.limits)
        with self._day(call, [wanted_plan], ResumePoint()):
            data = await self._sampled(wanted_plan, call)
            call.served_whole(len(data))
        response = service_pb2.SampleSmallTensorResponse(
            header=protos.header_to_proto(wanted),
            digest=protos.digest_to_proto(digest_bytes(data, algorithm)),
            data=data,
        )
        return response.SerializeToString()

    async def _digest_tensors(
        self, request: service_pb2.DigestTensorsRequest, call: ServerCall
    ) -> None:
        self._serving()
        algorithm = protos.digest_algorithm_from_proto(request)
        async with self._stream(call), self._plans(request, call) as plans:
            known = [self._digests.get(each.request, algorithm) for each in plans]
            missing = [index for index, digest in enumerate(known) if digest is None]

            def new_digest(events: Events) -> Digest | Heartbeat | None:
                match events[-1]:
                    case TensorEnd(index, Digest() as digest):
                        self._digests.put(plans[missing[index]].request, digest)
                        return digest
                    case Heartbeat() as alive:
                        return alive
                return None

            with TensorStream(
                [plans[index] for index in missing],
                self._serving(),
                call.peer,
                max_chunk_bytes=self._default_chunk_bytes,
                algorithm=algorithm,
                on_sampled=call.sampled,
            ) as stream:
                news = stream.rendered(new_digest)
                ready: list[service_pb2.TensorDigest] = []
                for index, found in enumerate(known):
                    digest = found
                    while digest is None:
                        new = await anext(news)
                        if isinstance(new, Heartbeat):
                            await self._write(call, _digests_message(()))
                        else:
                            digest = new
                    ready.append(_tensor_digest(index, plans[index].request, digest))
                    follows = index + 1 < len(known) and (
                        known[index + 1] is not None or stream.ready_bytes is not None
                    )
                    if not follows or len(ready) == MANY_TENSORS:
                        await self._write(call, _digests_message(ready))
                        ready.clear()

    async def _sample_tensors(
        self, request: service_pb2.SampleTensorsRequest, call: ServerCall
    ) -> None:
        self._serving()
        algorithm = protos.digest_algorithm_from_proto(request)
        chunk_bytes = self._default_chunk_bytes
        transfer = request.transfer
        if transfer.HasField("max_chunk_bytes"):
            check_chunk_bytes(transfer.max_chunk_bytes, call.limits)
            chunk_bytes = transfer.max_chunk_bytes
        async with self._stream(call), self._plans(request, call) as plans:
            resume = ResumePoint(request.resume.tensor_index, request.resume.byte_offset)
            check_resume(resume, [each.request for each in plans])
            is_whole = resume == ResumePoint(0, 0)

            def part(events: Events) -> bytes:
                call.served(events)
                return encode(events)

            with (
                self._day(call, plans, resume),
                TensorStream(
                    plans,
                    self._serving(),
                    call.peer,
                    max_chunk_bytes=chunk_bytes,
                    algorithm=algorithm,
                    first_tensor=resume.tensor_index,
                    first_byte=resume.byte_offset,
                    accepts_fill=transfer.accepts_fill and is_whole,
                    accepts_segments=transfer.accepts_segments
                    and call.is_on_this_host
                    and is_whole,
                    on_sampled=call.sampled,
                ) as stream,
            ):
                async for each in messages(stream, part):
                    call.may_be_ended = stream.has_segments and stream.is_complete
                    await self._write(call, each)
                if stream.has_segments:  # the client ends the call when it has opened them
                    await asyncio.sleep(SEGMENT_LINGER_SECONDS)

    # What they have in common.

    def _serving(self) -> StreamResources:
        """Return what samples, or raise while the server starts or stops."""
        if self._is_draining:
            raise NotServingError(
                "the server is shutting down",
                reason=Reason.DRAINING,
                retry_after_seconds=STOPPING_RETRY_SECONDS,
            )
        if self._resources is None:
            raise NotServingError(
                "the server is compiling its kernels",
                reason=Reason.STARTING,
                retry_after_seconds=STARTING_RETRY_SECONDS,
            )
        return self._resources

    async def _sampled(self, sample_plan: SamplePlan, call: ServerCall) -> bytes:
        """Return all bytes of a small tensor."""
        resources = self._serving()
        if not resources.threads.samples_in_place(sample_plan, sample_plan.size_bytes):
            with self._places.taken(call.peer):
                return await resources.tensors.whole(sample_plan, call.peer, call.sampled)
        out = np.empty(sample_plan.size_bytes, np.uint8)
        TensorSource(sample_plan, resources.threads.backend).fill(0, out)
        resources.threads.on_sampled(sample_plan, out.size)
        call.sampled(out.size)
        return out.tobytes()

    @asynccontextmanager
    async def _stream(self, call: ServerCall) -> AsyncIterator[None]:
        """Have a stream's place within the block, for as long as a stream may go on.

        Raises:
            NoRoomError: if there is no place for the caller.
            StreamEndedError: after that time.
        """
        seconds = self._settings.max_stream_seconds
        with self._places.taken(call.peer):
            try:
                async with asyncio.timeout(seconds):
                    yield
            except TimeoutError:
                raise StreamEndedError(
                    f"the stream has gone on for {seconds:g} s (max_stream_seconds)",
                    reason=Reason.STREAM_TOO_LONG,
                    retry_after_seconds=RESUME_SECONDS,
                ) from None

    async def _write(self, call: ServerCall, message: bytes) -> None:
        """Send a message of a stream.

        Raises:
            StreamEndedError: if the reader takes nothing for too long.
        """
        seconds = self._settings.stream_idle_seconds
        try:
            async with asyncio.timeout(seconds):
                await call.write(message)
        except TimeoutError:
            raise StreamEndedError(
                f"nobody has read the stream for {seconds:g} s (stream_idle_seconds)",
                reason=Reason.STREAM_IDLE,
                retry_after_seconds=RESUME_SECONDS,
            ) from None

    @asynccontextmanager
    async def _plans(
        self, request: ManyTensorsRequest, call: ServerCall
    ) -> AsyncIterator[list[SamplePlan]]:
        """Have the plans of a request within the block, and room for them."""
        threads, count, peer = self._serving().threads, len(request.tensors), call.peer
        protos.numerics_from_proto(request.numerics)
        check_tensor_count(count, call.limits)
        size_bytes = count * PLANNED_TENSOR_BYTES
        message = "the requests under way leave no room for this one's tensors (max_working_bytes)"
        with threads.working.taken(peer, size_bytes, message, Reason.TOO_MANY_TENSORS):
            if count < MANY_TENSORS:
                await self._serving().loop_turns.turn(peer, 0)
                yield _planned(request, call.limits)
            else:
                yield await threads.plan(peer, count, _planned, request, call.limits)

    def _day(
        self, call: ServerCall, plans: Sequence[SamplePlan], resume: ResumePoint
    ) -> AbstractContextManager[None]:
        """Take what a call wants out of its caller's bytes of the day, within a block."""
        quota = call.quotas.bytes_per_day
        if call.identity is None or quota is None:
            return nullcontext()
        wanted = sum(each.size_bytes for each in plans[resume.tensor_index :]) - resume.byte_offset
        return self._daily.taken(call.identity, quota, wanted, lambda: call.sent_bytes)


def _planned(request: ManyTensorsRequest, limits: Limits) -> list[SamplePlan]:
    requests = protos.tensor_requests_from_proto(request.tensors)
    check_sizes(requests, limits)
    plans = [plan(each) for each in requests]
    check_costs(plans, "tensors[{}].spec.shape", limits)
    return plans


def _tensor_count(request: Message) -> int:
    if isinstance(request, ManyTensorsRequest):
        return len(request.tensors)
    return 1 if isinstance(request, service_pb2.SampleSmallTensorRequest) else 0


def _tensor_digest(
    tensor_index: int, request: TensorRequest, digest: Digest
) -> service_pb2.TensorDigest:
    return service_pb2.TensorDigest(
        tensor_index=tensor_index,
        digest=protos.digest_to_proto(digest),
        request=protos.tensor_request_to_proto(request),
    )


def _digests_message(ready: Sequence[service_pb2.TensorDigest]) -> bytes:
    """Return a message of some tensors' digests; one without any is a heartbeat."""
    message = service_pb2.DigestTensorsResponse(tensors=ready, numerics=protos.numerics_to_proto())
    return with_checksum(message.SerializeToString())
