"""Requests that a server must refuse, and the refusals: the table of test_bad_requests."""

import math
from dataclasses import dataclass
from typing import Any

from seedbed.v1 import initializers_pb2, service_pb2, streams_pb2, tensors_pb2
from tests.raw_calls import sample_request, tensor

INVALID = "INVALID_ARGUMENT"
INT64_MAX = 2**63 - 1
SPEC = "tensors[0].spec"
E4M3FN, E5M2 = tensors_pb2.DTYPE_FLOAT8_E4M3FN, tensors_pb2.DTYPE_FLOAT8_E5M2
FLOAT16, FLOAT64, INT8, UINT8, BOOL = (
    tensors_pb2.DTYPE_FLOAT16,
    tensors_pb2.DTYPE_FLOAT64,
    tensors_pb2.DTYPE_INT8,
    tensors_pb2.DTYPE_UINT8,
    tensors_pb2.DTYPE_BOOL,
)


@dataclass(frozen=True)
class Case:
    """A request, and the refusal that it must meet."""

    title: str
    request: service_pb2.SampleTensorsRequest
    field: str
    code: str = INVALID
    reason: str = "INVALID_VALUE"
    limit: str = ""
    more: tuple[str, ...] = ()
    """The fields that are wrong besides the first, in order."""


def _tensor_case(
    title: str, field: str, request: tensors_pb2.TensorRequest, **expected: Any
) -> Case:
    return Case(title, sample_request(request), field, **expected)


def _parameter_cases() -> list[Case]:
    wrong: dict[tuple[str, str], tuple[float, ...]] = {
        ("constant", "real"): (math.nan, math.inf, -math.inf),
        ("random_uniform", "minval"): (math.nan, math.inf, -math.inf),
        ("random_uniform", "maxval"): (math.nan, math.inf, -math.inf, -1.0),
        ("random_normal", "mean"): (math.nan, math.inf, -math.inf),
        ("random_normal", "stddev"): (math.nan, math.inf, -math.inf, -1.0, -5e-324),
        ("truncated_normal", "mean"): (math.nan, math.inf, -math.inf),
        ("truncated_normal", "stddev"): (math.nan, math.inf, -math.inf, -1.0),
        ("truncated_normal", "lower"): (math.nan, math.inf, 4.5),
        ("truncated_normal", "upper"): (math.nan, -math.inf, -4.5, -3.0),
        ("variance_scaling", "scale"): (math.nan, math.inf, -math.inf, -1.0, 0.0, -0.0),
        ("variance_scaling", "lower"): (math.nan, math.inf, 4.5),
        ("variance_scaling", "upper"): (math.nan, -math.inf, -4.5, -3.0),
        ("xavier_uniform", "gain"): (math.nan, math.inf, -math.inf, -1.0),
        ("xavier_normal", "gain"): (math.nan, math.inf, -math.inf, -1.0),
        ("kaiming_uniform", "a"): (math.nan, math.inf, -math.inf, 1e200),
        ("kaiming_normal", "a"): (math.nan, math.inf, -math.inf, -1e200),
        ("identity", "gain"): (math.nan, math.inf, -math.inf),
        ("orthogonal", "gain"): (math.nan, math.inf, -math.inf),
    }
    cases = []
    for (kind, parameter), values in wrong.items():
        for value in values:
            parameters: dict[str, Any] = {parameter: value}
            request = tensor((2, 2), kind, **parameters)
            path = f"{SPEC}.initializer.{kind}.{parameter}"
            cases.append(_tensor_case(f"{kind}.{parameter}={value}", path, request))
    return cases


