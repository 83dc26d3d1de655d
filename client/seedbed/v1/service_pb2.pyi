from seedbed.v1 import initializers_pb2 as _initializers_pb2
from seedbed.v1 import tensors_pb2 as _tensors_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetServerInfoRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Limits(_message.Message):
    __slots__ = ("max_request_message_bytes", "max_tensors_per_request", "max_rank", "max_name_bytes", "max_tensor_bytes", "max_request_bytes", "max_orthogonal_elements", "max_chunk_bytes", "max_concurrent_streams")
    MAX_REQUEST_MESSAGE_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_TENSORS_PER_REQUEST_FIELD_NUMBER: _ClassVar[int]
    MAX_RANK_FIELD_NUMBER: _ClassVar[int]
    MAX_NAME_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_TENSOR_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_REQUEST_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_ORTHOGONAL_ELEMENTS_FIELD_NUMBER: _ClassVar[int]
    MAX_CHUNK_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_CONCURRENT_STREAMS_FIELD_NUMBER: _ClassVar[int]
    max_request_message_bytes: int
    max_tensors_per_request: int
    max_rank: int
    max_name_bytes: int
    max_tensor_bytes: int
    max_request_bytes: int
    max_orthogonal_elements: int
    max_chunk_bytes: int
    max_concurrent_streams: int
    def __init__(self, max_request_message_bytes: _Optional[int] = ..., max_tensors_per_request: _Optional[int] = ..., max_rank: _Optional[int] = ..., max_name_bytes: _Optional[int] = ..., max_tensor_bytes: _Optional[int] = ..., max_request_bytes: _Optional[int] = ..., max_orthogonal_elements: _Optional[int] = ..., max_chunk_bytes: _Optional[int] = ..., max_concurrent_streams: _Optional[int] = ...) -> None: ...

class GetServerInfoResponse(_message.Message):
    __slots__ = ("version", "numerics", "dtypes", "digest_algorithms", "backend", "device", "threads", "limits")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NUMERICS_FIELD_NUMBER: _ClassVar[int]
    DTYPES_FIELD_NUMBER: _ClassVar[int]
    DIGEST_ALGORITHMS_FIELD_NUMBER: _ClassVar[int]
    BACKEND_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    THREADS_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    version: str
    numerics: _containers.RepeatedScalarFieldContainer[_tensors_pb2.Numerics]
    dtypes: _containers.RepeatedScalarFieldContainer[_tensors_pb2.Dtype]
    digest_algorithms: _containers.RepeatedScalarFieldContainer[_tensors_pb2.DigestAlgorithm]
    backend: str
    device: str
    threads: int
    limits: Limits
    def __init__(self, version: _Optional[str] = ..., numerics: _Optional[_Iterable[_Union[_tensors_pb2.Numerics, str]]] = ..., dtypes: _Optional[_Iterable[_Union[_tensors_pb2.Dtype, str]]] = ..., digest_algorithms: _Optional[_Iterable[_Union[_tensors_pb2.DigestAlgorithm, str]]] = ..., backend: _Optional[str] = ..., device: _Optional[str] = ..., threads: _Optional[int] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ...) -> None: ...

class ListInitializersRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class InitializerParameter(_message.Message):
    __slots__ = ("name", "type", "default_json", "choices", "description")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_JSON_FIELD_NUMBER: _ClassVar[int]
    CHOICES_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    name: str
    type: str
    default_json: str
    choices: _containers.RepeatedScalarFieldContainer[str]
    description: str
    def __init__(self, name: _Optional[str] = ..., type: _Optional[str] = ..., default_json: _Optional[str] = ..., choices: _Optional[_Iterable[str]] = ..., description: _Optional[str] = ...) -> None: ...

class InitializerInfo(_message.Message):
    __slots__ = ("name", "field", "aliases", "description", "parameters", "dtypes", "random")
    NAME_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    DTYPES_FIELD_NUMBER: _ClassVar[int]
    RANDOM_FIELD_NUMBER: _ClassVar[int]
    name: str
    field: str
    aliases: _containers.RepeatedScalarFieldContainer[str]
    description: str
    parameters: _containers.RepeatedCompositeFieldContainer[InitializerParameter]
    dtypes: _containers.RepeatedScalarFieldContainer[_tensors_pb2.Dtype]
    random: bool
    def __init__(self, name: _Optional[str] = ..., field: _Optional[str] = ..., aliases: _Optional[_Iterable[str]] = ..., description: _Optional[str] = ..., parameters: _Optional[_Iterable[_Union[InitializerParameter, _Mapping]]] = ..., dtypes: _Optional[_Iterable[_Union[_tensors_pb2.Dtype, str]]] = ..., random: bool = ...) -> None: ...

class ListInitializersResponse(_message.Message):
    __slots__ = ("initializers",)
    INITIALIZERS_FIELD_NUMBER: _ClassVar[int]
    initializers: _containers.RepeatedCompositeFieldContainer[InitializerInfo]
    def __init__(self, initializers: _Optional[_Iterable[_Union[InitializerInfo, _Mapping]]] = ...) -> None: ...

