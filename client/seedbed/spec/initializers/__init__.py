"""Initializer specs: frozen values with Keras's names, parameters and defaults.

These are the messages of ``initializers.proto`` as Python values: no seed, no shape, no sampling.
Each checks its parameters once, when it is made; :data:`INITIALIZERS` is the catalogue. There is a
module for each family.
"""

from seedbed.spec.initializers.base import ALL_DTYPES, InitializerSpec, parameter
from seedbed.spec.initializers.bounds import FARTHEST_NEAR_BOUND
from seedbed.spec.initializers.catalogue import (
    INITIALIZERS,
    find_initializer,
    known_initializer,
    named_initializer,
    parameters,
)
from seedbed.spec.initializers.constants import ConstantSpec, OnesSpec, ZerosSpec
from seedbed.spec.initializers.dirac import DiracSpec
from seedbed.spec.initializers.distributions import (
    RandomNormalSpec,
    RandomUniformSpec,
    TruncatedNormalSpec,
)
from seedbed.spec.initializers.gains import (
    ONE_FAN_MODES,
    KaimingNormalSpec,
    KaimingSpec,
    KaimingUniformSpec,
    OneFanMode,
    XavierNormalSpec,
    XavierSpec,
    XavierUniformSpec,
)
from seedbed.spec.initializers.identity import IdentitySpec
from seedbed.spec.initializers.orthogonal import DeltaOrthogonalSpec, OrthogonalSpec
from seedbed.spec.initializers.scaling import (
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
from seedbed.spec.initializers.sparse import SparseSpec
from seedbed.spec.initializers.stft import SCALINGS, SIDES, WINDOWS, Scaling, Side, STFTSpec, Window

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
    "known_initializer",
    "named_initializer",
    "parameter",
    "parameters",
]