def _representable_cases() -> list[Case]:
    def case(title: str, field: str, request: tensors_pb2.TensorRequest) -> Case:
        return _tensor_case(
            title, f"{SPEC}.initializer.{field}", request, reason="NOT_REPRESENTABLE"
        )

    return [
        case(
            "300 as uint8", "constant.integer", tensor((2,), "constant", dtype=UINT8, integer=300)
        ),
        case("-1 as uint8", "constant.integer", tensor((2,), "constant", dtype=UINT8, integer=-1)),
        case("2 as bool", "constant.integer", tensor((2,), "constant", dtype=BOOL, integer=2)),
        case("0.5 as int8", "constant.real", tensor((2,), "constant", dtype=INT8, real=0.5)),
        case("1e300 as int8", "constant.real", tensor((2,), "constant", dtype=INT8, real=1e300)),
        case("1e300 as float32", "constant.real", tensor((2,), "constant", real=1e300)),
        case(
            "70000 as float16",
            "constant.integer",
            tensor((2,), "constant", dtype=FLOAT16, integer=70_000),
        ),
        case(
            "2**64-1 as float16",
            "constant.large_integer",
            tensor((2,), "constant", dtype=FLOAT16, large_integer=2**64 - 1),
        ),
        case("gain 0.5 as int8", "identity.gain", tensor((2, 2), "identity", dtype=INT8, gain=0.5)),
        case("gain 1e300", "orthogonal.gain", tensor((2, 2), "orthogonal", gain=1e300)),
        case("mean 1e39", "random_normal.mean", tensor((2,), "random_normal", mean=1e39)),
        case("stddev 1e38", "random_normal.stddev", tensor((2,), "random_normal", stddev=1e38)),
        case(
            "maxval 1e5 as float16",
            "random_uniform.maxval",
            tensor((2,), dtype=FLOAT16, maxval=1e5),
        ),
        case(
            "scale 1e300", "variance_scaling.scale", tensor((2,), "variance_scaling", scale=1e300)
        ),
        case(
            "bounds too close",
            "variance_scaling.scale",
            tensor((2,), "variance_scaling", lower=0.0, upper=1e-300),
        ),
        case("xavier gain 1e300", "xavier_normal.gain", tensor((2,), "xavier_normal", gain=1e300)),
        case(
            "465 as float8_e4m3fn",
            "constant.integer",
            tensor((2,), "constant", dtype=E4M3FN, integer=465),
        ),
        case(
            "61440 as float8_e5m2",
            "constant.real",
            tensor((2,), "constant", dtype=E5M2, real=61440.0),
        ),
        case(
            "gain 500 as float8_e4m3fn",
            "identity.gain",
            tensor((2, 2), "identity", dtype=E4M3FN, gain=500.0),
        ),
        case(
            "mean 500 as float8_e4m3fn",
            "random_normal.mean",
            tensor((2,), "random_normal", dtype=E4M3FN, mean=5e2),
        ),
        case(
            "maxval 1e5 as float8_e5m2",
            "random_uniform.maxval",
            tensor((2,), dtype=E5M2, maxval=1e5),
        ),
    ]


def _shape_cases() -> list[Case]:
    huge = {
        "2**63-1 axes 3 times": [INT64_MAX] * 3,
        "2**63-1 axes 32 times": [INT64_MAX] * 32,
        "2**62 by 4": [2**62, 4],
        "2**61 floats": [2**61],
        "2**32 by 2**32": [2**32, 2**32],
    }
    over = {"reason": "OVER_LIMIT"}
    cases = [
        _tensor_case(title, f"{SPEC}.shape", tensor(shape), **over) for title, shape in huge.items()
    ]
    cases += [
        _tensor_case("rank 33", f"{SPEC}.shape", tensor([1] * 33), **over, limit="max_rank"),
        _tensor_case("rank 1000", f"{SPEC}.shape", tensor([1] * 1000), **over, limit="max_rank"),
        _tensor_case(
            "a frame of 2**16 + 1", f"{SPEC}.shape", tensor([65_537, 1, 9], "stft"), **over
        ),
        _tensor_case(
            "two negative lengths",
            f"{SPEC}.shape[0]",
            tensor([-2, 3, -1]),
            more=(f"{SPEC}.shape[2]",),
        ),
        _tensor_case("a negative length", f"{SPEC}.shape[1]", tensor([3, -1])),
        _tensor_case("the most negative length", f"{SPEC}.shape[0]", tensor([-(2**63), 0])),
        _tensor_case(
            "2**38 + 4 bytes",
            f"{SPEC}.shape",
            tensor([2**36 + 1]),
            **over,
            limit="max_tensor_bytes",
        ),
        Case(
            "2**40 + bytes in all",
            sample_request(*[tensor([2**36])] * 5),
            "tensors",
            reason="OVER_LIMIT",
            limit="max_request_bytes",
        ),
        _tensor_case("an orthogonal vector", f"{SPEC}.shape", tensor([4], "orthogonal")),
        _tensor_case("an orthogonal scalar", f"{SPEC}.shape", tensor([], "orthogonal")),
        _tensor_case(
            "a large orthogonal",
            f"{SPEC}.shape",
            tensor([2**14, 2**13], "orthogonal"),
            reason="OVER_LIMIT",
            limit="max_orthogonal_elements",
        ),
        _tensor_case("an identity of rank 3", f"{SPEC}.shape", tensor([2, 2, 2], "identity")),
        _tensor_case("an identity of rank 1", f"{SPEC}.shape", tensor([2], "identity")),
    ]
    random = (
        "random_uniform",
        "random_normal",
        "truncated_normal",
        "variance_scaling",
        "glorot_uniform",
    )
    for kind in (*random, "xavier_uniform", "kaiming_normal"):
        for dtype in (INT8, BOOL, tensors_pb2.DTYPE_UINT64):
            cases.append(
                _tensor_case(
                    f"{kind} as dtype {dtype}", f"{SPEC}.dtype", tensor((2,), kind, dtype=dtype)
                )
            )
    return cases


