"""Between the protobuf messages and our own values: the only place where messages are built and read."""

import dataclasses
import json
from collections.abc import Iterable, Sequence
from typing import Any

from google.protobuf.message import DecodeError

from seedbed.v1 import initializers_pb2, service_pb2, tensors_pb2
from seedbed.wire.digests import Digest, DigestAlgorithm
from seedbed.wire.dtypes import Dtype
from seedbed.wire.errors import InvalidArgumentError, InvalidValueError, bad_value
from seedbed.wire.fans import FanAxes
from seedbed.wire.info import (
    NUMERICS,
    InitializerInfo,
    InitializerParameter,
    Limits,
    ServerInfo,
    TensorDescription,
)
from seedbed.wire.initializers import INITIALIZERS, ConstantSpec, InitializerSpec, parameters
from seedbed.wire.slices import TensorSlice
from seedbed.wire.specs import TensorRequest, TensorSpec

_DTYPES: dict[Dtype, Any] = {dtype: tensors_pb2.Dtype.Value(f"DTYPE_{dtype.name}") for dtype in Dtype}
_DTYPES_BACK: dict[Any, Dtype] = {number: dtype for dtype, number in _DTYPES.items()}
_DIGESTS: dict[DigestAlgorithm, Any] = {
    "xxh3_128": tensors_pb2.DIGEST_ALGORITHM_XXH3_128,
    "sha256": tensors_pb2.DIGEST_ALGORITHM_SHA256,
}
_DIGESTS_BACK = {number: name for name, number in _DIGESTS.items()}
_AXES = {"in_axis": "in_axes", "out_axis": "out_axes", "batch_axis": "batch_axes"}
_NUMERICS: dict[str, Any] = {NUMERICS: tensors_pb2.NUMERICS_SEEDBED_1}
_NUMERICS_BACK: dict[Any, str] = {number: name for name, number in _NUMERICS.items()}


class UnknownNumericsError(InvalidValueError):
    """A numerics version that this release does not have."""


# Requests, from Python to the wire.


def tensor_request_to_proto(request: TensorRequest) -> tensors_pb2.TensorRequest:
    """Return the message of a tensor request."""
    message = tensors_pb2.TensorRequest(spec=_spec_to_proto(request.spec))
    if request.slice is not None:
        message.slice.starts.extend(request.slice.starts)
        message.slice.lengths.extend(request.slice.lengths)
        message.slice.SetInParent()
    return message


def _spec_to_proto(spec: TensorSpec) -> tensors_pb2.TensorSpec:
    message = tensors_pb2.TensorSpec(
        name=spec.name,
        shape=spec.shape,
        dtype=_DTYPES[spec.dtype],
        initializer=_initializer_to_proto(spec.initializer),
        seed=spec.seed,
        draw=spec.draw,
    )
    if spec.fan_axes is not None:
        message.fan_axes.in_axes.extend(spec.fan_axes.in_axis)
        message.fan_axes.out_axes.extend(spec.fan_axes.out_axis)
        message.fan_axes.batch_axes.extend(spec.fan_axes.batch_axis)
        message.fan_axes.SetInParent()
    return message


def _initializer_to_proto(spec: InitializerSpec) -> initializers_pb2.InitializerSpec:
    message = initializers_pb2.InitializerSpec()
    kind = getattr(message, spec.field_name())
    kind.SetInParent()
    if isinstance(spec, ConstantSpec):
        setattr(kind, _constant_field(spec.value), spec.value)
        return message
    for field in parameters(type(spec)):
        value = getattr(spec, field.name)
        setattr(kind, field.name, _enum_number(field.name, value) if isinstance(value, str) else value)
    return message


def _constant_field(value: float) -> str:
    if isinstance(value, int):
        return "integer" if value < 2**63 else "large_integer"
    return "real"


def _enum_number(name: str, value: str) -> Any:
    if name == "mode":
        return initializers_pb2.FanMode.Value(f"FAN_MODE_{value.upper()}")
    return initializers_pb2.Distribution.Value(f"DISTRIBUTION_{value.upper()}")


def newest_numerics() -> Any:
    """Return the enum's number of the numerics version that this release knows."""
    return _NUMERICS[NUMERICS]


