"""Properties of every request, as a client sees them through a real socket."""

from collections.abc import Iterator
from typing import Any

import grpc
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import seedbed as sb
from seedbed.spec.digests import DIGEST_ALGORITHMS, DigestAlgorithm, Digester, digest_bytes
from seedbed.spec.info import MAX_CHUNK_BYTES, MIN_CHUNK_BYTES
from seedbed.spec.slices import TensorSlice
from seedbed.spec.tensors import TensorRequest, TensorSpec
from seedbed.v1 import service_pb2, streams_pb2, tensors_pb2
from seedbed.wire import protos
from tests.property.strategies import specs, specs_and_slices
from tests.raw_calls import (
    MIB,
    NUMERICS,
    bytes_by_tensor,
    large_request,
    parts_of,
    raw_sample,
    sample_request,
    stub,
    tensor,
)
from tests.servers import ServerProcess

Asked = tuple[TensorSpec, TensorSlice]

ALGORITHMS = st.sampled_from(DIGEST_ALGORITHMS)


@pytest.fixture(scope="module")
def client(server: ServerProcess) -> Iterator[sb.Client]:
    with sb.connect(server.address) as connected:
        yield connected


@pytest.fixture(scope="module")
def embedded() -> Iterator[sb.Client]:
    with sb.connect("embedded:") as connected:
        yield connected


@pytest.fixture(scope="module")
def channel(server: ServerProcess) -> Iterator[grpc.Channel]:
    """A channel as any client has it, without a single option."""
    with grpc.insecure_channel(server.address) as opened:
        yield opened


def _request_of(asked: list[Asked], **fields: Any) -> service_pb2.SampleTensorsRequest:
    tensors = [protos.tensor_request_to_proto(TensorRequest(spec, part)) for spec, part in asked]
    return sample_request(*tensors, **fields)


def _assert_running_digests(
    parts: list[streams_pb2.TensorPart], algorithm: DigestAlgorithm = "xxh3_128"
) -> None:
    """Check that each chunk carries the digest of what this stream has sent of its tensor."""
    digesters: dict[int, Digester] = {}
    for part in parts:
        if part.HasField("chunk"):
            digester = digesters.setdefault(part.tensor_index, Digester(algorithm))
            digester.update(part.chunk.data)
            assert part.chunk.digest == digester.digest().value


@settings(max_examples=80)
@given(specs_and_slices())
def test_a_slice_equals_the_same_slice_of_the_whole(client: sb.Client, asked: Asked) -> None:
    spec, part = asked
    whole = client.sample(spec)
    assert whole.shape == spec.shape
    assert whole.dtype == spec.dtype.numpy
    assert client.sample(spec, slice=part).tobytes() == whole[part.index].tobytes()


@settings(max_examples=8)
@given(specs_and_slices(500_000))
def test_a_slice_of_a_tensor_of_many_chunks_equals_that_of_the_whole(
    client: sb.Client, asked: Asked
) -> None:
    spec, part = asked
    assert client.sample(spec, slice=part).tobytes() == client.sample(spec)[part.index].tobytes()


@settings(max_examples=80)
@given(specs_and_slices())
def test_the_embedded_engine_gives_what_a_server_gives(
    client: sb.Client, embedded: sb.Client, asked: Asked
) -> None:
    spec, part = asked
    assert embedded.sample(spec).tobytes() == client.sample(spec).tobytes()
    assert embedded.sample(spec, slice=part).tobytes() == client.sample(spec, slice=part).tobytes()
    assert embedded.digest(spec, slice=part) == client.digest(spec, slice=part)


