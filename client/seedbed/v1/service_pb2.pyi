from seedbed.v1 import descriptions_pb2 as _descriptions_pb2
from seedbed.v1 import streams_pb2 as _streams_pb2
from seedbed.v1 import tensors_pb2 as _tensors_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Capability(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CAPABILITY_UNSPECIFIED: _ClassVar[Capability]
    CAPABILITY_FILL: _ClassVar[Capability]
    CAPABILITY_SEGMENTS: _ClassVar[Capability]
CAPABILITY_UNSPECIFIED: Capability
CAPABILITY_FILL: Capability
CAPABILITY_SEGMENTS: Capability

class GetServerInfoRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Limits(_message.Message):
    __slots__ = ("max_request_message_bytes", "max_tensors_per_request", "max_rank", "max_name_bytes", "max_tensor_bytes", "max_request_bytes", "max_small_tensor_bytes", "max_orthogonal_elements", "max_working_bytes", "max_request_cost_seconds", "max_chunk_bytes", "max_concurrent_streams", "stream_idle_seconds", "max_stream_seconds")
    MAX_REQUEST_MESSAGE_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_TENSORS_PER_REQUEST_FIELD_NUMBER: _ClassVar[int]
    MAX_RANK_FIELD_NUMBER: _ClassVar[int]
    MAX_NAME_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_TENSOR_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_REQUEST_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_SMALL_TENSOR_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_ORTHOGONAL_ELEMENTS_FIELD_NUMBER: _ClassVar[int]
    MAX_WORKING_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_REQUEST_COST_SECONDS_FIELD_NUMBER: _ClassVar[int]
    MAX_CHUNK_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_CONCURRENT_STREAMS_FIELD_NUMBER: _ClassVar[int]
    STREAM_IDLE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    MAX_STREAM_SECONDS_FIELD_NUMBER: _ClassVar[int]
    max_request_message_bytes: int
    max_tensors_per_request: int
    max_rank: int
    max_name_bytes: int
    max_tensor_bytes: int
    max_request_bytes: int
    max_small_tensor_bytes: int
    max_orthogonal_elements: int
    max_working_bytes: int
    max_request_cost_seconds: float
    max_chunk_bytes: int
    max_concurrent_streams: int
    stream_idle_seconds: float
    max_stream_seconds: float
    def __init__(self, max_request_message_bytes: _Optional[int] = ..., max_tensors_per_request: _Optional[int] = ..., max_rank: _Optional[int] = ..., max_name_bytes: _Optional[int] = ..., max_tensor_bytes: _Optional[int] = ..., max_request_bytes: _Optional[int] = ..., max_small_tensor_bytes: _Optional[int] = ..., max_orthogonal_elements: _Optional[int] = ..., max_working_bytes: _Optional[int] = ..., max_request_cost_seconds: _Optional[float] = ..., max_chunk_bytes: _Optional[int] = ..., max_concurrent_streams: _Optional[int] = ..., stream_idle_seconds: _Optional[float] = ..., max_stream_seconds: _Optional[float] = ...) -> None: ...

class GetServerInfoResponse(_message.Message):
    __slots__ = ("version", "numerics", "dtypes", "digest_algorithms", "capabilities", "backend", "device", "threads", "limits", "checksum")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NUMERICS_FIELD_NUMBER: _ClassVar[int]
    DTYPES_FIELD_NUMBER: _ClassVar[int]
    DIGEST_ALGORITHMS_FIELD_NUMBER: _ClassVar[int]
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    BACKEND_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    THREADS_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    CHECKSUM_FIELD_NUMBER: _ClassVar[int]
    version: str
    numerics: _containers.RepeatedScalarFieldContainer[_tensors_pb2.Numerics]
    dtypes: _containers.RepeatedScalarFieldContainer[_tensors_pb2.Dtype]
    digest_algorithms: _containers.RepeatedScalarFieldContainer[_tensors_pb2.DigestAlgorithm]
    capabilities: _containers.RepeatedScalarFieldContainer[Capability]
    backend: str
    device: str
    threads: int
    limits: Limits
    checksum: int
    def __init__(self, version: _Optional[str] = ..., numerics: _Optional[_Iterable[_Union[_tensors_pb2.Numerics, str]]] = ..., dtypes: _Optional[_Iterable[_Union[_tensors_pb2.Dtype, str]]] = ..., digest_algorithms: _Optional[_Iterable[_Union[_tensors_pb2.DigestAlgorithm, str]]] = ..., capabilities: _Optional[_Iterable[_Union[Capability, str]]] = ..., backend: _Optional[str] = ..., device: _Optional[str] = ..., threads: _Optional[int] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ..., checksum: _Optional[int] = ...) -> None: ...

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
    __slots__ = ("initializers", "checksum")
    INITIALIZERS_FIELD_NUMBER: _ClassVar[int]
    CHECKSUM_FIELD_NUMBER: _ClassVar[int]
    initializers: _containers.RepeatedCompositeFieldContainer[InitializerInfo]
    checksum: int
    def __init__(self, initializers: _Optional[_Iterable[_Union[InitializerInfo, _Mapping]]] = ..., checksum: _Optional[int] = ...) -> None: ...

class DescribeTensorsRequest(_message.Message):
    __slots__ = ("tensors", "numerics")
    TENSORS_FIELD_NUMBER: _ClassVar[int]
    NUMERICS_FIELD_NUMBER: _ClassVar[int]
    tensors: _containers.RepeatedCompositeFieldContainer[_tensors_pb2.TensorRequest]
    numerics: _tensors_pb2.Numerics
    def __init__(self, tensors: _Optional[_Iterable[_Union[_tensors_pb2.TensorRequest, _Mapping]]] = ..., numerics: _Optional[_Union[_tensors_pb2.Numerics, str]] = ...) -> None: ...

class DescribeTensorsResponse(_message.Message):
    __slots__ = ("tensors", "numerics", "checksum")
    TENSORS_FIELD_NUMBER: _ClassVar[int]
    NUMERICS_FIELD_NUMBER: _ClassVar[int]
    CHECKSUM_FIELD_NUMBER: _ClassVar[int]
    tensors: _containers.RepeatedCompositeFieldContainer[_descriptions_pb2.TensorDescription]
    numerics: _tensors_pb2.Numerics
    checksum: int
    def __init__(self, tensors: _Optional[_Iterable[_Union[_descriptions_pb2.TensorDescription, _Mapping]]] = ..., numerics: _Optional[_Union[_tensors_pb2.Numerics, str]] = ..., checksum: _Optional[int] = ...) -> None: ...

class DigestTensorsRequest(_message.Message):
    __slots__ = ("tensors", "numerics", "digest_algorithm")
    TENSORS_FIELD_NUMBER: _ClassVar[int]
    NUMERICS_FIELD_NUMBER: _ClassVar[int]
    DIGEST_ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    tensors: _containers.RepeatedCompositeFieldContainer[_tensors_pb2.TensorRequest]
    numerics: _tensors_pb2.Numerics
    digest_algorithm: _tensors_pb2.DigestAlgorithm
    def __init__(self, tensors: _Optional[_Iterable[_Union[_tensors_pb2.TensorRequest, _Mapping]]] = ..., numerics: _Optional[_Union[_tensors_pb2.Numerics, str]] = ..., digest_algorithm: _Optional[_Union[_tensors_pb2.DigestAlgorithm, str]] = ...) -> None: ...

class TensorDigest(_message.Message):
    __slots__ = ("tensor_index", "digest", "request")
    TENSOR_INDEX_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    tensor_index: int
    digest: _tensors_pb2.Digest
    request: _tensors_pb2.TensorRequest
    def __init__(self, tensor_index: _Optional[int] = ..., digest: _Optional[_Union[_tensors_pb2.Digest, _Mapping]] = ..., request: _Optional[_Union[_tensors_pb2.TensorRequest, _Mapping]] = ...) -> None: ...

class DigestTensorsResponse(_message.Message):
    __slots__ = ("tensors", "numerics", "checksum")
    TENSORS_FIELD_NUMBER: _ClassVar[int]
    NUMERICS_FIELD_NUMBER: _ClassVar[int]
    CHECKSUM_FIELD_NUMBER: _ClassVar[int]
    tensors: _containers.RepeatedCompositeFieldContainer[TensorDigest]
    numerics: _tensors_pb2.Numerics
    checksum: int
    def __init__(self, tensors: _Optional[_Iterable[_Union[TensorDigest, _Mapping]]] = ..., numerics: _Optional[_Union[_tensors_pb2.Numerics, str]] = ..., checksum: _Optional[int] = ...) -> None: ...

class SampleTensorsRequest(_message.Message):
    __slots__ = ("tensors", "numerics", "digest_algorithm", "resume", "transfer")
    TENSORS_FIELD_NUMBER: _ClassVar[int]
    NUMERICS_FIELD_NUMBER: _ClassVar[int]
    DIGEST_ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    RESUME_FIELD_NUMBER: _ClassVar[int]
    TRANSFER_FIELD_NUMBER: _ClassVar[int]
    tensors: _containers.RepeatedCompositeFieldContainer[_tensors_pb2.TensorRequest]
    numerics: _tensors_pb2.Numerics
    digest_algorithm: _tensors_pb2.DigestAlgorithm
    resume: _streams_pb2.ResumePoint
    transfer: _streams_pb2.TransferOptions
    def __init__(self, tensors: _Optional[_Iterable[_Union[_tensors_pb2.TensorRequest, _Mapping]]] = ..., numerics: _Optional[_Union[_tensors_pb2.Numerics, str]] = ..., digest_algorithm: _Optional[_Union[_tensors_pb2.DigestAlgorithm, str]] = ..., resume: _Optional[_Union[_streams_pb2.ResumePoint, _Mapping]] = ..., transfer: _Optional[_Union[_streams_pb2.TransferOptions, _Mapping]] = ...) -> None: ...

class SampleTensorsResponse(_message.Message):
    __slots__ = ("parts",)
    PARTS_FIELD_NUMBER: _ClassVar[int]
    parts: _containers.RepeatedCompositeFieldContainer[_streams_pb2.TensorPart]
    def __init__(self, parts: _Optional[_Iterable[_Union[_streams_pb2.TensorPart, _Mapping]]] = ...) -> None: ...

class SampleSmallTensorRequest(_message.Message):
    __slots__ = ("tensor", "numerics", "digest_algorithm")
    TENSOR_FIELD_NUMBER: _ClassVar[int]
    NUMERICS_FIELD_NUMBER: _ClassVar[int]
    DIGEST_ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    tensor: _tensors_pb2.TensorRequest
    numerics: _tensors_pb2.Numerics
    digest_algorithm: _tensors_pb2.DigestAlgorithm
    def __init__(self, tensor: _Optional[_Union[_tensors_pb2.TensorRequest, _Mapping]] = ..., numerics: _Optional[_Union[_tensors_pb2.Numerics, str]] = ..., digest_algorithm: _Optional[_Union[_tensors_pb2.DigestAlgorithm, str]] = ...) -> None: ...

class SampleSmallTensorResponse(_message.Message):
    __slots__ = ("header", "digest", "data")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    header: _streams_pb2.TensorHeader
    digest: _tensors_pb2.Digest
    data: bytes
    def __init__(self, header: _Optional[_Union[_streams_pb2.TensorHeader, _Mapping]] = ..., digest: _Optional[_Union[_tensors_pb2.Digest, _Mapping]] = ..., data: _Optional[bytes] = ...) -> None: ...