def _changed(
    request: tensors_pb2.TensorRequest | None = None, **fields: Any
) -> tensors_pb2.TensorRequest:
    request = request if request is not None else tensor((4, 4))
    request.MergeFrom(tensors_pb2.TensorRequest(**fields))
    return request


def _spec_cases() -> list[Case]:
    unset = tensor()
    unset.spec.ClearField("initializer")
    empty = tensor()
    empty.spec.initializer.Clear()
    bounded = tensor(
        kind="variance_scaling", distribution=initializers_pb2.DISTRIBUTION_UNIFORM, lower=-1.0
    )
    kaiming = f"{SPEC}.initializer.kaiming_normal"
    mode = f"{SPEC}.initializer.variance_scaling.mode"
    distribution = f"{SPEC}.initializer.variance_scaling.distribution"
    long = {"reason": "OVER_LIMIT", "limit": "max_name_bytes"}
    unknown = tensor()
    unknown.spec.initializer.ParseFromString(b"\xaa\x06\x00")  # the field 101
    names = {
        "a name of 1,025 bytes": "n" * 1025,
        "a name of 513 letters of two bytes": "é" * 513,
        "a name of 1 MB": "n" * 10**6,
        "a name of quotes": '"' * 10**4,
        "a name of emoji": "\U0001f331" * 10**4,
    }
    cases = [
        *(
            _tensor_case(title, f"{SPEC}.name", tensor(name=name), **long)
            for title, name in names.items()
        ),
        _tensor_case("an initializer of a later version", f"{SPEC}.initializer", unknown),
        _tensor_case(
            "sparse without sparsity",
            f"{SPEC}.initializer.sparse.sparsity",
            tensor((2, 2), "sparse"),
        ),
        _tensor_case(
            "a large integer that is small",
            f"{SPEC}.initializer.constant.large_integer",
            tensor((2,), "constant", dtype=tensors_pb2.DTYPE_UINT64, large_integer=5),
        ),
        _tensor_case(
            "a constant of no value", f"{SPEC}.initializer.constant", tensor((2,), "constant")
        ),
        _tensor_case(
            "fan axes without an axis",
            f"{SPEC}.fan_axes.in_axes",
            _changed(tensor((3, 3, 2, 2), "dirac"), spec={"fan_axes": {}}),
        ),
        _tensor_case("no dtype", f"{SPEC}.dtype", tensor(dtype=0)),
        _tensor_case("dtype 99", f"{SPEC}.dtype", tensor(dtype=99)),
        _tensor_case("dtype -1", f"{SPEC}.dtype", tensor(dtype=-1)),
        _tensor_case("mode 7", mode, tensor(kind="variance_scaling", mode=7)),
        _tensor_case("mode unspecified", mode, tensor(kind="variance_scaling", mode=0)),
        _tensor_case(
            "distribution 9", distribution, tensor(kind="variance_scaling", distribution=9)
        ),
        _tensor_case(
            "distribution unspecified",
            distribution,
            tensor(kind="variance_scaling", distribution=0),
        ),
        _tensor_case("kaiming mode 3", f"{kaiming}.mode", tensor(kind="kaiming_normal", mode=3)),
        _tensor_case(
            "kaiming mode unspecified", f"{kaiming}.mode", tensor(kind="kaiming_normal", mode=0)
        ),
        _tensor_case(
            "nonlinearity 7",
            f"{kaiming}.nonlinearity",
            tensor(kind="kaiming_normal", nonlinearity=7),
        ),
        _tensor_case(
            "nonlinearity 0",
            f"{kaiming}.nonlinearity",
            tensor(kind="kaiming_normal", nonlinearity=0),
        ),
        _tensor_case("a bounded uniform", f"{SPEC}.initializer.variance_scaling.lower", bounded),
        _tensor_case("no initializer", f"{SPEC}.initializer", unset),
        _tensor_case("an initializer of no kind", f"{SPEC}.initializer", empty),
        _tensor_case("no spec", SPEC, tensors_pb2.TensorRequest()),
        _tensor_case(
            "an empty spec",
            f"{SPEC}.dtype",
            tensors_pb2.TensorRequest(spec={}),
            more=(f"{SPEC}.initializer",),
        ),
        Case(
            "a second tensor that is wrong",
            sample_request(tensor(), tensor([-1])),
            "tensors[1].spec.shape[0]",
        ),
    ]
    part = "tensors[0].slice"
    for fields, starts, lengths in (
        (("starts",), [0], [1, 1]),
        (("lengths",), [0, 0], [1]),
        (("starts", "lengths"), [0, 0, 0], [1, 1, 1]),
        (("starts", "lengths"), [], []),
    ):
        first, *more = [f"{part}.{field}" for field in fields]
        request = _changed(slice={"starts": starts, "lengths": lengths})
        title = f"a slice of {starts}, {lengths}"
        cases.append(_tensor_case(title, first, request, more=tuple(more)))
    for field, starts, lengths in (
        ("starts[0]", [-1, 0], [1, 1]),
        ("starts[1]", [0, 5], [1, 0]),
        ("lengths[1]", [0, 4], [1, 1]),
        ("lengths[0]", [1, 0], [4, 1]),
        ("lengths[0]", [0, 0], [-1, 1]),
        ("lengths[1]", [0, 1], [1, INT64_MAX]),
        ("starts[0]", [INT64_MAX, 0], [1, 1]),
    ):
        request = _changed(slice={"starts": starts, "lengths": lengths})
        title = f"a slice of {starts}, {lengths}"
        path = f"{part}.{field}"
        cases.append(_tensor_case(title, path, request, reason="SLICE_OUT_OF_RANGE"))
    for title, field, axes in (
        ("an input axis outside", "in_axes[0]", {"in_axes": [2], "out_axes": [0]}),
        ("an output axis outside", "out_axes[0]", {"in_axes": [0], "out_axes": [-3]}),
        (
            "a batch axis of 2**62",
            "batch_axes[0]",
            {"in_axes": [0], "out_axes": [1], "batch_axes": [2**62]},
        ),
        ("an axis twice", "out_axes[0]", {"in_axes": [0], "out_axes": [-2]}),
        ("an input axis twice", "in_axes[1]", {"in_axes": [1, 1]}),
    ):
        request = _changed(spec={"fan_axes": axes})
        cases.append(_tensor_case(title, f"{SPEC}.fan_axes.{field}", request))
    return cases


