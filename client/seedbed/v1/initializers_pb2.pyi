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

class StftSide(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STFT_SIDE_UNSPECIFIED: _ClassVar[StftSide]
    STFT_SIDE_REAL: _ClassVar[StftSide]
    STFT_SIDE_IMAG: _ClassVar[StftSide]

class StftWindow(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STFT_WINDOW_UNSPECIFIED: _ClassVar[StftWindow]
    STFT_WINDOW_NONE: _ClassVar[StftWindow]
    STFT_WINDOW_BOXCAR: _ClassVar[StftWindow]
    STFT_WINDOW_HANN: _ClassVar[StftWindow]
    STFT_WINDOW_HAMMING: _ClassVar[StftWindow]
    STFT_WINDOW_BLACKMAN: _ClassVar[StftWindow]
    STFT_WINDOW_NUTTALL: _ClassVar[StftWindow]
    STFT_WINDOW_BLACKMANHARRIS: _ClassVar[StftWindow]
    STFT_WINDOW_FLATTOP: _ClassVar[StftWindow]
    STFT_WINDOW_BARTLETT: _ClassVar[StftWindow]
    STFT_WINDOW_TRIANG: _ClassVar[StftWindow]
    STFT_WINDOW_COSINE: _ClassVar[StftWindow]
    STFT_WINDOW_BARTHANN: _ClassVar[StftWindow]
    STFT_WINDOW_BOHMAN: _ClassVar[StftWindow]
    STFT_WINDOW_PARZEN: _ClassVar[StftWindow]
    STFT_WINDOW_LANCZOS: _ClassVar[StftWindow]

class StftScaling(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STFT_SCALING_UNSPECIFIED: _ClassVar[StftScaling]
    STFT_SCALING_NONE: _ClassVar[StftScaling]
    STFT_SCALING_DENSITY: _ClassVar[StftScaling]
    STFT_SCALING_SPECTRUM: _ClassVar[StftScaling]

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
STFT_SIDE_UNSPECIFIED: StftSide
STFT_SIDE_REAL: StftSide
STFT_SIDE_IMAG: StftSide
STFT_WINDOW_UNSPECIFIED: StftWindow
STFT_WINDOW_NONE: StftWindow
STFT_WINDOW_BOXCAR: StftWindow
STFT_WINDOW_HANN: StftWindow
STFT_WINDOW_HAMMING: StftWindow
STFT_WINDOW_BLACKMAN: StftWindow
STFT_WINDOW_NUTTALL: StftWindow
STFT_WINDOW_BLACKMANHARRIS: StftWindow
STFT_WINDOW_FLATTOP: StftWindow
STFT_WINDOW_BARTLETT: StftWindow
STFT_WINDOW_TRIANG: StftWindow
STFT_WINDOW_COSINE: StftWindow
STFT_WINDOW_BARTHANN: StftWindow
STFT_WINDOW_BOHMAN: StftWindow
STFT_WINDOW_PARZEN: StftWindow
STFT_WINDOW_LANCZOS: StftWindow
STFT_SCALING_UNSPECIFIED: StftScaling
STFT_SCALING_NONE: StftScaling
STFT_SCALING_DENSITY: StftScaling
STFT_SCALING_SPECTRUM: StftScaling
NONLINEARITY_UNSPECIFIED: Nonlinearity
NONLINEARITY_LINEAR: Nonlinearity
NONLINEARITY_SIGMOID: Nonlinearity
NONLINEARITY_TANH: Nonlinearity
NONLINEARITY_RELU: Nonlinearity
NONLINEARITY_LEAKY_RELU: Nonlinearity
NONLINEARITY_SELU: Nonlinearity

class InitializerSpec(_message.Message):
    __slots__ = ("zeros", "ones", "constant", "random_uniform", "random_normal", "truncated_normal", "variance_scaling", "glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform", "lecun_normal", "identity", "orthogonal", "xavier_uniform", "xavier_normal", "kaiming_uniform", "kaiming_normal", "delta_orthogonal", "dirac", "sparse", "stft")
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
    DELTA_ORTHOGONAL_FIELD_NUMBER: _ClassVar[int]
    DIRAC_FIELD_NUMBER: _ClassVar[int]
    SPARSE_FIELD_NUMBER: _ClassVar[int]
    STFT_FIELD_NUMBER: _ClassVar[int]
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
    delta_orthogonal: DeltaOrthogonal
    dirac: Dirac
    sparse: Sparse
    stft: Stft
    def __init__(self, zeros: _Optional[_Union[Zeros, _Mapping]] = ..., ones: _Optional[_Union[Ones, _Mapping]] = ..., constant: _Optional[_Union[Constant, _Mapping]] = ..., random_uniform: _Optional[_Union[RandomUniform, _Mapping]] = ..., random_normal: _Optional[_Union[RandomNormal, _Mapping]] = ..., truncated_normal: _Optional[_Union[TruncatedNormal, _Mapping]] = ..., variance_scaling: _Optional[_Union[VarianceScaling, _Mapping]] = ..., glorot_uniform: _Optional[_Union[GlorotUniform, _Mapping]] = ..., glorot_normal: _Optional[_Union[GlorotNormal, _Mapping]] = ..., he_uniform: _Optional[_Union[HeUniform, _Mapping]] = ..., he_normal: _Optional[_Union[HeNormal, _Mapping]] = ..., lecun_uniform: _Optional[_Union[LecunUniform, _Mapping]] = ..., lecun_normal: _Optional[_Union[LecunNormal, _Mapping]] = ..., identity: _Optional[_Union[Identity, _Mapping]] = ..., orthogonal: _Optional[_Union[Orthogonal, _Mapping]] = ..., xavier_uniform: _Optional[_Union[XavierUniform, _Mapping]] = ..., xavier_normal: _Optional[_Union[XavierNormal, _Mapping]] = ..., kaiming_uniform: _Optional[_Union[KaimingUniform, _Mapping]] = ..., kaiming_normal: _Optional[_Union[KaimingNormal, _Mapping]] = ..., delta_orthogonal: _Optional[_Union[DeltaOrthogonal, _Mapping]] = ..., dirac: _Optional[_Union[Dirac, _Mapping]] = ..., sparse: _Optional[_Union[Sparse, _Mapping]] = ..., stft: _Optional[_Union[Stft, _Mapping]] = ...) -> None: ...

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
    __slots__ = ("gain", "blocks", "block_axis")
    GAIN_FIELD_NUMBER: _ClassVar[int]
    BLOCKS_FIELD_NUMBER: _ClassVar[int]
    BLOCK_AXIS_FIELD_NUMBER: _ClassVar[int]
    gain: float
    blocks: int
    block_axis: int
    def __init__(self, gain: _Optional[float] = ..., blocks: _Optional[int] = ..., block_axis: _Optional[int] = ...) -> None: ...

class DeltaOrthogonal(_message.Message):
    __slots__ = ("gain",)
    GAIN_FIELD_NUMBER: _ClassVar[int]
    gain: float
    def __init__(self, gain: _Optional[float] = ...) -> None: ...

class Dirac(_message.Message):
    __slots__ = ("groups",)
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    groups: int
    def __init__(self, groups: _Optional[int] = ...) -> None: ...

class Sparse(_message.Message):
    __slots__ = ("sparsity", "stddev", "axis")
    SPARSITY_FIELD_NUMBER: _ClassVar[int]
    STDDEV_FIELD_NUMBER: _ClassVar[int]
    AXIS_FIELD_NUMBER: _ClassVar[int]
    sparsity: float
    stddev: float
    axis: int
    def __init__(self, sparsity: _Optional[float] = ..., stddev: _Optional[float] = ..., axis: _Optional[int] = ...) -> None: ...

class Stft(_message.Message):
    __slots__ = ("side", "window", "scaling", "periodic")
    SIDE_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    SCALING_FIELD_NUMBER: _ClassVar[int]
    PERIODIC_FIELD_NUMBER: _ClassVar[int]
    side: StftSide
    window: StftWindow
    scaling: StftScaling
    periodic: bool
    def __init__(self, side: _Optional[_Union[StftSide, str]] = ..., window: _Optional[_Union[StftWindow, str]] = ..., scaling: _Optional[_Union[StftScaling, str]] = ..., periodic: bool = ...) -> None: ...

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
