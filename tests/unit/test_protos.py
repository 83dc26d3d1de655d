"""Values survive the wire, and the schema has exactly their fields and defaults."""

import json
import re
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import seedbed as sb
from seedbed.spec.dtypes import FLOATING, Dtype
from seedbed.spec.fans import FanAxes
from seedbed.spec.gains import NONLINEARITIES
from seedbed.spec.initializers import (
    DISTRIBUTIONS,
    INITIALIZERS,
    MODES,
    ONE_FAN_MODES,
    SCALINGS,
    SIDES,
    WINDOWS,
    ConstantSpec,
    DeltaOrthogonalSpec,
    DiracSpec,
    IdentitySpec,
    InitializerSpec,
    KaimingNormalSpec,
    KaimingUniformSpec,
    OrthogonalSpec,
    RandomNormalSpec,
    RandomUniformSpec,
    SparseSpec,
    STFTSpec,
    TruncatedNormalSpec,
    VarianceScalingSpec,
    XavierNormalSpec,
    XavierUniformSpec,
    ZerosSpec,
    parameters,
)
from seedbed.spec.slices import TensorSlice
from seedbed.spec.tensors import TensorRequest, TensorSpec
from seedbed.v1 import initializers_pb2, service_pb2, tensors_pb2
from seedbed.wire import protos
from tests.property.layouts import STRUCTURED, layouts, plain_layouts
from tests.specs import example, shape_for

SCHEMA = Path(__file__).parents[2] / "proto/seedbed/v1/initializers.proto"
REQUIRED: dict[type[InitializerSpec], tuple[str, ...]] = {SparseSpec: ("sparsity",)}
"""Parameters without a default."""
every_initializer = pytest.mark.parametrize("spec", INITIALIZERS.values(), ids=INITIALIZERS)

# Small enough for every rule on what float64 can hold.
numbers = st.floats(-1e100, 1e100, allow_nan=False)
scales = st.floats(0, 1e100)
pairs = st.lists(numbers, min_size=2, max_size=2).map(sorted)
initializers: st.SearchStrategy[InitializerSpec] = st.one_of(
    st.sampled_from([example(spec) for spec in INITIALIZERS.values()]),
    st.builds(OrthogonalSpec, numbers, st.integers(1, 2**40), st.sampled_from((-1, 0))),
    st.builds(DeltaOrthogonalSpec, numbers),
    st.builds(DiracSpec, st.integers(1, 2**40)),
    st.builds(SparseSpec, st.floats(0, 1), scales, st.integers(-2, 1)),
    st.builds(
        STFTSpec,
        st.sampled_from(SIDES),
        st.sampled_from((*WINDOWS, None)),
        st.sampled_from((*SCALINGS, None)),
        st.booleans(),
    ),
    st.builds(ConstantSpec, st.one_of(numbers, st.integers(-(2**63), 2**64 - 1))),
    st.builds(IdentitySpec, numbers),
    pairs.map(lambda pair: RandomUniformSpec(*pair)),
    st.builds(RandomNormalSpec, numbers, scales),
    st.builds(
        TruncatedNormalSpec, numbers, scales, st.floats(max_value=1.9), st.floats(min_value=2)
    ),
    st.builds(
        VarianceScalingSpec,
        st.floats(0, 1e100, exclude_min=True),
        st.sampled_from(MODES),
        st.sampled_from(DISTRIBUTIONS),
    ),
    st.builds(
        VarianceScalingSpec,
        st.floats(0, 1e100, exclude_min=True),
        st.sampled_from(MODES),
        lower=st.floats(max_value=1.9),
        upper=st.floats(min_value=2),
    ),
    st.builds(XavierUniformSpec, scales),
    st.builds(XavierNormalSpec, scales),
    *(
        st.builds(kind, numbers, st.sampled_from(ONE_FAN_MODES), st.sampled_from(NONLINEARITIES))
        for kind in (KaimingUniformSpec, KaimingNormalSpec)
    ),
)


def through_the_wire(request: TensorRequest) -> TensorRequest:
    """Return what a server reads of a request."""
    data = protos.tensor_request_to_proto(request).SerializeToString()
    (received,) = protos.tensor_requests_from_proto([tensors_pb2.TensorRequest.FromString(data)])
    return received