def _request_cases() -> list[Case]:
    def resume(index: int, offset: int) -> service_pb2.SampleTensorsRequest:
        point = streams_pb2.ResumePoint(tensor_index=index, byte_offset=offset)
        return sample_request(tensor((4,)), tensor((4,)), resume=point)

    beyond = {"code": "OUT_OF_RANGE", "reason": "RESUME_OUT_OF_RANGE"}
    cases = [
        Case("no tensors", sample_request(), "tensors"),
        Case(
            "10,001 tensors",
            sample_request(*[tensor(name="")] * 10_001),
            "tensors",
            reason="OVER_LIMIT",
            limit="max_tensors_per_request",
        ),
        Case(
            "numerics 42",
            sample_request(tensor(), numerics=42),
            "numerics",
            "UNIMPLEMENTED",
            "UNKNOWN_NUMERICS",
        ),
        Case("no numerics", sample_request(tensor(), numerics=0), "numerics"),
        Case("digest 5", sample_request(tensor(), digest_algorithm=5), "digest_algorithm"),
        Case(
            "digest unspecified", sample_request(tensor(), digest_algorithm=0), "digest_algorithm"
        ),
        Case("a resume of tensor -1", resume(-1, 0), "resume.tensor_index"),
        Case("a resume at byte -4", resume(0, -4), "resume.byte_offset"),
        Case("a resume inside an element", resume(1, 3), "resume.byte_offset"),
        Case("a resume after the last tensor", resume(2, 0), "resume.tensor_index", **beyond),
        Case("a resume of tensor 2**63-1", resume(INT64_MAX, 0), "resume.tensor_index", **beyond),
        Case("a resume after the last byte", resume(0, 20), "resume.byte_offset", **beyond),
        Case("a resume at byte 2**63-1", resume(1, INT64_MAX), "resume.byte_offset", **beyond),
    ]
    chunks = "transfer.max_chunk_bytes"
    for size in (0, -1, 15, -(2**63)):
        request = sample_request(tensor(), max_chunk_bytes=size)
        cases.append(Case(f"chunks of {size} bytes", request, chunks))
    for size in (4 * 2**20, INT64_MAX):
        request = sample_request(tensor(), max_chunk_bytes=size)
        over = {"reason": "OVER_LIMIT", "limit": "max_chunk_bytes"}
        cases.append(Case(f"chunks of {size} bytes", request, chunks, **over))
    return cases


