"""An operator's tools see health, the schema, and a server whose places are all taken."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Any

import grpc
import hpack
import pytest
from google.protobuf import descriptor_pb2
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

import seedbed as sb
from seedbed.spec.initializers import INITIALIZERS
from seedbed.transports.http2 import frames
from seedbed.v1 import service_pb2
from tests.raw_calls import (
    SERVICE,
    bytes_by_tensor,
    health_stub,
    large_request,
    parts_of,
    raw_sample,
    refusal,
    sample_request,
    stub,
    tensor,
)
from tests.servers import ServerProcess, serving
from tests.waiting import wait_until

SERVING = health_pb2.HealthCheckResponse.SERVING
SPEC = sb.TensorSpec("w", (4,), "float32", sb.Ones())
PLACES = 2
LARGE = sb.TensorSpec("w", (2**20,), "float32", sb.RandomUniform(seed=1))


@pytest.fixture
def channel(server: ServerProcess) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(server.address) as opened:
        yield opened


@pytest.fixture(scope="module")
def small_server() -> Iterator[ServerProcess]:
    """A server with few places for streams: one client may have half of them."""
    with serving("--max-concurrent-streams", str(2 * PLACES - 1)) as process:
        yield process


def _reflect(channel: grpc.Channel, **request: Any) -> reflection_pb2.ServerReflectionResponse:
    requests = iter([reflection_pb2.ServerReflectionRequest(**request)])
    reflection: Any = reflection_pb2_grpc.ServerReflectionStub(channel)
    responses: list[reflection_pb2.ServerReflectionResponse] = list(
        reflection.ServerReflectionInfo(requests)
    )
    return responses[0]


@pytest.mark.parametrize("service", ["", SERVICE], ids=["server", "service"])
def test_health_is_serving_when_it_is_asked_and_watched(
    channel: grpc.Channel, service: str
) -> None:
    request = health_pb2.HealthCheckRequest(service=service)
    assert health_stub(channel).Check(request).status == SERVING
    watch = health_stub(channel).Watch(request, timeout=120)
    assert next(watch).status == SERVING
    watch.cancel()


def test_health_of_an_unknown_service_is_not_found(channel: grpc.Channel) -> None:
    request = health_pb2.HealthCheckRequest(service="seedbed.v9.Nothing")
    with pytest.raises(grpc.RpcError) as caught:
        health_stub(channel).Check(request)
    assert refusal(caught.value).code == "NOT_FOUND"


STANDARD_METHODS = [
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/Watch",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
]


@pytest.mark.parametrize("method", STANDARD_METHODS)
def test_bytes_that_are_no_message_are_refused_as_by_our_own_methods(
    server: ServerProcess, channel: grpc.Channel, method: str
) -> None:
    call: Any = channel.stream_stream(method)
    answer = refusal(call(iter([b"\xff"])))
    assert (answer.code, answer.reason) == ("INVALID_ARGUMENT", "INVALID_MESSAGE")
    assert "Traceback" not in server.log


def test_reflection_lists_the_services(channel: grpc.Channel) -> None:
    listed = _reflect(channel, list_services="").list_services_response.service
    expected = {SERVICE, "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"}
    assert {service.name for service in listed} == expected


def test_reflection_gives_the_schema_that_the_server_was_built_from(channel: grpc.Channel) -> None:
    files = _reflect(
        channel, file_containing_symbol=SERVICE
    ).file_descriptor_response.file_descriptor_proto
    found = {}
    for data in files:
        descriptor = descriptor_pb2.FileDescriptorProto.FromString(data)
        found[descriptor.name] = descriptor
    own = descriptor_pb2.FileDescriptorProto()
    service_pb2.DESCRIPTOR.CopyToProto(own)
    assert found["seedbed/v1/service.proto"] == own


def test_reflection_can_be_switched_off() -> None:
    with serving("--no-reflection") as server, grpc.insecure_channel(server.address) as channel:
        with pytest.raises(grpc.RpcError) as caught:
            _reflect(channel, list_services="")
        assert refusal(caught.value).code == "UNIMPLEMENTED"
        assert health_stub(channel).Check(health_pb2.HealthCheckRequest()).status == SERVING


def test_a_full_server_refuses_streams_and_answers_all_else(small_server: ServerProcess) -> None:
    with ExitStack() as stack:
        channel = stack.enter_context(grpc.insecure_channel(small_server.address))
        client = stack.enter_context(sb.connect(small_server.address, patience_seconds=0))
        for _ in range(PLACES):
            call = raw_sample(channel, large_request(2**36))
            stack.callback(call.cancel)
            next(call)

        answer = refusal(stub(channel).SampleTensors(sample_request(tensor())))
        assert (answer.code, answer.reason, answer.domain) == (
            "RESOURCE_EXHAUSTED",
            "TOO_MANY_STREAMS",
            "seedbed",
        )
        assert answer.retry_seconds is not None
        assert 0.2 <= answer.retry_seconds < 0.3
        for call_again in (
            lambda: client.sample(LARGE),
            lambda: client.digest(SPEC),
            lambda: list(client.chunks(SPEC)),
            lambda: client.describe(SPEC),
        ):
            with pytest.raises(sb.OverloadedError, match="try again in 0") as caught:
                call_again()
            assert 0.2 <= (caught.value.retry_after_seconds or 0.0) < 1.0
            assert "max_concurrent_streams" in str(caught.value)

        # Health, the schema and what is sampled at once need no stream's place.
        assert client.sample(SPEC, timeout_seconds=60).shape == SPEC.shape
        assert (
            health_stub(channel).Check(health_pb2.HealthCheckRequest(), timeout=60).status
            == SERVING
        )
        assert (
            client.server_info(timeout_seconds=60).limits.max_concurrent_streams == 2 * PLACES - 1
        )
        assert len(client.list_initializers(timeout_seconds=60)) == len(INITIALIZERS)
        assert _reflect(channel, list_services="").list_services_response.service


def test_a_method_whose_name_is_not_utf8_ends_nothing_but_its_call(server: ServerProcess) -> None:
    """With every release of grpcio: some read the name where an error ends the server."""
    headers = [
        (b":method", b"POST"),
        (b":scheme", b"http"),
        (b":path", b"/seedbed.v1.SeedbedService/\xff"),
        (b":authority", b"x"),
        (b"content-type", b"application/grpc"),
        (b"te", b"trailers"),
    ]
    flags = frames.END_HEADERS | frames.END_STREAM
    host, _, port = server.address.rpartition(":")
    for _ in range(3):
        with socket.create_connection((host, int(port)), timeout=30) as connection:
            block = hpack.Encoder().encode(headers)
            connection.sendall(
                frames.PREFACE + frames.settings({}) + frames.frame(frames.HEADERS, flags, 1, block)
            )
            with grpc.insecure_channel(server.address) as channel:
                health = health_stub(channel).Check(health_pb2.HealthCheckRequest(), timeout=60)
                assert health.status == SERVING
                unknown: Any = channel.unary_unary("/seedbed.v1.SeedbedService/Unknown")
                with pytest.raises(grpc.RpcError, match="UNIMPLEMENTED"):
                    unknown(b"", timeout=60)


def test_places_come_back_however_a_stream_ends() -> None:
    with (
        serving("--max-concurrent-streams", "1") as server,
        grpc.insecure_channel(server.address) as channel,
    ):
        for _ in range(5):
            wait_until(lambda: _sampled(channel) == 16)
            assert refusal(stub(channel).SampleTensors(sample_request())).code == "INVALID_ARGUMENT"
            assert refusal(raw_sample(channel, b"\xff")).code == "INVALID_ARGUMENT"
            assert (
                refusal(raw_sample(channel, large_request(2**36), timeout=0.05)).code
                == "DEADLINE_EXCEEDED"
            )
        wait_until(lambda: _sampled(channel) == 16)


def _sampled(channel: grpc.Channel) -> int:
    """Return how many bytes of a tensor came; 0 while a call that was given up has its place."""
    with suppress(grpc.RpcError):
        return len(bytes_by_tensor(parts_of(channel, sample_request(tensor())))[0])
    return 0