class DescribeTensorsRequest(_message.Message):
    __slots__ = ("tensors", "numerics")
    TENSORS_FIELD_NUMBER: _ClassVar[int]
    NUMERICS_FIELD_NUMBER: _ClassVar[int]
    tensors: _containers.RepeatedCompositeFieldContainer[_tensors_pb2.TensorRequest]
    numerics: _tensors_pb2.Numerics
    def __init__(self, tensors: _Optional[_Iterable[_Union[_tensors_pb2.TensorRequest, _Mapping]]] = ..., numerics: _Optional[_Union[_tensors_pb2.Numerics, str]] = ...) -> None: ...

class TensorDescription(_message.Message):
    __slots__ = ("name", "shape", "dtype", "size_bytes", "chunk_count", "fan_in", "fan_out", "distribution", "minval", "maxval", "mean", "stddev", "lower", "upper", "value", "sampled_elements", "working_bytes", "request")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    DTYPE_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    CHUNK_COUNT_FIELD_NUMBER: _ClassVar[int]
    FAN_IN_FIELD_NUMBER: _ClassVar[int]
    FAN_OUT_FIELD_NUMBER: _ClassVar[int]
    DISTRIBUTION_FIELD_NUMBER: _ClassVar[int]
    MINVAL_FIELD_NUMBER: _ClassVar[int]
    MAXVAL_FIELD_NUMBER: _ClassVar[int]
    MEAN_FIELD_NUMBER: _ClassVar[int]
    STDDEV_FIELD_NUMBER: _ClassVar[int]
    LOWER_FIELD_NUMBER: _ClassVar[int]
    UPPER_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    SAMPLED_ELEMENTS_FIELD_NUMBER: _ClassVar[int]
    WORKING_BYTES_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    name: str
    shape: _containers.RepeatedScalarFieldContainer[int]
    dtype: _tensors_pb2.Dtype
    size_bytes: int
    chunk_count: int
    fan_in: float
    fan_out: float
    distribution: _initializers_pb2.Distribution
    minval: float
    maxval: float
    mean: float
    stddev: float
    lower: float
    upper: float
    value: float
    sampled_elements: int
    working_bytes: int
    request: _tensors_pb2.TensorRequest
    def __init__(self, name: _Optional[str] = ..., shape: _Optional[_Iterable[int]] = ..., dtype: _Optional[_Union[_tensors_pb2.Dtype, str]] = ..., size_bytes: _Optional[int] = ..., chunk_count: _Optional[int] = ..., fan_in: _Optional[float] = ..., fan_out: _Optional[float] = ..., distribution: _Optional[_Union[_initializers_pb2.Distribution, str]] = ..., minval: _Optional[float] = ..., maxval: _Optional[float] = ..., mean: _Optional[float] = ..., stddev: _Optional[float] = ..., lower: _Optional[float] = ..., upper: _Optional[float] = ..., value: _Optional[float] = ..., sampled_elements: _Optional[int] = ..., working_bytes: _Optional[int] = ..., request: _Optional[_Union[_tensors_pb2.TensorRequest, _Mapping]] = ...) -> None: ...

class DescribeTensorsResponse(_message.Message):
    __slots__ = ("tensors", "numerics", "checksum")
    TENSORS_FIELD_NUMBER: _ClassVar[int]
    NUMERICS_FIELD_NUMBER: _ClassVar[int]
    CHECKSUM_FIELD_NUMBER: _ClassVar[int]
    tensors: _containers.RepeatedCompositeFieldContainer[TensorDescription]
    numerics: _tensors_pb2.Numerics
    checksum: int
    def __init__(self, tensors: _Optional[_Iterable[_Union[TensorDescription, _Mapping]]] = ..., numerics: _Optional[_Union[_tensors_pb2.Numerics, str]] = ..., checksum: _Optional[int] = ...) -> None: ...

class DigestTensorsRequest(_message.Message):
    __slots__ = ("tensors", "numerics", "digest_algorithm")
    TENSORS_FIELD_NUMBER: _ClassVar[int]
    NUMERICS_FIELD_NUMBER: _ClassVar[int]
    DIGEST_ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    tensors: _containers.RepeatedCompositeFieldContainer[_tensors_pb2.TensorRequest]
    numerics: _tensors_pb2.Numerics
    digest_algorithm: _tensors_pb2.DigestAlgorithm
    def __init__(self, tensors: _Optional[_Iterable[_Union[_tensors_pb2.TensorRequest, _Mapping]]] = ..., numerics: _Optional[_Union[_tensors_pb2.Numerics, str]] = ..., digest_algorithm: _Optional[_Union[_tensors_pb2.DigestAlgorithm, str]] = ...) -> None: ...

