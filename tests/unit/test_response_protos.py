"""A server's answers come back equal; a newer one's unknown fields and values are left out."""

import dataclasses
import json
import math
from typing import Any

import pytest

import seedbed as sb
from seedbed.spec.digests import DIGEST_ALGORITHMS, digest_bytes
from seedbed.spec.dtypes import FLOATING, Dtype
from seedbed.spec.info import CAPABILITIES, NUMERICS, Limits, ServerInfo, TensorDescription
from seedbed.spec.initializers import INITIALIZERS, WINDOWS, parameters
from seedbed.spec.tensors import TensorRequest
from seedbed.v1 import descriptions_pb2, service_pb2, streams_pb2, tensors_pb2
from seedbed.wire import protos
from seedbed_server.sampling.descriptions import catalogue
from tests.specs import example

INFO = ServerInfo(
    version="1.2.3",
    numerics=("seedbed-1",),
    dtypes=tuple(Dtype),
    digest_algorithms=DIGEST_ALGORITHMS,
    capabilities=CAPABILITIES,
    backend="cpu",
    device="A processor",
    threads=7,
    limits=Limits(*range(11, 25)),
)

DESCRIPTIONS = [
    TensorDescription("w", (4, 3), Dtype.FLOAT32, 48, 1),  # of an STFT
    TensorDescription(
        "q", (8, 8), Dtype.FLOAT32, 256, 1, distribution="orthogonal", gain=-2.0, rows=8, columns=4
    ),
    TensorDescription(
        "s",
        (8, 8),
        Dtype.FLOAT32,
        256,
        1,
        distribution="sparse",
        stddev=0.01,
        zeros_per_line=3,
        line_length=8,
    ),
    TensorDescription("c", (1,), Dtype.UINT64, 8, 1, distribution="constant", value=2**64 - 1),
    TensorDescription(
        "u",
        (),
        Dtype.BFLOAT16,
        2,
        1,
        3.0,
        4.5,
        "uniform",
        minval=-0.5,
        maxval=0.5,
        sampled_elements=1,
    ),
    TensorDescription(
        "n", (0,), Dtype.FLOAT64, 0, 0, distribution="untruncated_normal", mean=-0.0, stddev=0.0
    ),
    TensorDescription(
        "t",
        (2,),
        Dtype.FLOAT16,
        4,
        1,
        distribution="truncated_normal",
        mean=0.0,
        stddev=1.0,
        lower=-math.inf,
        upper=2.0,
    ),
    TensorDescription(
        "o", (2, 2), Dtype.FLOAT64, 2**62, 2**40, sampled_elements=2**61, working_bytes=2**62
    ),
    TensorDescription("i", (2, 2), Dtype.INT8, 4, 1, distribution="diagonal", value=0.0),
]


def test_the_self_description_of_a_server_comes_back_equal() -> None:
    data = protos.server_info_to_proto(INFO).SerializeToString()
    assert protos.server_info_from_proto(service_pb2.GetServerInfoResponse.FromString(data)) == INFO


def test_the_schema_has_every_limit_and_no_other() -> None:
    assert [f.name for f in service_pb2.Limits.DESCRIPTOR.fields] == list(
        Limits.__dataclass_fields__
    )


def test_what_a_newer_server_has_besides_is_left_out() -> None:
    message = protos.server_info_to_proto(INFO)
    message.dtypes.append(99)  # type: ignore[arg-type]  # proto3 enums are open
    message.numerics.append(99)  # type: ignore[arg-type]
    message.digest_algorithms.append(99)  # type: ignore[arg-type]
    assert protos.server_info_from_proto(message) == INFO


def test_the_catalogue_comes_back_equal() -> None:
    data = protos.initializer_infos_to_proto(catalogue()).SerializeToString()
    assert (
        protos.initializer_infos_from_proto(service_pb2.ListInitializersResponse.FromString(data))
        == catalogue()
    )


def test_the_catalogue_is_that_of_the_specs() -> None:
    infos = catalogue()
    assert [info.name for info in infos] == sorted(spec.name() for spec in INITIALIZERS.values())
    for info in infos:
        spec = INITIALIZERS[info.field]
        assert (info.name, info.aliases, info.dtypes, info.random) == (
            spec.name(),
            spec.aliases,
            spec.dtypes,
            spec.random,
        )
        defaults = {parameter.name: parameter.default for parameter in info.parameters}
        assert defaults == {field.name: field.default for field in parameters(spec)}
        given = {name: default for name, default in defaults.items() if default is not None}
        assert dataclasses.replace(example(spec), **given) == example(spec)
        assert info.description
        assert all(parameter.description for parameter in info.parameters)


