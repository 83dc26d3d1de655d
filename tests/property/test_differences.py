"""A request that a server repeats is the one it was sent, or the difference has a name."""

import pytest
from hypothesis import given, settings

import seedbed as sb
from seedbed.spec.slices import TensorSlice
from seedbed.spec.tensors import TensorRequest, TensorSpec
from seedbed.v1 import tensors_pb2
from seedbed.wire.protos import FieldDifference, difference, tensor_request_to_proto
from tests.property.strategies import specs_and_slices
from tests.unknown_fields import field, varint

Part = tuple[TensorSpec, TensorSlice]
Request = tensors_pb2.TensorRequest


@settings(max_examples=200)
@given(specs_and_slices(), specs_and_slices())
def test_requests_differ_in_a_field_exactly_if_they_are_not_the_same(
    asked: Part, understood: Part
) -> None:
    request, other = TensorRequest(*asked), TensorRequest(*understood)
    assert difference(request, tensor_request_to_proto(request)) is None
    found = difference(request, tensor_request_to_proto(other))
    assert (found is None) == (request.key == other.key)
    assert found is None or found.asked != found.understood


def _request(**changes: object) -> TensorRequest:
    fields = {
        "name": "w",
        "shape": (4, 3),
        "dtype": "float32",
        "initializer": sb.RandomNormal(seed=1),
        "draw": 2,
    }
    return TensorRequest(TensorSpec(**fields | changes))  # type: ignore[arg-type]


DIFFERENCES = {
    "name": (_request(name="v"), FieldDifference("spec.name", "'w'", "'v'")),
    "shape": (_request(shape=(3, 4)), FieldDifference("spec.shape", "[4, 3]", "[3, 4]")),
    "dtype": (
        _request(dtype="float16"),
        FieldDifference("spec.dtype", "DTYPE_FLOAT32", "DTYPE_FLOAT16"),
    ),
    "parameter": (
        _request(initializer=sb.RandomNormal(stddev=-0.0, seed=1)),
        FieldDifference("spec.initializer.random_normal.stddev", "0.05", "-0.0"),
    ),
    "initializer": (
        _request(initializer=sb.Zeros(), seed=1),
        FieldDifference("spec.initializer.zeros", "nothing", "{}"),
    ),
    "axes": (
        _request(fan_axes=sb.FanAxes(in_axis=(0,), out_axis=(1,))),
        FieldDifference("spec.fan_axes", "nothing", "{in_axes: 0 out_axes: 1}"),
    ),
}


@pytest.mark.parametrize(("other", "expected"), DIFFERENCES.values(), ids=DIFFERENCES.keys())
def test_the_first_difference_is_named(other: TensorRequest, expected: FieldDifference) -> None:
    assert difference(_request(), tensor_request_to_proto(other)) == expected


def test_zeros_of_different_signs_are_different() -> None:
    positive, negative = (_request(initializer=sb.Constant(value)) for value in (0.0, -0.0))
    found = difference(negative, tensor_request_to_proto(positive))
    assert found == FieldDifference("spec.initializer.constant.real", "-0.0", "0.0")


def test_a_default_that_is_not_written_out_is_no_difference() -> None:
    repeated = tensor_request_to_proto(_request())
    repeated.spec.initializer.random_normal.ClearField("stddev")
    assert difference(_request(), repeated) is None


def test_fields_in_another_order_are_no_difference() -> None:
    request = TensorRequest(_request().spec, TensorSlice((0, 0), (4, 3)))
    whole = tensor_request_to_proto(request)
    parts = [Request(slice=whole.slice), Request(spec=whole.spec)]
    repeated = Request.FromString(b"".join(part.SerializeToString() for part in parts))
    assert difference(request, repeated) is None


def test_a_field_that_the_client_does_not_know_is_a_difference() -> None:
    data = tensor_request_to_proto(_request()).SerializeToString() + field(99, 0, varint(1))
    found = difference(_request(), Request.FromString(data))
    assert found == FieldDifference(
        "a field that this client does not know", "nothing", "something"
    )


def test_nothing_at_all_is_a_difference() -> None:
    found = difference(_request(), Request())
    assert found is not None
    assert (found.field, found.understood) == ("spec", "nothing")


def test_a_long_value_is_cut_off() -> None:
    found = difference(_request(), tensor_request_to_proto(_request(name="\x1b" * 1000)))
    assert found is not None
    assert len(found.understood) <= 80
    assert found.understood.isprintable()
