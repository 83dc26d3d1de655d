"""Between our words and the numbers of the protobuf enums."""

from typing import Any

from seedbed.spec.digests import DigestAlgorithm
from seedbed.spec.dtypes import Dtype
from seedbed.spec.errors import InvalidValueError, Words, bad_value
from seedbed.spec.info import NUMERICS
from seedbed.spec.reasons import Reason
from seedbed.v1 import service_pb2, tensors_pb2

DTYPES: dict[Dtype, Any] = {
    dtype: tensors_pb2.Dtype.Value(f"DTYPE_{dtype.name}") for dtype in Dtype
}
DTYPES_BACK: dict[Any, Dtype] = {number: dtype for dtype, number in DTYPES.items()}
DIGESTS: dict[DigestAlgorithm, Any] = {
    "xxh3_128": tensors_pb2.DIGEST_ALGORITHM_XXH3_128,
    "sha256": tensors_pb2.DIGEST_ALGORITHM_SHA256,
}
DIGESTS_BACK = {number: name for name, number in DIGESTS.items()}
VERSIONS: dict[str, Any] = {NUMERICS: tensors_pb2.NUMERICS_SEEDBED_1}
VERSIONS_BACK: dict[Any, str] = {number: name for name, number in VERSIONS.items()}


class UnknownNumericsError(InvalidValueError):
    """A numerics version that this release does not have."""


def numerics_to_proto() -> Any:
    """Return the enum's number of the numerics version that this release knows."""
    return VERSIONS[NUMERICS]


def digest_algorithm_to_proto(algorithm: DigestAlgorithm) -> Any:
    """Return the enum's number of a digest algorithm."""
    return DIGESTS[algorithm]


def enum_name(enum: Any, number: int) -> Words:
    """Return what an error calls an enum's number, known or not."""
    return (
        Words(enum.Name(number))
        if number in enum.values()
        else Words(f"{number}, which is no {enum.DESCRIPTOR.name} that this server knows")
    )


def numerics_from_proto(number: Any) -> str:
    """Return the numerics version that a request means.

    Raises:
        InvalidValueError: if it names none.
        UnknownNumericsError: if this release does not have it.
    """
    if number == tensors_pb2.NUMERICS_UNSPECIFIED:
        raise bad_value("numerics", "named: NUMERICS_SEEDBED_1", Words("NUMERICS_UNSPECIFIED"))
    if number not in VERSIONS_BACK:
        message = (
            "`numerics` must be a version that this server has: NUMERICS_SEEDBED_1. "
            f"Received: {number}"
        )
        raise UnknownNumericsError(message, field="numerics", reason=Reason.UNKNOWN_NUMERICS)
    return VERSIONS_BACK[number]


def digest_algorithm_from_proto(
    request: service_pb2.SampleTensorsRequest
    | service_pb2.SampleSmallTensorRequest
    | service_pb2.DigestTensorsRequest,
) -> DigestAlgorithm:
    """Return the digest algorithm that a request asks for.

    Raises:
        InvalidValueError: if it names one that does not exist.
    """
    if not request.HasField("digest_algorithm"):
        return "xxh3_128"
    if request.digest_algorithm not in DIGESTS_BACK:
        name = enum_name(tensors_pb2.DigestAlgorithm, request.digest_algorithm)
        raise bad_value(
            "digest_algorithm", "DIGEST_ALGORITHM_XXH3_128 or DIGEST_ALGORITHM_SHA256", name
        )
    return DIGESTS_BACK[request.digest_algorithm]
