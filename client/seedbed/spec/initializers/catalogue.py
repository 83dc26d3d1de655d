"""The catalogue of initializers, and the names of each."""

import dataclasses
import re
from typing import Any

from seedbed.spec.initializers.base import InitializerSpec
from seedbed.spec.initializers.constants import ConstantSpec, OnesSpec, ZerosSpec
from seedbed.spec.initializers.dirac import DiracSpec
from seedbed.spec.initializers.distributions import (
    RandomNormalSpec,
    RandomUniformSpec,
    TruncatedNormalSpec,
)
from seedbed.spec.initializers.gains import (
    KaimingNormalSpec,
    KaimingUniformSpec,
    XavierNormalSpec,
    XavierUniformSpec,
)
from seedbed.spec.initializers.identity import IdentitySpec
from seedbed.spec.initializers.orthogonal import DeltaOrthogonalSpec, OrthogonalSpec
from seedbed.spec.initializers.scaling import (
    GlorotNormalSpec,
    GlorotUniformSpec,
    HeNormalSpec,
    HeUniformSpec,
    LecunNormalSpec,
    LecunUniformSpec,
    VarianceScalingSpec,
)
from seedbed.spec.initializers.sparse import SparseSpec
from seedbed.spec.initializers.stft import STFTSpec

_SPECS: tuple[type[InitializerSpec], ...] = (
    ConstantSpec,
    DeltaOrthogonalSpec,
    DiracSpec,
    GlorotNormalSpec,
    GlorotUniformSpec,
    HeNormalSpec,
    HeUniformSpec,
    IdentitySpec,
    KaimingNormalSpec,
    KaimingUniformSpec,
    LecunNormalSpec,
    LecunUniformSpec,
    OnesSpec,
    OrthogonalSpec,
    RandomNormalSpec,
    RandomUniformSpec,
    SparseSpec,
    STFTSpec,
    TruncatedNormalSpec,
    VarianceScalingSpec,
    XavierNormalSpec,
    XavierUniformSpec,
    ZerosSpec,
)

INITIALIZERS: dict[str, type[InitializerSpec]] = {spec.field_name(): spec for spec in _SPECS}
"""Every initializer by its field name, sorted."""


_PARAMETERS = {spec: dataclasses.fields(spec) for spec in _SPECS}


def parameters(spec: type[InitializerSpec]) -> tuple[dataclasses.Field[Any], ...]:
    """Return the parameters of an initializer, in Keras's order."""
    return _PARAMETERS[spec]


def find_initializer(name: str) -> type[InitializerSpec] | None:
    """Return the initializer of a name: its class's, in snake_case or not, or an alias."""
    snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    for field_name, spec in INITIALIZERS.items():
        if snake == field_name or name in spec.aliases:
            return spec
    return None