@given(initializers, st.data())
def test_every_request_comes_back_equal(initializer: InitializerSpec, data: st.DataObject) -> None:
    if isinstance(initializer, STRUCTURED):
        shape, axes = data.draw(layouts(initializer, 2**20))
    else:
        lengths = st.lists(st.integers(0, 2**10), min_size=2, max_size=5).map(tuple)
        shape, axes = data.draw(plain_layouts(data.draw(lengths), has_axes=True))
    spec = TensorSpec(
        name=data.draw(st.text(max_size=20)),
        shape=shape,
        dtype="float64",
        initializer=initializer,
        seed=data.draw(st.integers(-(2**63), 2**64 - 1)),
        draw=data.draw(st.integers(0, 2**64 - 1)),
        fan_axes=axes,
    )
    part = None
    if data.draw(st.booleans()):
        starts = tuple(data.draw(st.integers(0, n)) for n in shape)
        part = TensorSlice(
            starts,
            tuple(data.draw(st.integers(0, n - s)) for n, s in zip(shape, starts, strict=True)),
        )
    request = TensorRequest(spec, part)
    received = through_the_wire(request)
    assert received == request
    assert repr(received) == repr(request), "signs of zeros and the types of constants too"


@every_initializer
@pytest.mark.parametrize("dtype", Dtype, ids=lambda dtype: dtype.value)
def test_every_initializer_and_dtype_comes_back_equal(
    spec: type[InitializerSpec], dtype: Dtype
) -> None:
    if dtype not in spec.dtypes:
        assert dtype not in FLOATING
        return
    request = TensorRequest(TensorSpec("w", shape_for(spec), dtype, example(spec), seed=7))
    assert through_the_wire(request) == request


def test_an_empty_slice_and_empty_axes_are_not_absent() -> None:
    scalar = TensorSpec("", (), "float32", ZerosSpec(), fan_axes=FanAxes((), (), ()))
    received = through_the_wire(TensorRequest(scalar, TensorSlice((), ())))
    assert received.slice == TensorSlice((), ())
    assert received.spec.fan_axes == FanAxes((), (), ())
    assert through_the_wire(TensorRequest(scalar)).slice is None


def test_the_schema_has_every_initializer_and_no_other() -> None:
    kinds = initializers_pb2.InitializerSpec.DESCRIPTOR.oneofs_by_name["kind"].fields
    assert sorted(field.name for field in kinds) == list(INITIALIZERS)
    messages = [field.message_type.name for field in kinds if field.message_type]
    assert messages == [message_name(INITIALIZERS[field.name]) for field in kinds]


def message_name(spec: type[InitializerSpec]) -> str:
    """Return what the schema calls an initializer's message: its style has no capital acronyms."""
    return {"STFT": "Stft"}.get(spec.name(), spec.name())


@every_initializer
def test_the_schema_has_every_parameter_and_no_other(spec: type[InitializerSpec]) -> None:
    message = initializers_pb2.DESCRIPTOR.message_types_by_name[message_name(spec)]
    fields = [field.name for field in message.fields]
    if spec is ConstantSpec:
        assert [oneof.name for oneof in message.oneofs] == ["value"]
        assert fields == ["real", "integer", "large_integer"]
    else:
        assert fields == [field.name for field in parameters(spec)]


@every_initializer
def test_what_is_absent_has_the_default(spec: type[InitializerSpec]) -> None:
    message = tensors_pb2.TensorRequest()
    message.spec.dtype = tensors_pb2.DTYPE_FLOAT32
    message.spec.shape.extend(shape_for(spec))
    kind = getattr(message.spec.initializer, spec.field_name())
    kind.SetInParent()
    for name in REQUIRED.get(spec, ()):
        setattr(kind, name, getattr(example(spec), name))
    if spec is ConstantSpec:
        kind.real = 0.0
    (received,) = protos.tensor_requests_from_proto([message])
    assert received == TensorRequest(
        TensorSpec("", shape_for(spec), "float32", example(spec), seed=0)
    )
    assert type(received.spec.initializer) is spec


