"""A small tensor comes in one unary call, with the stream's bytes and its checks."""

import asyncio
from collections.abc import Callable

import grpc
import numpy as np
import pytest

import seedbed as sb
import seedbed.aio
from seedbed.spec.digests import digest_bytes
from seedbed.spec.info import MAX_SMALL_TENSOR_BYTES
from seedbed.spec.tensors import TensorRequest
from seedbed.v1 import service_pb2, streams_pb2, tensors_pb2
from seedbed.wire.protos import digest_to_proto, header_to_proto, tensor_request_to_proto
from tests.attacks.bad_requests import CASES, Case
from tests.integration.liars import lying_server
from tests.raw_calls import bytes_by_tensor, parts_of, refusal, sample_request, stub, tensor
from tests.servers import ServerProcess

CONTENT = bytes(range(256)) * 4
SPEC = sb.TensorSpec("w", (256,), "float32", sb.RandomUniform(seed=1))

Fetch = Callable[[str, sb.TensorSpec], bytes]


def _fetch(address: str, spec: sb.TensorSpec) -> bytes:
    with sb.connect(address, patience_seconds=0) as client:
        return client.sample(spec).tobytes()


def _fetch_by_grpc(address: str, spec: sb.TensorSpec) -> bytes:
    options: dict[str, int | str] = {"grpc.enable_retries": 0}
    with sb.connect(address, options=options, patience_seconds=0) as client:
        return client.sample(spec).tobytes()


def _fetch_by_aio(address: str, spec: sb.TensorSpec) -> bytes:
    async def fetch() -> bytes:
        async with seedbed.aio.connect(address, patience_seconds=0) as client:
            return (await client.sample(spec)).tobytes()

    return asyncio.run(fetch())


every_client = pytest.mark.parametrize("fetch", [_fetch, _fetch_by_grpc, _fetch_by_aio])


def _answer(**changes: object) -> bytes:
    """Return the honest answer for SPEC, but for what is changed."""
    fields = {
        "header": header_to_proto(TensorRequest(SPEC)),
        "digest": digest_to_proto(digest_bytes(CONTENT)),
        "data": CONTENT,
    } | changes
    return service_pb2.SampleSmallTensorResponse(**fields).SerializeToString()  # type: ignore[arg-type]


def _header(*shape: int) -> streams_pb2.TensorHeader:
    header = header_to_proto(TensorRequest(SPEC))
    header.shape[:] = shape
    return header


def _header_of(spec: sb.TensorSpec | None) -> streams_pb2.TensorHeader:
    """Return the honest header, but for the request that it repeats."""
    header = header_to_proto(TensorRequest(SPEC))
    header.ClearField("request")
    if spec is not None:
        header.request.CopyFrom(tensor_request_to_proto(TensorRequest(spec)))
    return header


