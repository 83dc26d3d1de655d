"""From exceptions to gRPC statuses with google.rpc details.

Only this module of the server knows status codes.
"""

import logging
from collections.abc import Iterator

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from seedbed.spec.errors import DeviceError, InvalidValueError, OutOfDeviceMemoryError
from seedbed.spec.reasons import Reason
from seedbed.wire.request_hash import REQUEST_HASH, request_hash
from seedbed_server.refusals import (
    CallerError,
    NoRoomError,
    NotServingError,
    QuotaError,
    UnknownMethodError,
)

log = logging.getLogger(__name__)

DOMAIN = "seedbed"
LONGEST_MESSAGE = 1000
# Trailing metadata has a limit of 8 KiB in all; a status travels in base64, and its message once
# more beside it.
MOST_STATUS_BYTES = 3500
OUT_OF_MEMORY_RETRY_SECONDS = 5.0
# A server whose device failed ends; so long may it take another one to start in its place.
DEVICE_RETRY_SECONDS = 15.0

CODES: dict[Reason, code_pb2.Code] = {
    Reason.INVALID_MESSAGE: code_pb2.INVALID_ARGUMENT,
    Reason.INVALID_VALUE: code_pb2.INVALID_ARGUMENT,
    Reason.NOT_REPRESENTABLE: code_pb2.INVALID_ARGUMENT,
    Reason.SLICE_OUT_OF_RANGE: code_pb2.INVALID_ARGUMENT,
    Reason.OVER_LIMIT: code_pb2.INVALID_ARGUMENT,
    Reason.RESUME_OUT_OF_RANGE: code_pb2.OUT_OF_RANGE,
    Reason.UNKNOWN_NUMERICS: code_pb2.UNIMPLEMENTED,
    Reason.UNKNOWN_METHOD: code_pb2.UNIMPLEMENTED,
    Reason.TOO_MANY_STREAMS: code_pb2.RESOURCE_EXHAUSTED,
    Reason.TOO_MANY_TENSORS: code_pb2.RESOURCE_EXHAUSTED,
    Reason.TOO_MANY_MATRICES: code_pb2.RESOURCE_EXHAUSTED,
    Reason.SHARED_MEMORY_FULL: code_pb2.RESOURCE_EXHAUSTED,
    Reason.OUT_OF_MEMORY: code_pb2.RESOURCE_EXHAUSTED,
    Reason.OUT_OF_DEVICE_MEMORY: code_pb2.RESOURCE_EXHAUSTED,
    Reason.STARTING: code_pb2.UNAVAILABLE,
    Reason.DRAINING: code_pb2.UNAVAILABLE,
    Reason.DEVICE_FAILED: code_pb2.UNAVAILABLE,
    Reason.STREAM_IDLE: code_pb2.UNAVAILABLE,
    Reason.STREAM_TOO_LONG: code_pb2.UNAVAILABLE,
    Reason.INTERNAL: code_pb2.INTERNAL,
    Reason.TOKEN_MISSING: code_pb2.UNAUTHENTICATED,
    Reason.TOKEN_UNKNOWN: code_pb2.UNAUTHENTICATED,
    Reason.UNKNOWN_IDENTITY: code_pb2.PERMISSION_DENIED,
    Reason.RPC_NOT_ALLOWED: code_pb2.PERMISSION_DENIED,
    Reason.QUOTA_EXCEEDED: code_pb2.RESOURCE_EXHAUSTED,
}
"""The status code of each reason."""

CODE_NAMES = ("OK", "CANCELLED", *sorted({code_pb2.Code.Name(each) for each in CODES.values()}))
"""All codes that a call may end with."""

LIMITS = {
    Reason.TOO_MANY_STREAMS: "max_concurrent_streams",
    Reason.STREAM_IDLE: "stream_idle_seconds",
    Reason.STREAM_TOO_LONG: "max_stream_seconds",
}
"""The field of Limits behind a reason that always has the same one."""


def reason_of(error: BaseException) -> Reason:
    """Return the reason that a client is told for an exception."""
    match error:
        case InvalidValueError():
            return Reason(error.reason)
        case NoRoomError() | NotServingError() | UnknownMethodError() | CallerError():
            return error.reason
        case DeviceError():
            return Reason.DEVICE_FAILED
        case OutOfDeviceMemoryError():
            return Reason.OUT_OF_DEVICE_MEMORY
        case MemoryError():
            return Reason.OUT_OF_MEMORY
    return Reason.INTERNAL


def status_of(error: BaseException, request: bytes, request_id: str) -> grpc.Status:
    """Return the status for an exception; an unforeseen one is logged with its traceback.

    Args:
        error: the exception.
        request: the bytes of the message that it refuses, as they came.
        request_id: of the call.
    """
    reason, message = reason_of(error), str(error)
    details: list[Message] = []
    match error:
        case NoRoomError() | NotServingError():
            details.append(_retry(error.retry_after_seconds))
        case DeviceError():
            log.error("%s", error)
            message = "the server's device failed"
            details.append(_retry(DEVICE_RETRY_SECONDS))
        case MemoryError():  # the device's, too
            device = "'s device" if isinstance(error, OutOfDeviceMemoryError) else ""
            message = f"the server{device} is out of memory"
            details.append(_retry(OUT_OF_MEMORY_RETRY_SECONDS))
        case _ if reason is Reason.INTERNAL:
            fields = {"request_id": request_id}
            log.error("internal error", extra={"fields": fields}, exc_info=error)
            message = f"internal error, request id {request_id}"
            details.append(error_details_pb2.RequestInfo(request_id=request_id))
    metadata = {REQUEST_HASH: request_hash(request)} | dict(_metadata(error, reason))
    info = error_details_pb2.ErrorInfo(reason=reason, domain=DOMAIN, metadata=metadata)
    status = status_pb2.Status(code=CODES[reason], message=message[:LONGEST_MESSAGE])
    status.details.extend(map(_packed, (info, *details)))
    if isinstance(error, InvalidValueError):
        room = MOST_STATUS_BYTES - status.ByteSize()
        status.details.append(_packed(_bad_request(error, room)))
    return rpc_status.to_status(status)


def _metadata(error: BaseException, reason: Reason) -> Iterator[tuple[str, str]]:
    """Yield what stands beside a reason for programs."""
    limit = error.limit if isinstance(error, InvalidValueError) else LIMITS.get(reason)
    if limit:
        yield "limit", limit
    if isinstance(error, QuotaError):
        yield "quota", error.quota
    if isinstance(error, UnknownMethodError):
        yield "method", error.method[:LONGEST_MESSAGE]


def _bad_request(error: InvalidValueError, room: int) -> error_details_pb2.BadRequest:
    """Return all violations, or the first ones: one, and further ones that fit into so many bytes.

    The status's message says how many there are.
    """
    bad = error_details_pb2.BadRequest()
    for each in error.violations:
        violation = bad.field_violations.add(
            field=each.field[:LONGEST_MESSAGE], description=each.message[:LONGEST_MESSAGE]
        )
        if len(bad.field_violations) > 1 and _packed(bad).ByteSize() > room:
            bad.field_violations.remove(violation)
            break
    return bad


def _packed(detail: Message) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(detail)
    return packed


def _retry(seconds: float) -> error_details_pb2.RetryInfo:
    delay = duration_pb2.Duration()
    delay.FromNanoseconds(int(seconds * 1e9))
    return error_details_pb2.RetryInfo(retry_delay=delay)