def digest_algorithm_to_proto(algorithm: DigestAlgorithm) -> Any:
    """Return the enum's number of a digest algorithm."""
    return _DIGESTS[algorithm]


# Requests, from the wire to Python.


def tensor_requests_from_proto(messages: Sequence[tensors_pb2.TensorRequest]) -> list[TensorRequest]:
    """Return the checked values of a request's tensors.

    Raises:
        InvalidArgumentError: with the path of the field, such as ``tensors[3].spec.shape[1]``.
    """
    requests = []
    for i, message in enumerate(messages):
        try:
            spec = _spec_from_proto(message)
            part = None
            if message.HasField("slice"):
                part = TensorSlice(tuple(message.slice.starts), tuple(message.slice.lengths))
            requests.append(TensorRequest(spec, part))
        except InvalidArgumentError as error:
            raise _located(error, message, f"tensors[{i}]") from None
    return requests


def _located(error: InvalidArgumentError, message: tensors_pb2.TensorRequest, path: str) -> InvalidArgumentError:
    """Return an error about one of our values as one about the field of the message that it came from."""
    if error.field.startswith("slice"):
        return error.within(path)
    if error.field in _AXES:
        name = _AXES[error.field]
        text = str(error).replace(f"`{error.field}`", f"`{name}`")
        return type(error)(text, field=name, reason=error.reason).within(f"{path}.spec.fan_axes")
    kind = message.spec.initializer.WhichOneof("kind")
    if kind is not None and error.field in {field.name for field in parameters(INITIALIZERS[kind])}:
        return error.within(f"{path}.spec.initializer.{kind}")
    return error.within(f"{path}.spec")


def _spec_from_proto(request: tensors_pb2.TensorRequest) -> TensorSpec:
    message = request.spec
    if message.dtype not in _DTYPES_BACK:
        allowed = "one of " + ", ".join(f"DTYPE_{dtype.name}" for dtype in Dtype)
        raise bad_value("dtype", allowed, _enum_name(tensors_pb2.Dtype, message.dtype))
    axes = None
    if message.HasField("fan_axes"):
        axes = FanAxes(
            tuple(message.fan_axes.in_axes), tuple(message.fan_axes.out_axes), tuple(message.fan_axes.batch_axes)
        )
    return TensorSpec(
        name=message.name,
        shape=tuple(message.shape),
        dtype=_DTYPES_BACK[message.dtype],
        initializer=_initializer_from_proto(message.initializer),
        seed=message.seed,
        draw=message.draw,
        fan_axes=axes,
    )


def _initializer_from_proto(message: initializers_pb2.InitializerSpec) -> InitializerSpec:
    kind = message.WhichOneof("kind")
    if kind is None:
        raise bad_value("initializer", "one of " + ", ".join(INITIALIZERS), "none that this server knows")
    spec = INITIALIZERS[kind]
    inner = getattr(message, kind)
    try:
        if spec is ConstantSpec:
            chosen = inner.WhichOneof("value")
            return ConstantSpec(getattr(inner, chosen) if chosen else 0.0)
        values = {}
        for field in parameters(spec):
            if inner.DESCRIPTOR.fields_by_name[field.name].has_presence and not inner.HasField(field.name):
                continue
            value = getattr(inner, field.name)
            values[field.name] = _enum_value(field.name, value) if field.metadata["choices"] else value
        return spec(**values)
    except InvalidArgumentError as error:
        raise error.within(f"initializer.{kind}") from None


def _enum_value(name: str, number: int) -> str:
    enum, prefix = (
        (initializers_pb2.FanMode, "FAN_MODE_") if name == "mode" else (initializers_pb2.Distribution, "DISTRIBUTION_")
    )
    known = {value: key for key, value in enum.items() if value != 0}
    if number not in known:
        raise bad_value(name, "one of " + ", ".join(known.values()), _enum_name(enum, number))
    return known[number].removeprefix(prefix).lower()


def _enum_name(enum: Any, number: int) -> str:
    return str(enum.Name(number)) if number in enum.values() else f"{number}, which is no {enum.DESCRIPTOR.name}"


