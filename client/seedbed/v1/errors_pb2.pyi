from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

class ErrorReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERROR_REASON_UNSPECIFIED: _ClassVar[ErrorReason]
    ERROR_REASON_INVALID_MESSAGE: _ClassVar[ErrorReason]
    ERROR_REASON_INVALID_VALUE: _ClassVar[ErrorReason]
    ERROR_REASON_NOT_REPRESENTABLE: _ClassVar[ErrorReason]
    ERROR_REASON_SLICE_OUT_OF_RANGE: _ClassVar[ErrorReason]
    ERROR_REASON_OVER_LIMIT: _ClassVar[ErrorReason]
    ERROR_REASON_RESUME_OUT_OF_RANGE: _ClassVar[ErrorReason]
    ERROR_REASON_UNKNOWN_NUMERICS: _ClassVar[ErrorReason]
    ERROR_REASON_UNKNOWN_METHOD: _ClassVar[ErrorReason]
    ERROR_REASON_TOO_MANY_STREAMS: _ClassVar[ErrorReason]
    ERROR_REASON_TOO_MANY_TENSORS: _ClassVar[ErrorReason]
    ERROR_REASON_TOO_MANY_MATRICES: _ClassVar[ErrorReason]
    ERROR_REASON_SHARED_MEMORY_FULL: _ClassVar[ErrorReason]
    ERROR_REASON_OUT_OF_MEMORY: _ClassVar[ErrorReason]
    ERROR_REASON_OUT_OF_DEVICE_MEMORY: _ClassVar[ErrorReason]
    ERROR_REASON_STARTING: _ClassVar[ErrorReason]
    ERROR_REASON_DRAINING: _ClassVar[ErrorReason]
    ERROR_REASON_DEVICE_FAILED: _ClassVar[ErrorReason]
    ERROR_REASON_STREAM_IDLE: _ClassVar[ErrorReason]
    ERROR_REASON_STREAM_TOO_LONG: _ClassVar[ErrorReason]
    ERROR_REASON_INTERNAL: _ClassVar[ErrorReason]
    ERROR_REASON_TOKEN_MISSING: _ClassVar[ErrorReason]
    ERROR_REASON_TOKEN_UNKNOWN: _ClassVar[ErrorReason]
    ERROR_REASON_UNKNOWN_IDENTITY: _ClassVar[ErrorReason]
    ERROR_REASON_RPC_NOT_ALLOWED: _ClassVar[ErrorReason]
    ERROR_REASON_QUOTA_EXCEEDED: _ClassVar[ErrorReason]
ERROR_REASON_UNSPECIFIED: ErrorReason
ERROR_REASON_INVALID_MESSAGE: ErrorReason
ERROR_REASON_INVALID_VALUE: ErrorReason
ERROR_REASON_NOT_REPRESENTABLE: ErrorReason
ERROR_REASON_SLICE_OUT_OF_RANGE: ErrorReason
ERROR_REASON_OVER_LIMIT: ErrorReason
ERROR_REASON_RESUME_OUT_OF_RANGE: ErrorReason
ERROR_REASON_UNKNOWN_NUMERICS: ErrorReason
ERROR_REASON_UNKNOWN_METHOD: ErrorReason
ERROR_REASON_TOO_MANY_STREAMS: ErrorReason
ERROR_REASON_TOO_MANY_TENSORS: ErrorReason
ERROR_REASON_TOO_MANY_MATRICES: ErrorReason
ERROR_REASON_SHARED_MEMORY_FULL: ErrorReason
ERROR_REASON_OUT_OF_MEMORY: ErrorReason
ERROR_REASON_OUT_OF_DEVICE_MEMORY: ErrorReason
ERROR_REASON_STARTING: ErrorReason
ERROR_REASON_DRAINING: ErrorReason
ERROR_REASON_DEVICE_FAILED: ErrorReason
ERROR_REASON_STREAM_IDLE: ErrorReason
ERROR_REASON_STREAM_TOO_LONG: ErrorReason
ERROR_REASON_INTERNAL: ErrorReason
ERROR_REASON_TOKEN_MISSING: ErrorReason
ERROR_REASON_TOKEN_UNKNOWN: ErrorReason
ERROR_REASON_UNKNOWN_IDENTITY: ErrorReason
ERROR_REASON_RPC_NOT_ALLOWED: ErrorReason
ERROR_REASON_QUOTA_EXCEEDED: ErrorReason
