"""The catalogue of initializers, and the names of each."""

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from seedbed.spec.errors import bad_value
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
from seedbed.spec.suggestions import did_you_mean

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


def known_initializer(field: str, name: str) -> type[InitializerSpec]:
    """Return the initializer of a name.

    Args:
        field: what the name's argument is called.
        name: any of :func:`find_initializer`.

    Raises:
        InvalidValueError: if there is none; lists all, and says which one is near.
    """
    spec = find_initializer(name)
    if spec is None:
        names = sorted(each.name() for each in _SPECS)
        snake_case = "_" in name or name.islower()
        hint = did_you_mean(name, INITIALIZERS if snake_case else names)
        raise bad_value(field, "one of " + ", ".join(names), name, hint=hint)
    return spec


def named_initializer(
    field: str, name: str, arguments: Mapping[str, Any] | None = None
) -> InitializerSpec:
    """Return an initializer by its name and the parameters that are not to be the default.

    Raises:
        InvalidTypeError: if a parameter has the wrong type.
        InvalidValueError: if the name, a parameter or its value is not known; or one is missing.
    """
    kind, arguments = known_initializer(field, name), arguments or {}
    known = {each.name: each.default for each in parameters(kind)}
    allowed = f"{kind.name()} ({', '.join(known)})" if known else f"{kind.name()}, which has none"
    for argument in arguments:
        if argument not in known:
            hint = did_you_mean(argument, known)
            raise bad_value(f"{field}.{argument}", f"a parameter of {allowed}", argument, hint=hint)
    for argument, default in known.items():
        if default is None and argument not in arguments:
            raise bad_value(f"{field}.{argument}", f"given: a parameter of {allowed}", None)
    return kind(**arguments)