@pytest.mark.parametrize(
    ("spec", "name"),
    [(ConstantSpec, ""), *((spec, name) for spec, names in REQUIRED.items() for name in names)],
)
def test_what_has_no_default_must_be_there(spec: type[InitializerSpec], name: str) -> None:
    message = tensors_pb2.TensorRequest()
    message.spec.dtype = tensors_pb2.DTYPE_FLOAT32
    message.spec.shape.extend(shape_for(spec))
    getattr(message.spec.initializer, spec.field_name()).SetInParent()
    path = f"tensors[0].spec.initializer.{spec.field_name()}" + (f".{name}" if name else "")
    with pytest.raises(sb.InvalidValueError) as caught:
        protos.tensor_requests_from_proto([message])
    assert caught.value.field == path
    assert str(caught.value).startswith(f"`{path}` must be set: ")
    assert str(caught.value).endswith("Received: nothing")


PARAMETERS = [
    (spec, field.name)
    for spec in INITIALIZERS.values()
    for field in parameters(spec)
    if spec is not ConstantSpec and field.name not in REQUIRED.get(spec, ())
]


@pytest.mark.parametrize(
    ("spec", "name"), PARAMETERS, ids=[f"{s.field_name()}.{n}" for s, n in PARAMETERS]
)
def test_the_schema_says_the_default_in_words(spec: type[InitializerSpec], name: str) -> None:
    message = re.search(
        rf"^message {message_name(spec)} \{{(.*?)^\}}", SCHEMA.read_text(), re.MULTILINE | re.DOTALL
    )
    assert message
    words = re.search(rf"Absence is (\S+)\.\n[^\n]* {name} = \d+;", message[1])
    assert words, "no comment that says what absence means"
    default = getattr(example(spec), name)
    if isinstance(default, str):
        prefixes = (
            "DISTRIBUTION_",
            "FAN_MODE_",
            "NONLINEARITY_",
            "STFT_SIDE_",
            "STFT_WINDOW_",
            "STFT_SCALING_",
        )
        assert words[1] in {prefix + default.upper() for prefix in prefixes}
    else:
        assert json.loads(words[1]) == default


@pytest.mark.parametrize(
    ("value", "field"),
    [
        (0.0, "real"),
        (2.7, "real"),
        (0, "integer"),
        (-(2**63), "integer"),
        (2**63 - 1, "integer"),
        (2**63, "large_integer"),
    ],
    ids=repr,
)
def test_a_constant_travels_as_what_it_is(value: float, field: str) -> None:
    message = protos.tensor_request_to_proto(
        TensorRequest(TensorSpec("", (), "float64", ConstantSpec(value)))
    )
    assert message.spec.initializer.constant.WhichOneof("value") == field


def test_the_schema_has_every_dtype_and_no_other() -> None:
    assert {key for key, number in tensors_pb2.Dtype.items() if number} == {
        f"DTYPE_{d.name}" for d in Dtype
    }


def request_message() -> Any:
    """Return the message of a good request."""
    spec = TensorSpec("w", (4, 3), "float32", RandomNormalSpec(), seed=1, fan_axes=FanAxes())
    return protos.tensor_request_to_proto(TensorRequest(spec, TensorSlice((0, 0), (4, 3))))


def spoil_initializer(message: Any) -> None:
    message.spec.initializer.Clear()


def spoil_mode(message: Any) -> None:
    message.spec.initializer.variance_scaling.mode = 0


def spoil_distribution(message: Any) -> None:
    message.spec.initializer.variance_scaling.distribution = 77


def spoil_bounds(message: Any) -> None:
    message.spec.initializer.variance_scaling.distribution = initializers_pb2.DISTRIBUTION_UNIFORM
    message.spec.initializer.variance_scaling.upper = 1.0


def spoil_kaiming_mode(message: Any) -> None:
    message.spec.initializer.kaiming_uniform.mode = initializers_pb2.FAN_MODE_FAN_AVG


def spoil_nonlinearity(message: Any) -> None:
    message.spec.initializer.kaiming_normal.nonlinearity = initializers_pb2.NONLINEARITY_UNSPECIFIED


def spoil_gain(message: Any) -> None:
    message.spec.initializer.xavier_uniform.gain = -1.0


def spoil_fan_axes(message: Any) -> None:
    message.spec.fan_axes.in_axes[:] = [7]


