"""The Python SDK as a client under test.

    python -m tests.conformance.python_client

It asks by the SDK's public door as far as that goes. What the SDK has no way to say (the options of
a transfer, a resume point in a later tensor, another numerics version, a tensor that it refuses
itself) it asks by generated stubs.
"""

import math
from collections.abc import Sequence
from typing import Any

import seedbed as sb
from seedbed.v1 import descriptions_pb2, service_pb2, tensors_pb2
from tests.conformance.answering import ClientError, Request, answer_requests
from tests.conformance.stub_client import FIRST_BYTES, StubClient
from tests.conformance.tensors import slice_of, spec_of

# Longer than a case takes, so that it is the SDK that gives up.
PATIENCE_SECONDS = 20.0
MOST_SMALL_BYTES = 65_536
ONLY_BY_STUBS = {"numerics", "transfer"}
ALGORITHMS: dict[str, Any] = {
    "DIGEST_ALGORITHM_XXH3_128": "xxh3_128",
    "DIGEST_ALGORITHM_SHA256": "sha256",
}
CODES: tuple[tuple[type[sb.SeedbedError], str], ...] = (
    (sb.InvalidArgumentError, "INVALID_ARGUMENT"),
    (sb.UnsupportedError, "UNIMPLEMENTED"),
    (sb.OverloadedError, "RESOURCE_EXHAUSTED"),
    (sb.UnavailableError, "UNAVAILABLE"),
    (sb.DeadlineError, "DEADLINE_EXCEEDED"),
    (sb.DataLossError, "DATA_LOSS"),
    (sb.SeedbedError, "UNKNOWN"),
)


class NotOfTheSdkError(Exception):
    """A request that the SDK has no way to make."""


class Tensors:
    """The tensors of a request, as the SDK takes them.

    Raises:
        NotOfTheSdkError: if it does not take them.
    """

    def __init__(self, messages: Sequence[tensors_pb2.TensorRequest]) -> None:
        try:
            self.specs = [spec_of(message.spec) for message in messages]
            self.slices = [slice_of(message) for message in messages]
            self.manifest = sb.Manifest(self.specs)
            for spec, part in zip(self.specs, self.slices, strict=True):
                if part is not None:
                    part.check(spec.shape)
        except sb.InvalidArgumentError:
            raise NotOfTheSdkError from None
        if not messages:
            raise NotOfTheSdkError

    @property
    def parts(self) -> dict[str, Any]:
        """The slices by name."""
        named = zip(self.specs, self.slices, strict=True)
        return {spec.name: part for spec, part in named if part is not None}


class PythonClient:
    """The SDK's client of one server, with a client of stubs beside it."""

    def __init__(self, target: str) -> None:
        self.target = target
        self._client = sb.connect(target, patience_seconds=PATIENCE_SECONDS)
        self._stubs = StubClient(target)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
        self._stubs.close()

    def answer(self, request: Request) -> dict[str, Any]:
        """Return the result that a request asks for."""
        try:
            if ONLY_BY_STUBS & request.document.keys():
                return self._stubs.answer(request)
            return self._answer(request)
        # The SDK finds room for a tensor before it asks, and only the server refuses petabytes.
        except (NotOfTheSdkError, MemoryError):
            return self._stubs.answer(request)
        except sb.SeedbedError as error:
            raise client_error(error) from None

    def _answer(self, request: Request) -> dict[str, Any]:
        match request.op:
            case "info":
                return self._info()
            case "list":
                return {"initializers": [each.field for each in self._client.list_initializers()]}
            case "describe":
                return self._describe(request.message(service_pb2.DescribeTensorsRequest()))
            case "digest":
                return self._digest(request)
            case "fetch":
                return self._fetch(request.message(service_pb2.SampleTensorsRequest()))
            case "fetch_small" if "digest_algorithm" not in request.document:
                return self._fetch_small(request.message(service_pb2.SampleSmallTensorRequest()))
        raise NotOfTheSdkError

    def _info(self) -> dict[str, Any]:
        said = self._client.server_info()
        return {
            "version": said.version,
            "numerics": [f"NUMERICS_{n.upper().replace('-', '_')}" for n in said.numerics],
            "capabilities": [f"CAPABILITY_{each.upper()}" for each in said.capabilities],
            "digest_algorithms": [
                f"DIGEST_ALGORITHM_{each.upper()}" for each in said.digest_algorithms
            ],
        }

    def _describe(self, message: service_pb2.DescribeTensorsRequest) -> dict[str, Any]:
        tensors = Tensors(message.tensors)
        if not tensors.parts:
            found = list(self._client.describe_all(tensors.manifest).values())
        else:
            found = [
                self._client.describe(spec, slice=part)
                for spec, part in zip(tensors.specs, tensors.slices, strict=True)
            ]
        return {"tensors": [description_of(each) for each in found]}

    def _digest(self, request: Request) -> dict[str, Any]:
        message = request.message(service_pb2.DigestTensorsRequest())
        tensors = Tensors(message.tensors)
        algorithm = ALGORITHMS[request.document.get("digest_algorithm", next(iter(ALGORITHMS)))]
        found = self._client.digest_all(tensors.manifest, slice=tensors.parts, algorithm=algorithm)
        return {
            "digests": [
                {
                    "algorithm": f"DIGEST_ALGORITHM_{digest.algorithm.upper()}",
                    "value": digest.value.hex(),
                    "size_bytes": digest.size_bytes,
                }
                for digest in found.values()
            ]
        }

    def _fetch(self, message: service_pb2.SampleTensorsRequest) -> dict[str, Any]:
        tensors = Tensors(message.tensors)
        if message.HasField("digest_algorithm"):
            raise NotOfTheSdkError
        if not message.HasField("resume"):
            found = self._client.sample_all(tensors.manifest, slice=tensors.parts)
            return told([array.tobytes() for array in found.values()])
        if len(message.tensors) > 1 or message.resume.tensor_index:
            raise NotOfTheSdkError
        first_byte = message.resume.byte_offset
        try:
            chunks = self._client.chunks(
                tensors.specs[0], slice=tensors.slices[0], first_byte=first_byte
            )
        except sb.InvalidArgumentError:
            raise NotOfTheSdkError from None  # it knows better than to ask
        return told([b"".join(bytes(chunk.data) for chunk in chunks)])

    def _fetch_small(self, message: service_pb2.SampleSmallTensorRequest) -> dict[str, Any]:
        tensors = Tensors([message.tensor])
        spec, part = tensors.specs[0], tensors.slices[0]
        # The SDK takes the short way by itself where a tensor fits, and the long way elsewhere.
        shape = spec.shape if part is None else part.lengths
        if math.prod(shape) * spec.dtype.itemsize > MOST_SMALL_BYTES:
            raise NotOfTheSdkError
        return told([self._client.sample(spec, slice=part).tobytes()])


