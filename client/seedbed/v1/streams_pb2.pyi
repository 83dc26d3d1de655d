from seedbed.v1 import segments_pb2 as _segments_pb2
from seedbed.v1 import tensors_pb2 as _tensors_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ResumePoint(_message.Message):
    __slots__ = ("tensor_index", "byte_offset")
    TENSOR_INDEX_FIELD_NUMBER: _ClassVar[int]
    BYTE_OFFSET_FIELD_NUMBER: _ClassVar[int]
    tensor_index: int
    byte_offset: int
    def __init__(self, tensor_index: _Optional[int] = ..., byte_offset: _Optional[int] = ...) -> None: ...

class TransferOptions(_message.Message):
    __slots__ = ("max_chunk_bytes", "accepts_fill", "accepts_segments")
    MAX_CHUNK_BYTES_FIELD_NUMBER: _ClassVar[int]
    ACCEPTS_FILL_FIELD_NUMBER: _ClassVar[int]
    ACCEPTS_SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    max_chunk_bytes: int
    accepts_fill: bool
    accepts_segments: bool
    def __init__(self, max_chunk_bytes: _Optional[int] = ..., accepts_fill: bool = ..., accepts_segments: bool = ...) -> None: ...

class TensorHeader(_message.Message):
    __slots__ = ("shape", "dtype", "total_bytes", "numerics", "request")
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    DTYPE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_BYTES_FIELD_NUMBER: _ClassVar[int]
    NUMERICS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    shape: _containers.RepeatedScalarFieldContainer[int]
    dtype: _tensors_pb2.Dtype
    total_bytes: int
    numerics: _tensors_pb2.Numerics
    request: _tensors_pb2.TensorRequest
    def __init__(self, shape: _Optional[_Iterable[int]] = ..., dtype: _Optional[_Union[_tensors_pb2.Dtype, str]] = ..., total_bytes: _Optional[int] = ..., numerics: _Optional[_Union[_tensors_pb2.Numerics, str]] = ..., request: _Optional[_Union[_tensors_pb2.TensorRequest, _Mapping]] = ...) -> None: ...

class Chunk(_message.Message):
    __slots__ = ("byte_offset", "digest", "data")
    BYTE_OFFSET_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    byte_offset: int
    digest: bytes
    data: bytes
    def __init__(self, byte_offset: _Optional[int] = ..., digest: _Optional[bytes] = ..., data: _Optional[bytes] = ...) -> None: ...

class TensorPart(_message.Message):
    __slots__ = ("tensor_index", "header", "digest", "chunk", "fill", "segment")
    TENSOR_INDEX_FIELD_NUMBER: _ClassVar[int]
    HEADER_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    FILL_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    tensor_index: int
    header: TensorHeader
    digest: _tensors_pb2.Digest
    chunk: Chunk
    fill: bytes
    segment: _segments_pb2.Segment
    def __init__(self, tensor_index: _Optional[int] = ..., header: _Optional[_Union[TensorHeader, _Mapping]] = ..., digest: _Optional[_Union[_tensors_pb2.Digest, _Mapping]] = ..., chunk: _Optional[_Union[Chunk, _Mapping]] = ..., fill: _Optional[bytes] = ..., segment: _Optional[_Union[_segments_pb2.Segment, _Mapping]] = ...) -> None: ...
