from seedbed.v1 import initializers_pb2 as _initializers_pb2
from seedbed.v1 import tensors_pb2 as _tensors_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Fans(_message.Message):
    __slots__ = ("fan_in", "fan_out")
    FAN_IN_FIELD_NUMBER: _ClassVar[int]
    FAN_OUT_FIELD_NUMBER: _ClassVar[int]
    fan_in: float
    fan_out: float
    def __init__(self, fan_in: _Optional[float] = ..., fan_out: _Optional[float] = ...) -> None: ...

class UniformDistribution(_message.Message):
    __slots__ = ("minval", "maxval")
    MINVAL_FIELD_NUMBER: _ClassVar[int]
    MAXVAL_FIELD_NUMBER: _ClassVar[int]
    minval: float
    maxval: float
    def __init__(self, minval: _Optional[float] = ..., maxval: _Optional[float] = ...) -> None: ...

class NormalDistribution(_message.Message):
    __slots__ = ("mean", "stddev")
    MEAN_FIELD_NUMBER: _ClassVar[int]
    STDDEV_FIELD_NUMBER: _ClassVar[int]
    mean: float
    stddev: float
    def __init__(self, mean: _Optional[float] = ..., stddev: _Optional[float] = ...) -> None: ...

class TruncatedNormalDistribution(_message.Message):
    __slots__ = ("mean", "stddev", "lower", "upper")
    MEAN_FIELD_NUMBER: _ClassVar[int]
    STDDEV_FIELD_NUMBER: _ClassVar[int]
    LOWER_FIELD_NUMBER: _ClassVar[int]
    UPPER_FIELD_NUMBER: _ClassVar[int]
    mean: float
    stddev: float
    lower: float
    upper: float
    def __init__(self, mean: _Optional[float] = ..., stddev: _Optional[float] = ..., lower: _Optional[float] = ..., upper: _Optional[float] = ...) -> None: ...

class OrthogonalDistribution(_message.Message):
    __slots__ = ("gain", "rows", "columns")
    GAIN_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    gain: float
    rows: int
    columns: int
    def __init__(self, gain: _Optional[float] = ..., rows: _Optional[int] = ..., columns: _Optional[int] = ...) -> None: ...

class SparseDistribution(_message.Message):
    __slots__ = ("stddev", "zeros_per_line", "line_length")
    STDDEV_FIELD_NUMBER: _ClassVar[int]
    ZEROS_PER_LINE_FIELD_NUMBER: _ClassVar[int]
    LINE_LENGTH_FIELD_NUMBER: _ClassVar[int]
    stddev: float
    zeros_per_line: int
    line_length: int
    def __init__(self, stddev: _Optional[float] = ..., zeros_per_line: _Optional[int] = ..., line_length: _Optional[int] = ...) -> None: ...

class DiagonalDistribution(_message.Message):
    __slots__ = ("value",)
    VALUE_FIELD_NUMBER: _ClassVar[int]
    value: _initializers_pb2.Constant
    def __init__(self, value: _Optional[_Union[_initializers_pb2.Constant, _Mapping]] = ...) -> None: ...

class TensorDescription(_message.Message):
    __slots__ = ("name", "shape", "dtype", "size_bytes", "chunk_count", "fans", "constant", "uniform", "normal", "truncated_normal", "orthogonal", "sparse", "diagonal", "sampled_elements", "working_bytes", "request")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    DTYPE_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    CHUNK_COUNT_FIELD_NUMBER: _ClassVar[int]
    FANS_FIELD_NUMBER: _ClassVar[int]
    CONSTANT_FIELD_NUMBER: _ClassVar[int]
    UNIFORM_FIELD_NUMBER: _ClassVar[int]
    NORMAL_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_NORMAL_FIELD_NUMBER: _ClassVar[int]
    ORTHOGONAL_FIELD_NUMBER: _ClassVar[int]
    SPARSE_FIELD_NUMBER: _ClassVar[int]
    DIAGONAL_FIELD_NUMBER: _ClassVar[int]
    SAMPLED_ELEMENTS_FIELD_NUMBER: _ClassVar[int]
    WORKING_BYTES_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    name: str
    shape: _containers.RepeatedScalarFieldContainer[int]
    dtype: _tensors_pb2.Dtype
    size_bytes: int
    chunk_count: int
    fans: Fans
    constant: _initializers_pb2.Constant
    uniform: UniformDistribution
    normal: NormalDistribution
    truncated_normal: TruncatedNormalDistribution
    orthogonal: OrthogonalDistribution
    sparse: SparseDistribution
    diagonal: DiagonalDistribution
    sampled_elements: int
    working_bytes: int
    request: _tensors_pb2.TensorRequest
    def __init__(self, name: _Optional[str] = ..., shape: _Optional[_Iterable[int]] = ..., dtype: _Optional[_Union[_tensors_pb2.Dtype, str]] = ..., size_bytes: _Optional[int] = ..., chunk_count: _Optional[int] = ..., fans: _Optional[_Union[Fans, _Mapping]] = ..., constant: _Optional[_Union[_initializers_pb2.Constant, _Mapping]] = ..., uniform: _Optional[_Union[UniformDistribution, _Mapping]] = ..., normal: _Optional[_Union[NormalDistribution, _Mapping]] = ..., truncated_normal: _Optional[_Union[TruncatedNormalDistribution, _Mapping]] = ..., orthogonal: _Optional[_Union[OrthogonalDistribution, _Mapping]] = ..., sparse: _Optional[_Union[SparseDistribution, _Mapping]] = ..., diagonal: _Optional[_Union[DiagonalDistribution, _Mapping]] = ..., sampled_elements: _Optional[int] = ..., working_bytes: _Optional[int] = ..., request: _Optional[_Union[_tensors_pb2.TensorRequest, _Mapping]] = ...) -> None: ...
