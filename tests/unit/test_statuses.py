"""Every reason is one of the schema's, and has the status code that the schema gives it."""

import re
from pathlib import Path

import grpc
import pytest
from google.protobuf import any_pb2
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2

from seedbed.spec.errors import (
    DeviceError,
    InvalidTypeError,
    OutOfDeviceMemoryError,
    bad_type,
    bad_value,
    over_limit,
)
from seedbed.spec.reasons import Reason
from seedbed.v1 import errors_pb2, service_pb2
from seedbed_server.refusals import (
    CallerError,
    NoRoomError,
    NotServingError,
    QuotaError,
    ResumeOutOfRangeError,
    StreamEndedError,
    UnknownMethodError,
)
from seedbed_server.service.statuses import CODES, LIMITS, MOST_STATUS_BYTES, status_of

PROTO = Path(__file__).parents[2] / "proto" / "seedbed" / "v1" / "errors.proto"
PREFIX = "ERROR_REASON_"


def _codes_in_the_schema() -> dict[str, str]:
    """Return the status of each reason, by the headings among the enum's values."""
    codes, code = {}, ""
    for line in PROTO.read_text().splitlines():
        if heading := re.match(r"  // ([A-Z_]+)[,:]", line):
            code = heading[1]
        elif value := re.match(rf"  {PREFIX}([A-Z_]+) = [1-9]", line):
            codes[value[1]] = code
    return codes


def test_the_reasons_are_the_schemas() -> None:
    known = [name.removeprefix(PREFIX) for name in errors_pb2.ErrorReason.keys()]  # noqa: SIM118
    assert known == ["UNSPECIFIED", *Reason]
    assert [reason.name for reason in Reason] == [reason.value for reason in Reason]


def test_each_reason_has_the_status_that_the_schema_says() -> None:
    assert _codes_in_the_schema() == {
        reason.value: code_pb2.Code.Name(code) for reason, code in CODES.items()
    }


def test_limits_are_fields_of_the_schema() -> None:
    assert set(LIMITS.values()) < set(service_pb2.Limits.DESCRIPTOR.fields_by_name)


def _details(status: grpc.Status) -> list[any_pb2.Any]:
    """Return the details as they travel."""
    ((key, value),) = status.trailing_metadata
    assert key == "grpc-status-details-bin"
    return list(status_pb2.Status.FromString(value).details)


def _retrying(kind: type[NoRoomError | NotServingError], reason: Reason) -> Exception:
    return kind("not now", reason=reason, retry_after_seconds=1.5)


ERRORS: dict[Reason, BaseException] = {
    Reason.INVALID_VALUE: bad_value("numerics", "named", None),
    Reason.OVER_LIMIT: over_limit("tensors[0].spec.name", "shorter", 3, "max_name_bytes"),
    Reason.RESUME_OUT_OF_RANGE: ResumeOutOfRangeError(
        "far", field="resume.byte_offset", reason=Reason.RESUME_OUT_OF_RANGE
    ),
    Reason.UNKNOWN_METHOD: UnknownMethodError("/a.B/C"),
    Reason.TOO_MANY_STREAMS: _retrying(NoRoomError, Reason.TOO_MANY_STREAMS),
    Reason.STREAM_IDLE: _retrying(StreamEndedError, Reason.STREAM_IDLE),
    Reason.STREAM_TOO_LONG: _retrying(StreamEndedError, Reason.STREAM_TOO_LONG),
    Reason.SHARED_MEMORY_FULL: _retrying(NoRoomError, Reason.SHARED_MEMORY_FULL),
    Reason.OUT_OF_MEMORY: MemoryError(),
    Reason.OUT_OF_DEVICE_MEMORY: OutOfDeviceMemoryError("full"),
    Reason.DEVICE_FAILED: DeviceError("broken"),
    Reason.INTERNAL: ZeroDivisionError(),
    Reason.TOKEN_MISSING: CallerError("send one", reason=Reason.TOKEN_MISSING),
    Reason.RPC_NOT_ALLOWED: CallerError("no", reason=Reason.RPC_NOT_ALLOWED),
    Reason.QUOTA_EXCEEDED: QuotaError("enough", quota="matrices", retry_after_seconds=1.5),
}
METADATA = {
    Reason.OVER_LIMIT: {"limit": "max_name_bytes"},
    Reason.UNKNOWN_METHOD: {"method": "/a.B/C"},
    Reason.TOO_MANY_STREAMS: {"limit": "max_concurrent_streams"},
    Reason.STREAM_IDLE: {"limit": "stream_idle_seconds"},
    Reason.STREAM_TOO_LONG: {"limit": "max_stream_seconds"},
    Reason.QUOTA_EXCEEDED: {"quota": "matrices"},
}
DETAILS: dict[int, type[Message]] = {
    code_pb2.INVALID_ARGUMENT: error_details_pb2.BadRequest,
    code_pb2.OUT_OF_RANGE: error_details_pb2.BadRequest,
    code_pb2.RESOURCE_EXHAUSTED: error_details_pb2.RetryInfo,
    code_pb2.UNAVAILABLE: error_details_pb2.RetryInfo,
    code_pb2.INTERNAL: error_details_pb2.RequestInfo,
}


@pytest.mark.parametrize("reason", ERRORS, ids=str)
def test_an_error_is_shaped_by_its_reason(reason: Reason) -> None:
    status = status_of(ERRORS[reason], b"", "id")
    assert status.code.value[0] == CODES[reason]
    details = _details(status)
    info = error_details_pb2.ErrorInfo()
    assert details[0].Unpack(info)
    assert (info.reason, info.domain) == (reason, "seedbed")
    assert info.metadata.pop("request_xxh3_64") == "2d06800538d394c2"
    assert dict(info.metadata) == METADATA.get(reason, {})
    expected = DETAILS.get(CODES[reason])
    kinds = [each.TypeName() for each in details[1:]]
    assert kinds == ([expected.DESCRIPTOR.full_name] if expected else [])


def test_an_internal_error_has_the_id_of_its_call() -> None:
    status = status_of(ZeroDivisionError("a secret"), b"", "id-1")
    info = error_details_pb2.RequestInfo()
    assert _details(status)[1].Unpack(info)
    assert info.request_id == "id-1"
    assert status.details == "internal error, request id id-1"


def test_a_wrong_type_cannot_come_by_the_wire_and_is_a_fault_of_ours() -> None:
    error = bad_type("shape", "integers", None)
    assert isinstance(error, InvalidTypeError)
    assert status_of(error, b"", "id").code.value[0] == code_pb2.INTERNAL


def test_a_status_fits_its_room_however_long_its_texts_are() -> None:
    error = over_limit("x" * 3000, "y" * 3000, "z" * 3000)
    size = len(status_of(error, b"", "id").trailing_metadata[0][1])
    assert size < MOST_STATUS_BYTES + 1000
    method = UnknownMethodError("/" + "m" * 9000)
    assert len(status_of(method, b"", "id").trailing_metadata[0][1]) < MOST_STATUS_BYTES
