"""Wrong requests by gRPC, without the SDK; no language's suggestion goes with them."""

from seedbed.v1 import service_pb2, streams_pb2, tensors_pb2
from tests.contract.wrong_inputs.case import Case
from tests.raw_calls import sample_request, tensor


def _sliced(starts: list[int], lengths: list[int]) -> service_pb2.SampleTensorsRequest:
    request = tensor((4, 6))
    request.slice.CopyFrom(tensors_pb2.TensorSlice(starts=starts, lengths=lengths))
    return sample_request(request)


SPEC = "`tensors[0].spec"

MESSAGES: dict[str, Case] = {
    "no tensors": Case(sample_request(), "`tensors`", "one tensor or more", "0"),
    "no numerics": Case(
        sample_request(tensor(), numerics=0),
        "`numerics`",
        "NUMERICS_SEEDBED_1",
        "NUMERICS_UNSPECIFIED",
    ),
    "no dtype": Case(sample_request(tensor(dtype=0)), f"{SPEC}.dtype`", "DTYPE_", "0"),
    "an unknown dtype": Case(sample_request(tensor(dtype=999)), f"{SPEC}.dtype`", "DTYPE_", "999"),
    "a negative length": Case(
        sample_request(tensor((4, -1))), f"{SPEC}.shape[1]`", "0 or more", "-1"
    ),
    "a tensor too large": Case(
        sample_request(tensor((2**40, 2))),
        f"{SPEC}.shape`",
        "max_tensor_bytes",
        "[1099511627776, 2]",
    ),
    "a negative stddev": Case(
        sample_request(tensor((4,), "random_normal", stddev=-1.0)),
        f"{SPEC}.initializer.random_normal.stddev`",
        "0 or more",
        "-1.0",
    ),
    "an unknown mode": Case(
        sample_request(tensor((4, 4), "variance_scaling", mode=77)),
        f"{SPEC}.initializer.variance_scaling.mode`",
        "FAN_MODE_FAN_IN",
        "77",
    ),
    "no sparsity": Case(
        sample_request(tensor((4, 4), "sparse")),
        f"{SPEC}.initializer.sparse.sparsity`",
        "no default",
        "nothing",
    ),
    "an orthogonal vector": Case(
        sample_request(tensor((4,), "orthogonal")), f"{SPEC}.shape`", "two axes", "[4]"
    ),
    "random integers": Case(
        sample_request(tensor((4,), dtype=tensors_pb2.DTYPE_INT8)),
        f"{SPEC}.dtype`",
        "for random_uniform",
        "DTYPE_INT8",
    ),
    "a slice of another rank": Case(
        _sliced([0], [1]), "`tensors[0].slice.starts`", "2 numbers", "[0]"
    ),
    "a slice beyond the end": Case(
        _sliced([2, 0], [3, 6]), "`tensors[0].slice.lengths[0]`", "from 0 to 2", "3"
    ),
    "a resume beyond the tensors": Case(
        sample_request(tensor(), resume=streams_pb2.ResumePoint(tensor_index=3)),
        "`resume.tensor_index`",
        "at most 0",
        "3",
    ),
    "a resume within an element": Case(
        sample_request(tensor(), resume=streams_pb2.ResumePoint(byte_offset=2)),
        "`resume.byte_offset`",
        "a multiple of 4",
        "2",
    ),
    "an unknown digest": Case(
        sample_request(tensor(), digest_algorithm=9), "`digest_algorithm`", "DIGEST_ALGORITHM_", "9"
    ),
    "a chunk too small": Case(
        sample_request(tensor(), max_chunk_bytes=3), "`transfer.max_chunk_bytes`", "from 16", "3"
    ),
    "a chunk too large": Case(
        sample_request(tensor(), max_chunk_bytes=2**30),
        "`transfer.max_chunk_bytes`",
        "at most",
        str(2**30),
    ),
}
