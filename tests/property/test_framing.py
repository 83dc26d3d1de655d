"""Hand-written messages are protobuf's own, both ways, and no bytes crash the reader."""

from contextlib import suppress
from typing import Any

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st

from seedbed.v1 import segments_pb2, service_pb2, streams_pb2, tensors_pb2
from seedbed.wire.parts import Chunk, MalformedError, Part, decode_parts, encode_part
from tests.unknown_fields import DATA, INT64, UNKNOWN_FIELDS, field_of, varint

DIGESTS = st.builds(
    tensors_pb2.Digest,
    algorithm=st.sampled_from(tensors_pb2.DigestAlgorithm.values()),
    value=st.binary(max_size=32),
    size_bytes=INT64,
)
HEADERS = st.builds(
    streams_pb2.TensorHeader,
    shape=st.lists(INT64, max_size=40),
    dtype=st.sampled_from(tensors_pb2.Dtype.values()),
    total_bytes=INT64,
    numerics=st.sampled_from(tensors_pb2.Numerics.values()),
)
CHUNKS = st.builds(streams_pb2.Chunk, byte_offset=INT64, digest=st.binary(max_size=32), data=DATA)
SEGMENTS = st.builds(
    segments_pb2.Segment,
    directory=st.text(max_size=40),
    path=st.text(max_size=40),
    size_bytes=INT64,
)
# None stays unset; an empty submessage is set, which is not the same.
HEADS: dict[str, st.SearchStrategy[Any]] = {
    "tensor_index": INT64,
    "header": st.none() | HEADERS,
    "digest": st.none() | DIGESTS,
}
PARTS = st.one_of(
    st.builds(streams_pb2.TensorPart, **HEADS, chunk=st.none() | CHUNKS),
    st.builds(streams_pb2.TensorPart, **HEADS, fill=st.binary(max_size=8)),
    st.builds(streams_pb2.TensorPart, **HEADS, segment=SEGMENTS),
)
RESPONSES = st.builds(service_pb2.SampleTensorsResponse, parts=st.lists(PARTS, max_size=3))


def _part(message: streams_pb2.TensorPart) -> Part:
    """Return the part that stands for a message's."""
    chunk = message.chunk
    return Part(
        tensor_index=message.tensor_index,
        header=message.header.SerializeToString() if message.HasField("header") else None,
        chunk=Chunk(chunk.byte_offset, chunk.digest, memoryview(chunk.data))
        if message.HasField("chunk")
        else None,
        digest=message.digest.SerializeToString() if message.HasField("digest") else None,
        fill=message.fill if message.HasField("fill") else None,
        segment=message.segment.SerializeToString() if message.HasField("segment") else None,
    )


def _parts(response: service_pb2.SampleTensorsResponse) -> list[Part]:
    return [_part(part) for part in response.parts]


def _encoded(response: service_pb2.SampleTensorsResponse) -> bytes:
    """Return the same message written by hand."""
    return b"".join(encode_part(part) for part in _parts(response))


@settings(max_examples=300)
@given(RESPONSES)
def test_a_message_written_by_hand_is_what_protobuf_writes(
    response: service_pb2.SampleTensorsResponse,
) -> None:
    assert _encoded(response) == response.SerializeToString()


@settings(max_examples=300)
@given(RESPONSES)
def test_a_message_read_by_hand_is_what_protobuf_wrote(
    response: service_pb2.SampleTensorsResponse,
) -> None:
    assert decode_parts(response.SerializeToString()) == _parts(response)


@settings(max_examples=100)
@given(RESPONSES)
def test_protobuf_reads_what_was_written_by_hand(
    response: service_pb2.SampleTensorsResponse,
) -> None:
    assert service_pb2.SampleTensorsResponse.FromString(_encoded(response)) == response


@settings(max_examples=200)
@given(RESPONSES, UNKNOWN_FIELDS, UNKNOWN_FIELDS)
def test_fields_of_a_later_version_are_skipped(
    response: service_pb2.SampleTensorsResponse, before: list[bytes], after: list[bytes]
) -> None:
    known = response.SerializeToString()
    assert decode_parts(b"".join(before) + known + b"".join(after)) == _parts(response)


@settings(max_examples=100)
@given(CHUNKS, UNKNOWN_FIELDS, UNKNOWN_FIELDS)
def test_fields_of_a_later_version_inside_a_chunk_are_skipped(
    chunk: streams_pb2.Chunk, before: list[bytes], after: list[bytes]
) -> None:
    inner = b"".join(before) + chunk.SerializeToString() + b"".join(after)
    (part,) = decode_parts(field_of(1, field_of(4, inner)))
    assert part.chunk == Chunk(chunk.byte_offset, chunk.digest, memoryview(chunk.data))


@settings(max_examples=200)
@given(st.data(), RESPONSES)
def test_a_truncated_message_is_refused_where_protobuf_refuses_it(
    data: st.DataObject, response: service_pb2.SampleTensorsResponse
) -> None:
    message = response.SerializeToString()
    cut = message[: data.draw(st.integers(0, len(message)))]
    try:
        expected = service_pb2.SampleTensorsResponse.FromString(cut)
    except DecodeError:
        with pytest.raises(MalformedError):
            decode_parts(cut)
    else:
        assert decode_parts(cut) == _parts(expected)


@settings(max_examples=500)
@given(st.data(), RESPONSES)
def test_a_damaged_message_is_read_or_refused_and_nothing_else(
    data: st.DataObject, response: service_pb2.SampleTensorsResponse
) -> None:
    message = bytearray(response.SerializeToString() or b"\0")
    for _ in range(data.draw(st.integers(1, 4))):
        message[data.draw(st.integers(0, len(message) - 1))] = data.draw(st.integers(0, 255))
    with suppress(MalformedError):
        decode_parts(bytes(message))


@settings(max_examples=500)
@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused_and_nothing_else(message: bytes) -> None:
    with suppress(MalformedError):
        decode_parts(message)


MALFORMED = {
    "field number 0": b"\x00\x01",
    "wire type 6": b"\x0e",
    "wire type 7": b"\x0f",
    "a part longer than the message": b"\x0a\x05abc",
    "an index of eleven bytes": b"\x0a\x0c\x08" + b"\xff" * 10 + b"\x01",
    "an index that is cut off": b"\x0a\x02\x08\x80",
    "a header longer than its part": b"\x0a\x05\x12\x05abc",
    "a chunk that claims 2**63 bytes": b"\x0a\x0b\x22" + varint(2**63),
    "a running digest longer than its chunk": b"\x0a\x06\x22\x04\x12\x03ab",
}


@pytest.mark.parametrize("message", MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed_bytes_are_refused_as_protobuf_refuses_them(message: bytes) -> None:
    with pytest.raises(DecodeError):
        service_pb2.SampleTensorsResponse.FromString(message)
    with pytest.raises(MalformedError):
        decode_parts(message)
