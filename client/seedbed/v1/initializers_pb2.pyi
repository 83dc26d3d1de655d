from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FanMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FAN_MODE_UNSPECIFIED: _ClassVar[FanMode]
    FAN_MODE_FAN_IN: _ClassVar[FanMode]
    FAN_MODE_FAN_OUT: _ClassVar[FanMode]
    FAN_MODE_FAN_AVG: _ClassVar[FanMode]
    FAN_MODE_FAN_GEO_AVG: _ClassVar[FanMode]

class Distribution(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DISTRIBUTION_UNSPECIFIED: _ClassVar[Distribution]
    DISTRIBUTION_UNIFORM: _ClassVar[Distribution]
    DISTRIBUTION_TRUNCATED_NORMAL: _ClassVar[Distribution]
    DISTRIBUTION_UNTRUNCATED_NORMAL: _ClassVar[Distribution]

class Nonlinearity(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NONLINEARITY_UNSPECIFIED: _ClassVar[Nonlinearity]
    NONLINEARITY_LINEAR: _ClassVar[Nonlinearity]
    NONLINEARITY_SIGMOID: _ClassVar[Nonlinearity]
    NONLINEARITY_TANH: _ClassVar[Nonlinearity]
    NONLINEARITY_RELU: _ClassVar[Nonlinearity]
    NONLINEARITY_LEAKY_RELU: _ClassVar[Nonlinearity]
    NONLINEARITY_SELU: _ClassVar[Nonlinearity]
FAN_MODE_UNSPECIFIED: FanMode
FAN_MODE_FAN_IN: FanMode
FAN_MODE_FAN_OUT: FanMode
FAN_MODE_FAN_AVG: FanMode
FAN_MODE_FAN_GEO_AVG: FanMode
DISTRIBUTION_UNSPECIFIED: Distribution
DISTRIBUTION_UNIFORM: Distribution
DISTRIBUTION_TRUNCATED_NORMAL: Distribution
DISTRIBUTION_UNTRUNCATED_NORMAL: Distribution
NONLINEARITY_UNSPECIFIED: Nonlinearity
NONLINEARITY_LINEAR: Nonlinearity
NONLINEARITY_SIGMOID: Nonlinearity
NONLINEARITY_TANH: Nonlinearity
NONLINEARITY_RELU: Nonlinearity
NONLINEARITY_LEAKY_RELU: Nonlinearity
NONLINEARITY_SELU: Nonlinearity

class InitializerSpec(_message.Message):
    __slots__ = ("zeros", "ones", "constant", "random_uniform", "random_normal", "truncated_normal", "variance_scaling", "glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform", "lecun_normal", "identity", "orthogonal", "xavier_uniform", "xavier_normal", "kaiming_uniform", "kaiming_normal")
    ZEROS_FIELD_NUMBER: _ClassVar[int]
    ONES_FIELD_NUMBER: _ClassVar[int]
    CONSTANT_FIELD_NUMBER: _ClassVar[int]
    RANDOM_UNIFORM_FIELD_NUMBER: _ClassVar[int]
    RANDOM_NORMAL_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_NORMAL_FIELD_NUMBER: _ClassVar[int]
    VARIANCE_SCALING_FIELD_NUMBER: _ClassVar[int]
    GLOROT_UNIFORM_FIELD_NUMBER: _ClassVar[int]
    GLOROT_NORMAL_FIELD_NUMBER: _ClassVar[int]
    HE_UNIFORM_FIELD_NUMBER: _ClassVar[int]
    HE_NORMAL_FIELD_NUMBER: _ClassVar[int]
    LECUN_UNIFORM_FIELD_NUMBER: _ClassVar[int]
    LECUN_NORMAL_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    ORTHOGONAL_FIELD_NUMBER: _ClassVar[int]
    XAVIER_UNIFORM_FIELD_NUMBER: _ClassVar[int]
    XAVIER_NORMAL_FIELD_NUMBER: _ClassVar[int]
    KAIMING_UNIFORM_FIELD_NUMBER: _ClassVar[int]
    KAIMING_NORMAL_FIELD_NUMBER: _ClassVar[int]
    zeros: Zeros
    ones: Ones
    constant: Constant
    random_uniform: RandomUniform
    random_normal: RandomNormal
    truncated_normal: TruncatedNormal
    variance_scaling: VarianceScaling
    glorot_uniform: GlorotUniform
    glorot_normal: GlorotNormal
    he_uniform: HeUniform
    he_normal: HeNormal
    lecun_uniform: LecunUniform
    lecun_normal: LecunNormal
    identity: Identity
    orthogonal: Orthogonal
    xavier_uniform: XavierUniform
    xavier_normal: XavierNormal
    kaiming_uniform: KaimingUniform
    kaiming_normal: KaimingNormal
    def __init__(self, zeros: _Optional[_Union[Zeros, _Mapping]] = ..., ones: _Optional[_Union[Ones, _Mapping]] = ..., constant: _Optional[_Union[Constant, _Mapping]] = ..., random_uniform: _Optional[_Union[RandomUniform, _Mapping]] = ..., random_normal: _Optional[_Union[RandomNormal, _Mapping]] = ..., truncated_normal: _Optional[_Union[TruncatedNormal, _Mapping]] = ..., variance_scaling: _Optional[_Union[VarianceScaling, _Mapping]] = ..., glorot_uniform: _Optional[_Union[GlorotUniform, _Mapping]] = ..., glorot_normal: _Optional[_Union[GlorotNormal, _Mapping]] = ..., he_uniform: _Optional[_Union[HeUniform, _Mapping]] = ..., he_normal: _Optional[_Union[HeNormal, _Mapping]] = ..., lecun_uniform: _Optional[_Union[LecunUniform, _Mapping]] = ..., lecun_normal: _Optional[_Union[LecunNormal, _Mapping]] = ..., identity: _Optional[_Union[Identity, _Mapping]] = ..., orthogonal: _Optional[_Union[Orthogonal, _Mapping]] = ..., xavier_uniform: _Optional[_Union[XavierUniform, _Mapping]] = ..., xavier_normal: _Optional[_Union[XavierNormal, _Mapping]] = ..., kaiming_uniform: _Optional[_Union[KaimingUniform, _Mapping]] = ..., kaiming_normal: _Optional[_Union[KaimingNormal, _Mapping]] = ...) -> None: ...

class Zeros(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Ones(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Constant(_message.Message):
    __slots__ = ("real", "integer", "large_integer")
    REAL_FIELD_NUMBER: _ClassVar[int]
    INTEGER_FIELD_NUMBER: _ClassVar[int]
    LARGE_INTEGER_FIELD_NUMBER: _ClassVar[int]
    real: float
    integer: int
    large_integer: int
    def __init__(self, real: _Optional[float] = ..., integer: _Optional[int] = ..., large_integer: _Optional[int] = ...) -> None: ...

class RandomUniform(_message.Message):
    __slots__ = ("minval", "maxval")
    MINVAL_FIELD_NUMBER: _ClassVar[int]
    MAXVAL_FIELD_NUMBER: _ClassVar[int]
    minval: float
    maxval: float
    def __init__(self, minval: _Optional[float] = ..., maxval: _Optional[float] = ...) -> None: ...

class RandomNormal(_message.Message):
    __slots__ = ("mean", "stddev")
    MEAN_FIELD_NUMBER: _ClassVar[int]
    STDDEV_FIELD_NUMBER: _ClassVar[int]
    mean: float
    stddev: float
    def __init__(self, mean: _Optional[float] = ..., stddev: _Optional[float] = ...) -> None: ...

class TruncatedNormal(_message.Message):
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

class VarianceScaling(_message.Message):
    __slots__ = ("scale", "mode", "distribution", "lower", "upper")
    SCALE_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    DISTRIBUTION_FIELD_NUMBER: _ClassVar[int]
    LOWER_FIELD_NUMBER: _ClassVar[int]
    UPPER_FIELD_NUMBER: _ClassVar[int]
    scale: float
    mode: FanMode
    distribution: Distribution
    lower: float
    upper: float
    def __init__(self, scale: _Optional[float] = ..., mode: _Optional[_Union[FanMode, str]] = ..., distribution: _Optional[_Union[Distribution, str]] = ..., lower: _Optional[float] = ..., upper: _Optional[float] = ...) -> None: ...

class GlorotUniform(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GlorotNormal(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class HeUniform(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class HeNormal(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class LecunUniform(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class LecunNormal(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Identity(_message.Message):
    __slots__ = ("gain",)
    GAIN_FIELD_NUMBER: _ClassVar[int]
    gain: float
    def __init__(self, gain: _Optional[float] = ...) -> None: ...

class Orthogonal(_message.Message):
    __slots__ = ("gain",)
    GAIN_FIELD_NUMBER: _ClassVar[int]
    gain: float
    def __init__(self, gain: _Optional[float] = ...) -> None: ...

class XavierUniform(_message.Message):
    __slots__ = ("gain",)
    GAIN_FIELD_NUMBER: _ClassVar[int]
    gain: float
    def __init__(self, gain: _Optional[float] = ...) -> None: ...

class XavierNormal(_message.Message):
    __slots__ = ("gain",)
    GAIN_FIELD_NUMBER: _ClassVar[int]
    gain: float
    def __init__(self, gain: _Optional[float] = ...) -> None: ...

class KaimingUniform(_message.Message):
    __slots__ = ("a", "mode", "nonlinearity")
    A_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    NONLINEARITY_FIELD_NUMBER: _ClassVar[int]
    a: float
    mode: FanMode
    nonlinearity: Nonlinearity
    def __init__(self, a: _Optional[float] = ..., mode: _Optional[_Union[FanMode, str]] = ..., nonlinearity: _Optional[_Union[Nonlinearity, str]] = ...) -> None: ...

class KaimingNormal(_message.Message):
    __slots__ = ("a", "mode", "nonlinearity")
    A_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    NONLINEARITY_FIELD_NUMBER: _ClassVar[int]
    a: float
    mode: FanMode
    nonlinearity: Nonlinearity
    def __init__(self, a: _Optional[float] = ..., mode: _Optional[_Union[FanMode, str]] = ..., nonlinearity: _Optional[_Union[Nonlinearity, str]] = ...) -> None: ...