def told(contents: Sequence[bytes]) -> dict[str, Any]:
    """Return what is told of tensors that were fetched."""
    return {
        "tensors": [
            {
                "tensor_index": index,
                "size_bytes": len(content),
                "algorithm": "DIGEST_ALGORITHM_XXH3_128",
                "digest": sb.digest_bytes(content).value.hex(),
                "first_bytes": content[:FIRST_BYTES].hex(),
            }
            for index, content in enumerate(contents)
        ]
    }


DISTRIBUTIONS = {
    "constant": "constant",
    "diagonal": "diagonal",
    "uniform": "uniform",
    "untruncated_normal": "normal",
    "truncated_normal": "truncated_normal",
    "orthogonal": "orthogonal",
    "sparse": "sparse",
}
"""The field of a TensorDescription for each of the SDK's distributions."""


def description_of(said: sb.TensorDescription) -> dict[str, Any]:
    """Return a description in protobuf's JSON mapping."""
    found: dict[str, Any] = {
        "name": said.name,
        "shape": [str(length) for length in said.shape],
        "dtype": f"DTYPE_{said.dtype.name}",
        **{
            key: str(getattr(said, key))
            for key in ("size_bytes", "chunk_count", "sampled_elements", "working_bytes")
        },
    }
    if said.fan_in is not None:
        found["fans"] = {"fan_in": said.fan_in, "fan_out": said.fan_out}
    if said.distribution is not None:
        field = DISTRIBUTIONS[said.distribution]
        found[field] = distribution_of(said, field)
    return found


def distribution_of(said: sb.TensorDescription, field: str) -> dict[str, Any]:
    """Return the figures of a distribution."""
    if said.value is not None:
        kind = "real"
        if isinstance(said.value, int):
            kind = "integer" if said.value < 2**63 else "large_integer"
        value = {kind: str(said.value) if kind != "real" else said.value}
        return {"value": value} if field == "diagonal" else value
    message = descriptions_pb2.TensorDescription.DESCRIPTOR.fields_by_name[field].message_type
    assert message is not None
    return {each.name: number(getattr(said, each.name)) for each in message.fields}


def number(value: float) -> float | str:
    """Return a number as protobuf's JSON mapping has it."""
    if isinstance(value, int):
        return str(value)
    return repr(value).replace("inf", "Infinity") if abs(value) == float("inf") else value


def client_error(error: sb.SeedbedError) -> ClientError:
    """Return what the kit is told of an error of the SDK's."""
    code = next(code for kind, code in CODES if isinstance(error, kind))
    reason = getattr(error, "reason", "")
    if reason == "RESUME_OUT_OF_RANGE":
        code = "OUT_OF_RANGE"
    fields = tuple(each.field for each in getattr(error, "violations", ()) if each.field)
    return ClientError(
        code, str(error), reason, fields, getattr(error, "retry_after_seconds", None)
    )


class Connected:
    """A client for each request's target; the last one is kept."""

    def __init__(self) -> None:
        self._client: PythonClient | None = None

    def __call__(self, request: Request) -> dict[str, Any]:
        """Answer a request."""
        if self._client is None or self._client.target != request.target:
            if self._client is not None:
                self._client.close()
            self._client = PythonClient(request.target)
        return self._client.answer(request)


if __name__ == "__main__":
    answer_requests(Connected())