class DigestTensorsResponse(_message.Message):
    __slots__ = ("tensor_index", "digest", "request", "numerics", "checksum")
    TENSOR_INDEX_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    NUMERICS_FIELD_NUMBER: _ClassVar[int]
    CHECKSUM_FIELD_NUMBER: _ClassVar[int]
    tensor_index: int
    digest: _tensors_pb2.Digest
    request: _tensors_pb2.TensorRequest
    numerics: _tensors_pb2.Numerics
    checksum: int
    def __init__(self, tensor_index: _Optional[int] = ..., digest: _Optional[_Union[_tensors_pb2.Digest, _Mapping]] = ..., request: _Optional[_Union[_tensors_pb2.TensorRequest, _Mapping]] = ..., numerics: _Optional[_Union[_tensors_pb2.Numerics, str]] = ..., checksum: _Optional[int] = ...) -> None: ...

class ResumePoint(_message.Message):
    __slots__ = ("tensor_index", "byte_offset")
    TENSOR_INDEX_FIELD_NUMBER: _ClassVar[int]
    BYTE_OFFSET_FIELD_NUMBER: _ClassVar[int]
    tensor_index: int
    byte_offset: int
    def __init__(self, tensor_index: _Optional[int] = ..., byte_offset: _Optional[int] = ...) -> None: ...

class SampleTensorsRequest(_message.Message):
    __slots__ = ("tensors", "numerics", "resume", "max_chunk_bytes", "digest_algorithm", "accepts_fill", "accepts_segments")
    TENSORS_FIELD_NUMBER: _ClassVar[int]
    NUMERICS_FIELD_NUMBER: _ClassVar[int]
    RESUME_FIELD_NUMBER: _ClassVar[int]
    MAX_CHUNK_BYTES_FIELD_NUMBER: _ClassVar[int]
    DIGEST_ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    ACCEPTS_FILL_FIELD_NUMBER: _ClassVar[int]
    ACCEPTS_SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    tensors: _containers.RepeatedCompositeFieldContainer[_tensors_pb2.TensorRequest]
    numerics: _tensors_pb2.Numerics
    resume: ResumePoint
    max_chunk_bytes: int
    digest_algorithm: _tensors_pb2.DigestAlgorithm
    accepts_fill: bool
    accepts_segments: bool
    def __init__(self, tensors: _Optional[_Iterable[_Union[_tensors_pb2.TensorRequest, _Mapping]]] = ..., numerics: _Optional[_Union[_tensors_pb2.Numerics, str]] = ..., resume: _Optional[_Union[ResumePoint, _Mapping]] = ..., max_chunk_bytes: _Optional[int] = ..., digest_algorithm: _Optional[_Union[_tensors_pb2.DigestAlgorithm, str]] = ..., accepts_fill: bool = ..., accepts_segments: bool = ...) -> None: ...

class SampleTensorsResponse(_message.Message):
    __slots__ = ("tensor_index", "header", "digest", "chunk", "fill", "segment")
    TENSOR_INDEX_FIELD_NUMBER: _ClassVar[int]
    HEADER_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    FILL_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    tensor_index: int
    header: _tensors_pb2.TensorHeader
    digest: _tensors_pb2.Digest
    chunk: _tensors_pb2.Chunk
    fill: bytes
    segment: _tensors_pb2.Segment
    def __init__(self, tensor_index: _Optional[int] = ..., header: _Optional[_Union[_tensors_pb2.TensorHeader, _Mapping]] = ..., digest: _Optional[_Union[_tensors_pb2.Digest, _Mapping]] = ..., chunk: _Optional[_Union[_tensors_pb2.Chunk, _Mapping]] = ..., fill: _Optional[bytes] = ..., segment: _Optional[_Union[_tensors_pb2.Segment, _Mapping]] = ...) -> None: ...

class SampleTensorRequest(_message.Message):
    __slots__ = ("tensor", "numerics", "digest_algorithm")
    TENSOR_FIELD_NUMBER: _ClassVar[int]
    NUMERICS_FIELD_NUMBER: _ClassVar[int]
    DIGEST_ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    tensor: _tensors_pb2.TensorRequest
    numerics: _tensors_pb2.Numerics
    digest_algorithm: _tensors_pb2.DigestAlgorithm
    def __init__(self, tensor: _Optional[_Union[_tensors_pb2.TensorRequest, _Mapping]] = ..., numerics: _Optional[_Union[_tensors_pb2.Numerics, str]] = ..., digest_algorithm: _Optional[_Union[_tensors_pb2.DigestAlgorithm, str]] = ...) -> None: ...

class SampleTensorResponse(_message.Message):
    __slots__ = ("header", "digest", "data")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    header: _tensors_pb2.TensorHeader
    digest: _tensors_pb2.Digest
    data: bytes
    def __init__(self, header: _Optional[_Union[_tensors_pb2.TensorHeader, _Mapping]] = ..., digest: _Optional[_Union[_tensors_pb2.Digest, _Mapping]] = ..., data: _Optional[bytes] = ...) -> None: ...