def numerics_from_proto(number: Any) -> str:
    """Return the numerics version that a request means.

    Raises:
        UnknownNumericsError: if this release does not have it.
    """
    if number == tensors_pb2.NUMERICS_UNSPECIFIED:
        return NUMERICS
    if number not in _NUMERICS_BACK:
        message = f"`numerics` must be a version that this server has: {', '.join(_NUMERICS)}. Received: {number}"
        raise UnknownNumericsError(message, field="numerics", reason="UNKNOWN_NUMERICS")
    return _NUMERICS_BACK[number]


def digest_algorithm_from_proto(
    request: service_pb2.SampleTensorsRequest | service_pb2.DigestTensorsRequest,
) -> DigestAlgorithm:
    """Return the digest algorithm that a request asks for.

    Raises:
        InvalidValueError: if it names one that does not exist.
    """
    if not request.HasField("digest_algorithm"):
        return "xxh3_128"
    if request.digest_algorithm not in _DIGESTS_BACK:
        name = _enum_name(tensors_pb2.DigestAlgorithm, request.digest_algorithm)
        raise bad_value("digest_algorithm", "DIGEST_ALGORITHM_XXH3_128 or DIGEST_ALGORITHM_SHA256", name)
    return _DIGESTS_BACK[request.digest_algorithm]


# Responses.


def header_to_bytes(shape: Sequence[int], dtype: Dtype, total_bytes: int) -> bytes:
    """Return a serialized TensorHeader."""
    return tensors_pb2.TensorHeader(
        shape=shape, dtype=_DTYPES[dtype], total_bytes=total_bytes, numerics=_NUMERICS[NUMERICS]
    ).SerializeToString()


def header_from_bytes(data: bytes) -> tuple[tuple[int, ...], Dtype | None, int, str | None]:
    """Return shape, dtype, total bytes and numerics of a serialized TensorHeader; None for what is unknown here.

    Raises:
        ValueError: if the bytes are none.
    """
    try:
        message = tensors_pb2.TensorHeader.FromString(data)
    except DecodeError as error:
        raise ValueError(f"no header: {error}") from None
    numerics = _NUMERICS_BACK.get(message.numerics)
    return tuple(message.shape), _DTYPES_BACK.get(message.dtype), message.total_bytes, numerics


def segment_to_bytes(directory: str, path: str, size_bytes: int) -> bytes:
    """Return a serialized Segment."""
    return tensors_pb2.Segment(directory=directory, path=path, size_bytes=size_bytes).SerializeToString()


def segment_from_bytes(data: bytes) -> tuple[str, str, int]:
    """Return directory, path and size in bytes of a serialized Segment.

    Raises:
        ValueError: if the bytes are none.
    """
    try:
        message = tensors_pb2.Segment.FromString(data)
    except DecodeError as error:
        raise ValueError(f"no segment: {error}") from None
    return message.directory, message.path, message.size_bytes


def digest_to_proto(digest: Digest) -> tensors_pb2.Digest:
    """Return the message of a digest."""
    return tensors_pb2.Digest(algorithm=_DIGESTS[digest.algorithm], value=digest.value, size_bytes=digest.size_bytes)


def digest_from_proto(message: tensors_pb2.Digest) -> Digest:
    """Return the digest that a message holds.

    Raises:
        InvalidValueError: if its algorithm is unknown here.
    """
    if message.algorithm not in _DIGESTS_BACK:
        raise bad_value("digest.algorithm", "one that this client knows", int(message.algorithm))
    return Digest(_DIGESTS_BACK[message.algorithm], message.value, message.size_bytes)


def digest_from_bytes(data: bytes) -> Digest:
    """Return the digest that a serialized message holds.

    Raises:
        ValueError: if the bytes are none, or the algorithm is unknown here.
    """
    try:
        return digest_from_proto(tensors_pb2.Digest.FromString(data))
    except DecodeError as error:
        raise ValueError(f"no digest: {error}") from None


def server_info_to_proto(info: ServerInfo) -> service_pb2.GetServerInfoResponse:
    """Return the message of a server's self-description."""
    return service_pb2.GetServerInfoResponse(
        version=info.version,
        numerics=[_NUMERICS[version] for version in info.numerics],
        dtypes=[_DTYPES[dtype] for dtype in info.dtypes],
        digest_algorithms=[_DIGESTS[algorithm] for algorithm in info.digest_algorithms],
        backend=info.backend,
        device=info.device,
        threads=info.threads,
        limits=service_pb2.Limits(**{f.name: getattr(info.limits, f.name) for f in dataclasses.fields(Limits)}),
    )