@settings(max_examples=60)
@given(specs_and_slices(600), st.integers(MIN_CHUNK_BYTES, 2048))
def test_any_chunk_size_gives_the_same_bytes_in_whole_elements(
    client: sb.Client, channel: grpc.Channel, asked: Asked, max_chunk_bytes: int
) -> None:
    spec, wanted = asked
    expected = client.sample(spec, slice=wanted).tobytes()
    parts = parts_of(channel, _request_of([asked], max_chunk_bytes=max_chunk_bytes))
    assert bytes_by_tensor(parts) == {0: expected}
    _assert_running_digests(parts)
    itemsize = spec.dtype.itemsize
    for part in parts:
        assert len(part.chunk.data) % itemsize == 0
        assert part.chunk.byte_offset % itemsize == 0
        assert len(part.chunk.data) <= max_chunk_bytes
        assert part.HasField("chunk") == bool(expected)
    assert len(parts) == max(1, -(-len(expected) // (max_chunk_bytes // itemsize * itemsize)))


@pytest.mark.parametrize(
    "dtype", [tensors_pb2.DTYPE_BFLOAT16, tensors_pb2.DTYPE_FLOAT32], ids=["bfloat16", "float32"]
)
def test_every_message_stays_below_what_a_stock_channel_takes(
    channel: grpc.Channel, dtype: int
) -> None:
    request = large_request(11 * MIB, dtype)
    request.transfer.max_chunk_bytes = MAX_CHUNK_BYTES
    sizes = [len(message) for message in raw_sample(channel, request)]
    # Chunks grow with what the reader takes: 64 KiB, twice 512 KiB, then full ones.
    assert len(sizes) == 3 + 3
    assert max(sizes) < 4 * MIB
    assert sum(sizes) > 11 * MIB


def test_a_dry_run_of_many_tensors_stays_below_what_a_stock_channel_takes(
    channel: grpc.Channel,
) -> None:
    names = [f"{n:0>250}" for n in range(10_000)]
    request = service_pb2.DescribeTensorsRequest(
        tensors=[tensor((64, 64), "orthogonal", name=name) for name in names], numerics=NUMERICS
    )
    parts = list(stub(channel).DescribeTensors(request))
    assert max(part.ByteSize() for part in parts) < MIB
    assert sum(part.ByteSize() for part in parts) > 4 * MIB
    described = [each for part in parts for each in part.tensors]
    assert [each.name for each in described] == names
    assert [each.request.spec.name for each in described] == names
    assert all(part.numerics == tensors_pb2.NUMERICS_SEEDBED_1 for part in parts)


@settings(max_examples=80)
@given(
    st.data(),
    st.lists(specs_and_slices(400), min_size=1, max_size=4),
    ALGORITHMS,
    st.integers(16, 1024),
)
def test_a_resumed_stream_continues_exactly(
    channel: grpc.Channel,
    data: st.DataObject,
    asked: list[Asked],
    algorithm: DigestAlgorithm,
    max_chunk_bytes: int,
) -> None:
    fields = {
        "max_chunk_bytes": max_chunk_bytes,
        "digest_algorithm": protos.digest_algorithm_to_proto(algorithm),
    }
    whole = bytes_by_tensor(parts_of(channel, _request_of(asked, **fields)))
    index = data.draw(st.integers(0, len(asked) - 1), label="tensor")
    itemsize = asked[index][0].dtype.itemsize
    offset = itemsize * data.draw(st.integers(0, len(whole[index]) // itemsize), label="element")
    resume = streams_pb2.ResumePoint(tensor_index=index, byte_offset=offset)
    parts = parts_of(channel, _request_of(asked, resume=resume, **fields))

    rest = {i: content[offset if i == index else 0 :] for i, content in whole.items() if i >= index}
    assert bytes_by_tensor(parts) == rest
    _assert_running_digests(parts, algorithm)
    first = next((part for part in parts if part.chunk.data), None)
    if rest[index]:
        assert first is not None
        assert (first.tensor_index, first.chunk.byte_offset) == (index, offset)
    headers = {r.tensor_index: r.header for r in parts if r.HasField("header")}
    assert {i: header.total_bytes for i, header in headers.items()} == {
        i: len(whole[i]) for i in rest
    }
    digests = {
        r.tensor_index: protos.digest_from_proto(r.digest) for r in parts if r.HasField("digest")
    }
    assert digests == {i: digest_bytes(content, algorithm) for i, content in rest.items()}


@settings(max_examples=80)
@given(st.lists(specs_and_slices(1000), min_size=1, max_size=4))
def test_headers_come_first_and_digests_last_and_once(
    channel: grpc.Channel, asked: list[Asked]
) -> None:
    parts = parts_of(channel, _request_of(asked, max_chunk_bytes=512))
    assert [part.tensor_index for part in parts] == sorted(r.tensor_index for r in parts)
    for index, (spec, part) in enumerate(asked):
        own = [part for part in parts if part.tensor_index == index]
        assert [part.HasField("header") for part in own] == [
            True,
            *[False] * (len(own) - 1),
        ]
        assert [part.HasField("digest") for part in own] == [
            *[False] * (len(own) - 1),
            True,
        ]
        header = own[0].header
        assert tuple(header.shape) == part.lengths
        assert header.dtype == protos.tensor_request_to_proto(TensorRequest(spec)).spec.dtype
        assert header.numerics == tensors_pb2.NUMERICS_SEEDBED_1
        assert header.request == protos.tensor_request_to_proto(TensorRequest(spec, part))


@settings(max_examples=80)
@given(specs_and_slices(), ALGORITHMS)
def test_the_digest_is_that_of_the_bytes(
    client: sb.Client, asked: Asked, algorithm: DigestAlgorithm
) -> None:
    spec, part = asked
    content = client.sample(spec, slice=part).tobytes()
    assert client.digest(spec, slice=part, algorithm=algorithm) == digest_bytes(content, algorithm)


@settings(max_examples=60)
@given(specs_and_slices())
def test_a_dry_run_says_what_is_sent(
    client: sb.Client, channel: grpc.Channel, asked: Asked
) -> None:
    spec, part = asked
    description = client.describe(spec, slice=part)
    parts = parts_of(channel, _request_of([asked]))
    sent = bytes_by_tensor(parts)[0]
    assert (description.name, description.shape, description.dtype) == (
        spec.name,
        part.lengths,
        spec.dtype,
    )
    assert description.size_bytes == len(sent)
    assert description.chunk_count == bool(sent)  # of the usual size; none here is larger
    content = np.frombuffer(sent, spec.dtype.numpy).astype(np.float64)
    if content.size and description.minval is not None and description.maxval is not None:
        # Rounding never puts two numbers in another order.
        assert float(spec.dtype.rounded(description.minval)) <= content.min()
        assert content.max() <= float(spec.dtype.rounded(description.maxval))


@pytest.mark.parametrize("size_bytes", [1, 2 * MIB, 2 * MIB + 1, 5 * MIB], ids=str)
def test_a_dry_run_counts_a_large_tensor_in_chunks_of_the_usual_size(
    client: sb.Client, channel: grpc.Channel, size_bytes: int
) -> None:
    spec = TensorSpec("b", (size_bytes,), "uint8", sb.Constant(7))
    parts = parts_of(channel, _request_of([(spec, TensorSlice((0,), (size_bytes,)))]))
    # A stream's first chunks are smaller than the usual ones.
    assert max(len(part.chunk.data) for part in parts) <= 2 * MIB
    assert client.describe(spec).chunk_count == -(-size_bytes // (2 * MIB))


@settings(max_examples=60)
@given(st.lists(specs_and_slices(1000), min_size=1, max_size=4))
def test_a_stock_client_receives_what_ours_receives(
    client: sb.Client, channel: grpc.Channel, asked: list[Asked]
) -> None:
    received = bytes_by_tensor(parts_of(channel, _request_of(asked)))
    assert received == {
        i: client.sample(spec, slice=part).tobytes() for i, (spec, part) in enumerate(asked)
    }


@settings(max_examples=30)
@given(st.lists(specs(500), min_size=2, max_size=5, unique_by=lambda spec: spec.name))
def test_a_manifest_gives_what_each_tensor_gives_alone(
    client: sb.Client, asked: list[TensorSpec]
) -> None:
    alone = {spec.name: client.sample(spec).tobytes() for spec in asked}
    together = client.sample_all(sb.Manifest(asked))
    assert {name: array.tobytes() for name, array in together.items()} == alone
    assert list(together) == [spec.name for spec in asked]
    backwards = client.sample_all(sb.Manifest(asked[::-1]))
    assert {name: array.tobytes() for name, array in backwards.items()} == alone


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(st.sampled_from(["", "a", "b", "c"]), st.integers(0, 40)), min_size=2, max_size=8
    ),
    st.integers(0, 2**64 - 1),
    st.sampled_from([sb.GlorotUniform, sb.RandomNormal, sb.HeNormal, sb.Orthogonal]),
)
def test_a_named_result_does_not_depend_on_the_calls_before(
    client: sb.Client, calls: list[tuple[str, int]], seed: int, kind: type[sb.HeNormal]
) -> None:
    used = kind(seed=seed)
    for name, length in calls:
        got = used((length, 3), name=name, client=client)
        if name:
            assert got.tobytes() == kind(seed=seed)((length, 3), name=name, client=client).tobytes()