def spoil_constant(message: Any) -> None:
    message.spec.initializer.constant.real = 1e300


@pytest.mark.parametrize(
    ("spoil", "path"),
    [
        (lambda m: setattr(m.spec, "dtype", 0), "spec.dtype"),
        (lambda m: setattr(m.spec, "dtype", 99), "spec.dtype"),
        (lambda m: setattr(m.spec, "name", "n" * 1025), "spec.name"),
        (lambda m: m.spec.shape.__setitem__(1, -3), "spec.shape[1]"),
        (lambda m: m.slice.lengths.__setitem__(0, 5), "slice.lengths[0]"),
        (lambda m: m.slice.starts.append(0), "slice.starts"),
        (spoil_initializer, "spec.initializer"),
        (
            lambda m: setattr(m.spec.initializer.random_normal, "stddev", -1.0),
            "spec.initializer.random_normal.stddev",
        ),
        (spoil_mode, "spec.initializer.variance_scaling.mode"),
        (spoil_distribution, "spec.initializer.variance_scaling.distribution"),
        (spoil_bounds, "spec.initializer.variance_scaling.upper"),
        (spoil_kaiming_mode, "spec.initializer.kaiming_uniform.mode"),
        (spoil_nonlinearity, "spec.initializer.kaiming_normal.nonlinearity"),
        (spoil_gain, "spec.initializer.xavier_uniform.gain"),
        (
            lambda m: setattr(m.spec.initializer.random_normal, "mean", 1e39),
            "spec.initializer.random_normal.mean",
        ),
        (spoil_constant, "spec.initializer.constant.real"),
        (spoil_fan_axes, "spec.fan_axes.in_axes[0]"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_error_has_the_path_of_its_field(spoil: Any, path: str) -> None:
    message = request_message()
    spoil(message)
    with pytest.raises(sb.InvalidArgumentError) as caught:
        protos.tensor_requests_from_proto([request_message(), message])
    assert caught.value.field == f"tensors[1].{path}"
    assert str(caught.value).startswith(f"`tensors[1].{path}` must be ")


def test_no_numerics_version_and_an_unknown_one_are_refused() -> None:
    with pytest.raises(sb.InvalidValueError, match=r"`numerics` must be named: NUMERICS_SEEDBED_1"):
        protos.numerics_from_proto(tensors_pb2.NUMERICS_UNSPECIFIED)
    assert protos.numerics_from_proto(tensors_pb2.NUMERICS_SEEDBED_1) == "seedbed-1"
    with pytest.raises(protos.UnknownNumericsError, match=r"NUMERICS_SEEDBED_1\. Received: 2"):
        protos.numerics_from_proto(2)


@pytest.mark.parametrize(
    "request_type", [service_pb2.SampleTensorsRequest, service_pb2.DigestTensorsRequest]
)
def test_no_digest_algorithm_means_xxh3(request_type: Any) -> None:
    assert protos.digest_algorithm_from_proto(request_type()) == "xxh3_128"
    for algorithm in ("xxh3_128", "sha256"):
        number = protos.digest_algorithm_to_proto(algorithm)
        assert (
            protos.digest_algorithm_from_proto(request_type(digest_algorithm=number)) == algorithm
        )
    for number in (0, 9):
        with pytest.raises(sb.InvalidValueError, match="`digest_algorithm` must be"):
            protos.digest_algorithm_from_proto(request_type(digest_algorithm=number))


@pytest.mark.parametrize("field", ["shape", "starts", "axes"])
def test_millions_of_axes_are_refused_without_looking_at_each(field: str) -> None:
    """A message of a few megabytes may hold so many, and the server checks them on its loop."""
    message = tensors_pb2.TensorRequest()
    message.spec.shape.append(1)
    rows = {
        "shape": message.spec.shape,
        "starts": message.slice.starts,
        "axes": message.spec.fan_axes.in_axes,
    }
    rows[field].extend([1] * 2**20)
    tracemalloc.start()
    try:
        faults = [fault.field for fault in protos.tensor_faults(message, "tensor")]
        with pytest.raises(sb.InvalidArgumentError):
            protos.tensor_request_from_proto(message, "tensor")
        _, most_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert any(field in each for each in faults)
    assert most_bytes < 2**20
