"""A fetch is cut into portions: every byte is in one of them, and in its order."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import seedbed as sb
from seedbed.spec.slices import TensorSlice
from seedbed.spec.tensors import TensorRequest
from seedbed.transports.base import embedded_transport
from seedbed.transports.ranges import parts, portions

KIBIBYTE = 1024

SPEC = sb.TensorSpec("w", (100, 7, 33), "float32", sb.RandomNormal(seed=1))
MODEL = sb.Manifest(
    [SPEC, *(sb.TensorSpec(f"b{i}", (i,), "bfloat16", sb.GlorotUniform(seed=2)) for i in range(40))]
)


@given(
    shape=st.lists(st.integers(0, 6), max_size=4).map(tuple),
    part_bytes=st.integers(1, 200),
    data=st.data(),
)
def test_the_parts_of_a_request_are_its_bytes_in_order(
    shape: tuple[int, ...], part_bytes: int, data: st.DataObject
) -> None:
    starts = tuple(data.draw(st.integers(0, length)) for length in shape)
    lengths = tuple(
        data.draw(st.integers(0, length - start))
        for start, length in zip(starts, shape, strict=True)
    )
    spec = sb.TensorSpec("w", shape, "float32", sb.RandomUniform(seed=3))
    request = TensorRequest(spec, data.draw(st.sampled_from([None, TensorSlice(starts, lengths)])))
    engine = embedded_transport()

    def sampled(wanted: TensorRequest) -> bytes:
        out = np.empty(wanted.size_bytes, np.uint8)
        engine.fill([wanted], [out.data], lambda size: None)
        return out.tobytes()

    whole = sampled(request)
    position = 0
    for part, begin, end in parts(request, part_bytes):
        assert begin == position
        assert part.size_bytes == end - begin
        assert sampled(part) == whole[begin:end]
        position = end
    assert position == request.size_bytes


def test_small_tensors_travel_together_and_large_ones_are_cut() -> None:
    requests = [TensorRequest(spec) for spec in MODEL.tensors]
    outs = [memoryview(bytearray(request.size_bytes)) for request in requests]
    found = list(portions(requests, outs, 8 * KIBIBYTE))
    sizes = [sum(request.size_bytes for request in portion.requests) for portion in found]
    assert sum(sizes) == sum(request.size_bytes for request in requests)
    assert max(sizes) < 3 * 8 * KIBIBYTE
    assert len(found[-1].requests) > 30
