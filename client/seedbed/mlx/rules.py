"""What fills each parameter of a module: the first rule that matches its name."""

from collections.abc import Mapping
from typing import Any

from seedbed.manifest import Manifest, filled_manifest
from seedbed.mlx.arrays import dtype_of
from seedbed.mlx.scales import LAYOUT
from seedbed.rules import (
    UNSAID,
    Filling,
    InitializerLike,
    Rules,
    decide,
    parse_optional,
    parse_rules,
)
from seedbed.spec.errors import InvalidArgumentError

ParameterRules = Rules[InitializerLike | None]
"""What fills the parameters: None is nothing."""


def fillings_of(
    arrays: Mapping[str, Any], rules: ParameterRules | None
) -> dict[str, Filling | None]:
    """Return what fills each parameter, by name; None leaves it as it is.

    Raises:
        InvalidTypeError: if a rule is none.
        InvalidValueError: if an initializer is not allowed; or naming the parameters that no rule
            matches.
    """
    pairs = parse_rules("rules", rules, parse_optional)
    return decide(dict.fromkeys(arrays, UNSAID), pairs, needy="parameter")


def manifest_of_arrays(
    arrays: Mapping[str, Any], fillings: Mapping[str, Filling | None], *, seed: Any, draw: int
) -> Manifest:
    """Return what is asked for: the parameters that an initializer fills.

    Raises:
        InvalidArgumentError: if an initializer cannot fill its parameter, which is named.
    """
    filled = []
    for name, filling in fillings.items():
        if filling is not None:
            try:
                dtype = dtype_of(arrays[name].dtype)
            except InvalidArgumentError as error:
                raise error.within(name) from None
            filled.append((name, arrays[name].shape, dtype, filling))
    return filled_manifest(filled, seed=seed, draw=draw, layout=LAYOUT)
