"""Counting the fields of a message without parsing it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.v1 import service_pb2
from seedbed.wire.field_count import has_more_fields
from tests.raw_calls import large_request, sample_request, tensor

EMPTY_TENSOR = bytes((1 << 3 | 2, 0))


@pytest.mark.parametrize("count", [1, 7, 200])
def test_a_request_has_a_field_for_each_tensor_and_its_other_ones(count: int) -> None:
    data = sample_request(*[tensor(name="n" * 200)] * count, max_chunk_bytes=64).SerializeToString()
    assert has_more_fields(data, count + 1)  # and its numerics and transfer
    assert not has_more_fields(data, count + 2)


def test_fields_of_every_kind_are_counted() -> None:
    kinds = {
        "varint": b"\x10\x81\x01",
        "eight bytes": b"\x79" + bytes(8),
        "a length": b"\x0a\x02ab",
        "four bytes": b"\x7d" + bytes(4),
        "a group": b"\x7b\x7c",
        "a key of two bytes": b"\xfa\x7f\x00",
    }
    data = b"".join(kinds.values())
    assert has_more_fields(data, len(kinds))  # a group's end counts, too
    assert not has_more_fields(data, len(kinds) + 1)


def test_millions_of_tensors_are_not_all_looked_at() -> None:
    assert has_more_fields(EMPTY_TENSOR * 2**21, 20_000)
    assert not has_more_fields(large_request(2**30).SerializeToString(), 20_000)


@given(st.binary(max_size=300), st.integers(0, 50))
def test_any_bytes_have_an_answer_and_a_message_is_never_refused_below_the_limit(
    data: bytes, most: int
) -> None:
    has_more_fields(data, most)
    request = service_pb2.SampleTensorsRequest(tensors=[tensor().__class__()] * most)
    assert not has_more_fields(request.SerializeToString(), most)
