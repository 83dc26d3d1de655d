"""What fills a tensor: one frozen value per initializer, with Keras's names, parameters and defaults.

These are the messages of ``initializers.proto`` as Python values: no seed, no shape, no sampling. Each checks its
parameters once, when it is made; :data:`INITIALIZERS` is the catalogue. There is a module for each family.
"""

from seedbed.wire.initializers.base import ALL_DTYPES, InitializerSpec, parameter
from seedbed.wire.initializers.bounds import FARTHEST_NEAR_BOUND
from seedbed.wire.initializers.catalogue import INITIALIZERS, find_initializer, parameters
from seedbed.wire.initializers.constants import ConstantSpec, OnesSpec, ZerosSpec
from seedbed.wire.initializers.dirac import DiracSpec
from seedbed.wire.initializers.distributions import RandomNormalSpec, RandomUniformSpec, TruncatedNormalSpec
from seedbed.wire.initializers.gains import (
    ONE_FAN_MODES,
    KaimingNormalSpec,
    KaimingSpec,
    KaimingUniformSpec,
    OneFanMode,
    XavierNormalSpec,
    XavierSpec,
    XavierUniformSpec,
)
from seedbed.wire.initializers.identity import IdentitySpec
from seedbed.wire.initializers.orthogonal import DeltaOrthogonalSpec, OrthogonalSpec
from seedbed.wire.initializers.scaling import (
    DISTRIBUTIONS,
    MODES,
    Distribution,
    FanMode,
    FixedScalingSpec,
    GlorotNormalSpec,
    GlorotUniformSpec,
    HeNormalSpec,
    HeUniformSpec,
    LecunNormalSpec,
    LecunUniformSpec,
    VarianceScalingSpec,
)
from seedbed.wire.initializers.sparse import SparseSpec
from seedbed.wire.initializers.stft import SCALINGS, SIDES, WINDOWS, Scaling, Side, STFTSpec, Window

__all__ = [
    "ALL_DTYPES",
    "DISTRIBUTIONS",
    "FARTHEST_NEAR_BOUND",
    "INITIALIZERS",
    "MODES",
    "ONE_FAN_MODES",
    "SCALINGS",
    "SIDES",
    "WINDOWS",
    "ConstantSpec",
    "DeltaOrthogonalSpec",
    "DiracSpec",
    "Distribution",
    "FanMode",
    "FixedScalingSpec",
    "GlorotNormalSpec",
    "GlorotUniformSpec",
    "HeNormalSpec",
    "HeUniformSpec",
    "IdentitySpec",
    "InitializerSpec",
    "KaimingNormalSpec",
    "KaimingSpec",
    "KaimingUniformSpec",
    "LecunNormalSpec",
    "LecunUniformSpec",
    "OneFanMode",
    "OnesSpec",
    "OrthogonalSpec",
    "RandomNormalSpec",
    "RandomUniformSpec",
    "STFTSpec",
    "Scaling",
    "Side",
    "SparseSpec",
    "TruncatedNormalSpec",
    "VarianceScalingSpec",
    "Window",
    "XavierNormalSpec",
    "XavierSpec",
    "XavierUniformSpec",
    "ZerosSpec",
    "find_initializer",
    "parameter",
    "parameters",
]