# Tensors of every way of sampling: by element, as a constant, as a block, and by lines.
TENSORS = [
    tensor((3, 5), "glorot_uniform"),
    tensor((2, 3), "zeros"),
    tensor((0, 3), "zeros"),
    tensor((17, 9), "orthogonal"),
    tensor((12, 8), "sparse", sparsity=0.25),
    tensor((), "random_normal", stddev=1.0, dtype=tensors_pb2.DTYPE_FLOAT64),
    tensor((MAX_SMALL_TENSOR_BYTES // 4,), "random_uniform"),
]


@pytest.mark.parametrize(
    "request_", TENSORS, ids=lambda each: each.spec.initializer.WhichOneof("kind")
)
def test_one_message_holds_the_bytes_of_the_stream(
    server: ServerProcess, request_: tensors_pb2.TensorRequest
) -> None:
    with grpc.insecure_channel(server.address) as channel:
        response = stub(channel).SampleSmallTensor(
            service_pb2.SampleSmallTensorRequest(
                tensor=request_, numerics=tensors_pb2.NUMERICS_SEEDBED_1
            )
        )
        streamed = parts_of(channel, sample_request(request_))
    assert response.data == bytes_by_tensor(streamed).get(0, b"")
    assert response.header == streamed[0].header
    assert response.digest == streamed[-1].digest == digest_to_proto(digest_bytes(response.data))


def test_a_slice_and_another_algorithm(server: ServerProcess) -> None:
    wanted = tensor((10, 4))
    wanted.slice.starts.extend((2, 1))
    wanted.slice.lengths.extend((3, 2))
    request = service_pb2.SampleSmallTensorRequest(
        tensor=wanted,
        digest_algorithm=tensors_pb2.DIGEST_ALGORITHM_SHA256,
        numerics=tensors_pb2.NUMERICS_SEEDBED_1,
    )
    with grpc.insecure_channel(server.address) as channel:
        response = stub(channel).SampleSmallTensor(request)
        assert response.data == bytes_by_tensor(parts_of(channel, sample_request(wanted)))[0]
    assert response.digest == digest_to_proto(digest_bytes(response.data, "sha256"))


SPEC_CASES = [
    case for case in CASES if case.field.startswith("tensors[0]") and len(case.request.tensors) == 1
]


@pytest.mark.parametrize("case", SPEC_CASES, ids=[case.title for case in SPEC_CASES])
def test_what_the_stream_refuses_is_refused_with_its_own_path(
    server: ServerProcess, case: Case
) -> None:
    request = service_pb2.SampleSmallTensorRequest(
        tensor=case.request.tensors[0], numerics=case.request.numerics
    )
    with grpc.insecure_channel(server.address) as channel, pytest.raises(grpc.RpcError) as caught:
        stub(channel).SampleSmallTensor(request)
    answer = refusal(caught.value)
    field = case.field.replace("tensors[0]", "tensor")
    assert (answer.code, answer.field, answer.reason) == (case.code, field, case.reason)


def test_a_tensor_that_is_no_message_is_refused(server: ServerProcess) -> None:
    request = service_pb2.SampleSmallTensorRequest(
        tensor=tensor((MAX_SMALL_TENSOR_BYTES // 4 + 1,))
    )
    with grpc.insecure_channel(server.address) as channel, pytest.raises(grpc.RpcError) as caught:
        stub(channel).SampleSmallTensor(request)
    answer = refusal(caught.value)
    assert (answer.code, answer.field, answer.reason) == (
        "INVALID_ARGUMENT",
        "tensor.spec.shape",
        "OVER_LIMIT",
    )
    assert "SampleTensors" in answer.message


@every_client
def test_the_largest_small_tensor_and_the_smallest_large_one(
    server: ServerProcess, fetch: Fetch
) -> None:
    with sb.connect("embedded:") as engine:
        for count, method in (
            (MAX_SMALL_TENSOR_BYTES // 4, "SampleSmallTensor"),
            (MAX_SMALL_TENSOR_BYTES // 4 + 1, "SampleTensors"),
        ):
            spec = sb.TensorSpec(
                "w", (count,), "float32", sb.HeNormal(seed=3), fan_axes=sb.FanAxes((0,), ())
            )
            before = server.log.count(f"method={method} code=OK")
            assert fetch(server.address, spec) == engine.sample(spec).tobytes()
            server.wait_for_count(f"method={method} code=OK", before + 1)


@every_client
def test_a_server_without_the_call_is_none_of_ours(fetch: Fetch) -> None:
    with (
        lying_server({}) as address,
        pytest.raises(sb.UnsupportedError, match="a newer seedbed-server may"),
    ):
        fetch(address, SPEC)


LIES = {
    "a wrong byte": _answer(data=CONTENT[:-1] + b"x"),
    "a byte too few": _answer(data=CONTENT[:-1]),
    "a byte too many": _answer(data=CONTENT + b"x"),
    "no data": _answer(data=b""),
    "no header": _answer(header=None),
    "another shape": _answer(header=_header(16, 16)),
    "another request": _answer(
        header=_header_of(sb.TensorSpec("w", (256,), "float32", sb.RandomUniform(seed=2)))
    ),
    "no request": _answer(header=_header_of(None)),
    "no digest": _answer(digest=None),
    "the digest of other bytes": _answer(digest=digest_to_proto(digest_bytes(b"x"))),
    "a digest of an unknown algorithm": _answer(
        digest=tensors_pb2.Digest(algorithm=9, value=bytes(16), size_bytes=1024)
    ),  # type: ignore[arg-type]
    "nothing": b"",
    "no message": b"\xff" * 9,
}


@every_client
@pytest.mark.parametrize("answer", LIES.values(), ids=LIES.keys())
def test_a_lie_is_found_out(fetch: Fetch, answer: bytes) -> None:
    with (
        lying_server({"SampleSmallTensor": lambda: [answer]}) as address,
        pytest.raises(sb.DataLossError) as caught,
    ):
        fetch(address, SPEC)
    assert "again" in str(caught.value) or "check" in str(caught.value)


@every_client
def test_the_honest_answer_is_believed(fetch: Fetch) -> None:
    with lying_server({"SampleSmallTensor": lambda: [_answer()]}) as address:
        assert fetch(address, SPEC) == CONTENT


@every_client
@pytest.mark.parametrize("count", [0, 2])
def test_one_answer_is_one_answer(fetch: Fetch, count: int) -> None:
    with (
        lying_server({"SampleSmallTensor": lambda: [_answer()] * count}) as address,
        pytest.raises(sb.SeedbedError),
    ):
        fetch(address, SPEC)


def test_memory_is_filled_in_place(server: ServerProcess) -> None:
    out = np.zeros(256, np.float32)
    with sb.connect(server.address) as client:
        assert client.sample(SPEC, out=out) is out
        assert client.digest(SPEC) == digest_bytes(out.tobytes())