def test_the_catalogue_says_which_texts_are_allowed() -> None:
    choices = {
        (info.field, parameter.name): parameter.choices
        for info in catalogue()
        for parameter in info.parameters
        if parameter.type == "string"
    }
    assert choices == {
        ("kaiming_normal", "mode"): ("fan_in", "fan_out"),
        ("kaiming_normal", "nonlinearity"): (
            "linear",
            "sigmoid",
            "tanh",
            "relu",
            "leaky_relu",
            "selu",
        ),
        ("kaiming_uniform", "mode"): ("fan_in", "fan_out"),
        ("kaiming_uniform", "nonlinearity"): (
            "linear",
            "sigmoid",
            "tanh",
            "relu",
            "leaky_relu",
            "selu",
        ),
        ("stft", "side"): ("real", "imag"),
        ("stft", "window"): (*WINDOWS, "none"),
        ("stft", "scaling"): ("density", "spectrum", "none"),
        ("variance_scaling", "mode"): ("fan_in", "fan_out", "fan_avg", "fan_geo_avg"),
        ("variance_scaling", "distribution"): ("uniform", "truncated_normal", "untruncated_normal"),
    }
    assert {parameter.type for info in catalogue() for parameter in info.parameters} == {
        "string",
        "float",
        "integer",
        "boolean",
    }


def test_defaults_travel_as_json() -> None:
    for info in protos.initializer_infos_to_proto(catalogue()).initializers:
        for parameter in info.parameters:
            json.loads(
                parameter.default_json,
                parse_constant=lambda text: pytest.fail(f"{text} is no JSON"),
            )


def test_descriptions_come_back_equal() -> None:
    request = TensorRequest(sb.TensorSpec("w", (4, 3), "float32", sb.Zeros()))
    described = [(request, each) for each in DESCRIPTIONS]
    data = protos.descriptions_to_proto(described).SerializeToString()
    message = service_pb2.DescribeTensorsResponse.FromString(data)
    received = protos.descriptions_from_proto(message)
    assert received == DESCRIPTIONS
    assert repr(received) == repr(DESCRIPTIONS), (
        "absent figures stay absent, and zeros keep their sign"
    )
    assert message.numerics == tensors_pb2.NUMERICS_SEEDBED_1
    assert all(each.request == protos.tensor_request_to_proto(request) for each in message.tensors)


def test_the_schema_has_every_figure_of_a_description_and_no_other() -> None:
    descriptor: Any = descriptions_pb2.TensorDescription.DESCRIPTOR
    plain = {field.name for field in descriptor.fields if field.containing_oneof is None}
    inner = {
        figure.name
        for field in descriptor.oneofs_by_name["distribution"].fields
        if field.name != "constant"
        for figure in field.message_type.fields
    }
    fans = {field.name for field in descriptor.fields_by_name["fans"].message_type.fields}
    assert (plain - {"request", "fans"}) | inner | fans | {"distribution"} == set(
        TensorDescription.__dataclass_fields__
    )


@pytest.mark.parametrize("algorithm", DIGEST_ALGORITHMS)
def test_digests_come_back_equal(algorithm: sb.spec.digests.DigestAlgorithm) -> None:
    digest = digest_bytes(b"some bytes", algorithm)
    assert protos.digest_from_bytes(protos.digest_to_proto(digest).SerializeToString()) == digest


def test_a_digest_of_an_unknown_algorithm_is_refused() -> None:
    with pytest.raises(sb.InvalidValueError, match=r"`digest\.algorithm`"):
        protos.digest_from_proto(tensors_pb2.Digest(value=b"1", size_bytes=1))


@pytest.mark.parametrize("dtype", FLOATING, ids=lambda dtype: dtype.value)
def test_headers_come_back_equal(dtype: Dtype) -> None:
    for shape in ((), (0,), (2**40, 3)):
        request = TensorRequest(sb.TensorSpec("w", shape, dtype, sb.RandomUniform(seed=1)))
        header = protos.header_from_bytes(protos.header_to_bytes(request))
        assert protos.header_from_proto(header) == (shape, dtype, request.size_bytes, NUMERICS)
        assert header.numerics == tensors_pb2.NUMERICS_SEEDBED_1
        assert header.request == protos.tensor_request_to_proto(request)


def test_a_header_with_an_unknown_dtype_is_read_without_it() -> None:
    message = streams_pb2.TensorHeader(shape=[3], total_bytes=12)
    message.dtype = 99  # type: ignore[assignment]  # proto3 enums are open
    assert protos.header_from_proto(message) == ((3,), None, 12, None)