def _several_cases() -> list[Case]:
    """Requests with more than one fault: all are told, in the order of the schema's fields."""
    wrong = tensor([3, -1], "truncated_normal", name="n" * 2000, dtype=99, stddev=-1.0, lower=9.0)
    wrong.MergeFrom(
        tensors_pb2.TensorRequest(
            spec={"fan_axes": {"in_axes": [5], "out_axes": [0, -2]}}, slice={"starts": [0]}
        )
    )
    scaling = tensor(
        (2,), "variance_scaling", scale=0.0, mode=9, distribution=0, lower=math.nan, upper=-9.0
    )
    far = streams_pb2.ResumePoint(tensor_index=-1, byte_offset=-2)
    vector = _changed(tensor((4,), "orthogonal"), slice={"starts": [2, 5], "lengths": [1, 1]})
    return [
        Case(
            "a tensor that is wrong everywhere",
            sample_request(wrong),
            f"{SPEC}.name",
            reason="OVER_LIMIT",
            limit="max_name_bytes",
            more=(
                f"{SPEC}.shape[1]",
                f"{SPEC}.dtype",
                f"{SPEC}.initializer.truncated_normal.stddev",
                f"{SPEC}.initializer.truncated_normal.lower",
                f"{SPEC}.fan_axes.in_axes[0]",
                f"{SPEC}.fan_axes.out_axes[1]",
            ),
        ),
        Case(
            "an initializer that is wrong everywhere",
            sample_request(scaling),
            f"{SPEC}.initializer.variance_scaling.scale",
            more=tuple(
                f"{SPEC}.initializer.variance_scaling.{name}"
                for name in ("mode", "distribution", "lower", "upper")
            ),
        ),
        Case(
            "tensors, the first and the third of which are wrong",
            sample_request(tensor([-1]), tensor(), tensor(dtype=0), numerics=0),
            f"{SPEC}.shape[0]",
            more=("tensors[2].spec.dtype", "numerics"),
        ),
        Case(
            "a tensor over a limit before one that is wrong",
            sample_request(tensor([2**36 + 1]), tensor(kind="random_normal", stddev=-1.0)),
            f"{SPEC}.shape",
            reason="OVER_LIMIT",
            limit="max_tensor_bytes",
            more=("tensors[1].spec.initializer.random_normal.stddev",),
        ),
        Case(
            "a shape and a slice that do not fit",
            sample_request(vector),
            f"{SPEC}.shape",
            more=("tensors[0].slice.starts", "tensors[0].slice.lengths"),
        ),
        Case(
            "everything but the tensors",
            sample_request(numerics=0, digest_algorithm=9, resume=far, max_chunk_bytes=1),
            "tensors",
            more=(
                "numerics",
                "digest_algorithm",
                "resume.tensor_index",
                "resume.byte_offset",
                "transfer.max_chunk_bytes",
            ),
        ),
    ]


CASES = [
    *_request_cases(),
    *_spec_cases(),
    *_shape_cases(),
    *_parameter_cases(),
    *_representable_cases(),
    *_several_cases(),
]
