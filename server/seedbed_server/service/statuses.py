"""From exceptions to gRPC statuses with google.rpc details.

Only this module of the server knows status codes.
"""

import functools
import logging
import uuid

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from seedbed.spec.errors import DeviceError, InvalidArgumentError, OutOfDeviceMemoryError
from seedbed.wire.protos import UnknownNumericsError
from seedbed.wire.request_hash import REQUEST_HASH, request_hash
from seedbed_server.refusals import NotServingError, OutOfRangeError, OverloadedError

log = logging.getLogger(__name__)

DOMAIN = "seedbed"
# Trailing metadata has a limit of 8 KiB in all; a status and its details stay far below.
LONGEST_MESSAGE = 1000
OUT_OF_MEMORY_RETRY_SECONDS = 5.0
# A server whose device failed ends; so long may it take another one to start in its place.
DEVICE_RETRY_SECONDS = 15.0


def status_of(error: BaseException, request: bytes) -> grpc.Status:
    """Return the status for an exception; an unforeseen one is logged with its traceback.

    Args:
        error: the exception.
        request: the bytes of the message that it refuses, as they came.
    """
    status = functools.partial(_status, request)
    match error:
        case OutOfRangeError():
            return status(code_pb2.OUT_OF_RANGE, error, error.reason, *_bad_request(error))
        case UnknownNumericsError():
            return status(code_pb2.UNIMPLEMENTED, error, error.reason, *_bad_request(error))
        case InvalidArgumentError():
            return status(code_pb2.INVALID_ARGUMENT, error, error.reason, *_bad_request(error))
        case OverloadedError():
            return status(
                code_pb2.RESOURCE_EXHAUSTED, error, error.reason, _retry(error.retry_after_seconds)
            )
        case NotServingError():
            return status(
                code_pb2.UNAVAILABLE, error, error.reason, _retry(error.retry_after_seconds)
            )
        case DeviceError():
            log.error("%s", error)
            retry = _retry(DEVICE_RETRY_SECONDS)
            return status(
                code_pb2.UNAVAILABLE, "the server's device failed", "DEVICE_FAILED", retry
            )
        case OutOfDeviceMemoryError():
            retry = _retry(OUT_OF_MEMORY_RETRY_SECONDS)
            message = "the server's device is out of memory"
            return status(code_pb2.RESOURCE_EXHAUSTED, message, "OUT_OF_DEVICE_MEMORY", retry)
        case MemoryError():
            retry = _retry(OUT_OF_MEMORY_RETRY_SECONDS)
            return status(
                code_pb2.RESOURCE_EXHAUSTED, "the server is out of memory", "OUT_OF_MEMORY", retry
            )
        case _:
            request_id = uuid.uuid4().hex
            log.error("request %s failed", request_id, exc_info=error)
            details = error_details_pb2.RequestInfo(request_id=request_id)
            return status(
                code_pb2.INTERNAL, f"internal error, request id {request_id}", "INTERNAL", details
            )


def _status(
    request: bytes, code: code_pb2.Code, message: object, reason: str, *details: Message
) -> grpc.Status:
    status = status_pb2.Status(code=code, message=str(message)[:LONGEST_MESSAGE])
    refused = {REQUEST_HASH: request_hash(request)}
    info = error_details_pb2.ErrorInfo(reason=reason, domain=DOMAIN, metadata=refused)
    for detail in (info, *details):
        packed = any_pb2.Any()
        packed.Pack(detail)
        status.details.append(packed)
    return rpc_status.to_status(status)


def _bad_request(error: InvalidArgumentError) -> list[Message]:
    if not error.field:
        return []
    violation = error_details_pb2.BadRequest.FieldViolation(
        field=error.field[:LONGEST_MESSAGE], description=str(error)[:LONGEST_MESSAGE]
    )
    return [error_details_pb2.BadRequest(field_violations=[violation])]


def _retry(seconds: float) -> error_details_pb2.RetryInfo:
    delay = duration_pb2.Duration()
    delay.FromNanoseconds(int(seconds * 1e9))
    return error_details_pb2.RetryInfo(retry_delay=delay)