def server_info_from_proto(message: service_pb2.GetServerInfoResponse) -> ServerInfo:
    """Return what a server says of itself; what this release has no name for is left out."""
    return ServerInfo(
        version=message.version,
        numerics=tuple(_NUMERICS_BACK[n] for n in message.numerics if n in _NUMERICS_BACK),
        dtypes=tuple(_DTYPES_BACK[n] for n in message.dtypes if n in _DTYPES_BACK),
        digest_algorithms=tuple(_DIGESTS_BACK[n] for n in message.digest_algorithms if n in _DIGESTS_BACK),
        backend=message.backend,
        device=message.device,
        threads=message.threads,
        limits=Limits(**{f.name: getattr(message.limits, f.name) for f in dataclasses.fields(Limits)}),
    )


def initializer_infos_to_proto(infos: Iterable[InitializerInfo]) -> service_pb2.ListInitializersResponse:
    """Return the message of a catalogue."""
    return service_pb2.ListInitializersResponse(
        initializers=[
            service_pb2.InitializerInfo(
                name=info.name,
                field=info.field,
                aliases=info.aliases,
                description=info.description,
                parameters=[
                    service_pb2.InitializerParameter(
                        name=parameter.name,
                        type=parameter.type,
                        default_json=json.dumps(parameter.default),
                        choices=parameter.choices,
                        description=parameter.description,
                    )
                    for parameter in info.parameters
                ],
                dtypes=[_DTYPES[dtype] for dtype in info.dtypes],
                random=info.random,
            )
            for info in infos
        ]
    )


def initializer_infos_from_proto(message: service_pb2.ListInitializersResponse) -> list[InitializerInfo]:
    """Return the catalogue that a message holds."""
    return [
        InitializerInfo(
            name=info.name,
            field=info.field,
            aliases=tuple(info.aliases),
            description=info.description,
            parameters=tuple(
                InitializerParameter(p.name, p.type, json.loads(p.default_json), tuple(p.choices), p.description)
                for p in info.parameters
            ),
            dtypes=tuple(_DTYPES_BACK[n] for n in info.dtypes if n in _DTYPES_BACK),
            random=info.random,
        )
        for info in message.initializers
    ]


_OPTIONAL_FIGURES = ("fan_in", "fan_out", "minval", "maxval", "mean", "stddev", "lower", "upper", "value")


def descriptions_to_proto(descriptions: Iterable[TensorDescription]) -> service_pb2.DescribeTensorsResponse:
    """Return the message of a dry run."""
    response = service_pb2.DescribeTensorsResponse(numerics=_NUMERICS[NUMERICS])
    for description in descriptions:
        message = response.tensors.add(
            name=description.name,
            shape=description.shape,
            dtype=_DTYPES[description.dtype],
            size_bytes=description.size_bytes,
            chunk_count=description.chunk_count,
            sampled_elements=description.sampled_elements,
            working_bytes=description.working_bytes,
        )
        if description.distribution is not None:
            message.distribution = _enum_number("distribution", description.distribution)
        for name in _OPTIONAL_FIGURES:
            if (figure := getattr(description, name)) is not None:
                setattr(message, name, figure)
    return response


def descriptions_from_proto(response: service_pb2.DescribeTensorsResponse) -> list[TensorDescription]:
    """Return the dry run that a message holds."""
    descriptions = []
    for message in response.tensors:
        figures = {name: getattr(message, name) for name in _OPTIONAL_FIGURES if message.HasField(name)}
        distribution: Any = None
        if message.HasField("distribution"):
            distribution = _enum_value("distribution", message.distribution)
        descriptions.append(
            TensorDescription(
                name=message.name,
                shape=tuple(message.shape),
                dtype=_DTYPES_BACK[message.dtype],
                size_bytes=message.size_bytes,
                chunk_count=message.chunk_count,
                distribution=distribution,
                sampled_elements=message.sampled_elements,
                working_bytes=message.working_bytes,
                **figures,
            )
        )
    return descriptions
