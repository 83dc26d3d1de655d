"""Hand-written frames are protobuf's own, both ways, and no bytes crash the reader."""

from contextlib import suppress
from typing import Any

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st

from seedbed.v1 import service_pb2, tensors_pb2
from seedbed.wire.chunks import Chunk, Frame, FrameError, decode_frame, encode_frame
from tests.unknown_fields import DATA, INT64, UNKNOWN_FIELDS, varint

DIGESTS = st.builds(
    tensors_pb2.Digest,
    algorithm=st.sampled_from(tensors_pb2.DigestAlgorithm.values()),
    value=st.binary(max_size=32),
    size_bytes=INT64,
)
HEADERS = st.builds(
    tensors_pb2.TensorHeader,
    shape=st.lists(INT64, max_size=40),
    dtype=st.sampled_from(tensors_pb2.Dtype.values()),
    total_bytes=INT64,
    numerics=st.sampled_from(tensors_pb2.Numerics.values()),
)
CHUNKS = st.builds(tensors_pb2.Chunk, byte_offset=INT64, digest=st.binary(max_size=32), data=DATA)
SEGMENTS = st.builds(
    tensors_pb2.Segment, directory=st.text(max_size=40), path=st.text(max_size=40), size_bytes=INT64
)
# None stays unset; an empty submessage is set, which is not the same.
HEADS: dict[str, st.SearchStrategy[Any]] = {
    "tensor_index": INT64,
    "header": st.none() | HEADERS,
    "digest": st.none() | DIGESTS,
}
RESPONSES = st.one_of(
    st.builds(service_pb2.SampleTensorsResponse, **HEADS, chunk=st.none() | CHUNKS),
    st.builds(service_pb2.SampleTensorsResponse, **HEADS, fill=st.binary(max_size=8)),
    st.builds(service_pb2.SampleTensorsResponse, **HEADS, segment=SEGMENTS),
)


def _frame_of(response: service_pb2.SampleTensorsResponse) -> Frame:
    """Return the frame that stands for a message."""
    chunk = response.chunk
    return Frame(
        tensor_index=response.tensor_index,
        header=response.header.SerializeToString() if response.HasField("header") else None,
        chunk=Chunk(chunk.byte_offset, chunk.digest, memoryview(chunk.data))
        if response.HasField("chunk")
        else None,
        digest=response.digest.SerializeToString() if response.HasField("digest") else None,
        fill=response.fill or None,
        segment=response.segment.SerializeToString() if response.HasField("segment") else None,
    )


@settings(max_examples=300)
@given(RESPONSES)
def test_a_frame_written_by_hand_is_what_protobuf_writes(
    response: service_pb2.SampleTensorsResponse,
) -> None:
    assert encode_frame(_frame_of(response)) == response.SerializeToString()


@settings(max_examples=300)
@given(RESPONSES)
def test_a_frame_read_by_hand_is_what_protobuf_wrote(
    response: service_pb2.SampleTensorsResponse,
) -> None:
    assert decode_frame(response.SerializeToString()) == _frame_of(response)


@settings(max_examples=100)
@given(RESPONSES)
def test_protobuf_reads_what_was_written_by_hand(
    response: service_pb2.SampleTensorsResponse,
) -> None:
    assert (
        service_pb2.SampleTensorsResponse.FromString(encode_frame(_frame_of(response))) == response
    )


@settings(max_examples=200)
@given(RESPONSES, UNKNOWN_FIELDS, UNKNOWN_FIELDS)
def test_fields_of_a_later_version_are_skipped(
    response: service_pb2.SampleTensorsResponse, before: list[bytes], after: list[bytes]
) -> None:
    known = response.SerializeToString()
    assert decode_frame(b"".join(before) + known + b"".join(after)) == _frame_of(response)


@settings(max_examples=100)
@given(CHUNKS, UNKNOWN_FIELDS, UNKNOWN_FIELDS)
def test_fields_of_a_later_version_inside_a_chunk_are_skipped(
    chunk: tensors_pb2.Chunk, before: list[bytes], after: list[bytes]
) -> None:
    inner = b"".join(before) + chunk.SerializeToString() + b"".join(after)
    message = varint(4 << 3 | 2) + varint(len(inner)) + inner
    assert decode_frame(message).chunk == Chunk(
        chunk.byte_offset, chunk.digest, memoryview(chunk.data)
    )


@settings(max_examples=200)
@given(st.data(), RESPONSES)
def test_a_truncated_frame_is_refused_where_protobuf_refuses_it(
    data: st.DataObject, response: service_pb2.SampleTensorsResponse
) -> None:
    message = response.SerializeToString()
    cut = message[: data.draw(st.integers(0, len(message)))]
    try:
        expected = service_pb2.SampleTensorsResponse.FromString(cut)
    except DecodeError:
        with pytest.raises(FrameError):
            decode_frame(cut)
    else:
        assert decode_frame(cut) == _frame_of(expected)


@settings(max_examples=500)
@given(st.data(), RESPONSES)
def test_a_damaged_frame_is_read_or_refused_and_nothing_else(
    data: st.DataObject, response: service_pb2.SampleTensorsResponse
) -> None:
    message = bytearray(response.SerializeToString() or b"\0")
    for _ in range(data.draw(st.integers(1, 4))):
        message[data.draw(st.integers(0, len(message) - 1))] = data.draw(st.integers(0, 255))
    with suppress(FrameError):
        decode_frame(bytes(message))


@settings(max_examples=500)
@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused_and_nothing_else(message: bytes) -> None:
    with suppress(FrameError):
        decode_frame(message)


MALFORMED = {
    "field number 0": b"\x00\x01",
    "wire type 6": b"\x0e",
    "wire type 7": b"\x0f",
    "an index of eleven bytes": b"\x08" + b"\xff" * 10 + b"\x01",
    "an index that is cut off": b"\x08\x80",
    "a header longer than the message": b"\x12\x05abc",
    "a chunk that claims 2**63 bytes": b"\x22" + varint(2**63),
    "a running digest longer than its chunk": b"\x22\x04\x12\x03ab",
}


@pytest.mark.parametrize("message", MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed_bytes_are_refused_as_protobuf_refuses_them(message: bytes) -> None:
    with pytest.raises(DecodeError):
        service_pb2.SampleTensorsResponse.FromString(message)
    with pytest.raises(FrameError):
        decode_frame(message)
