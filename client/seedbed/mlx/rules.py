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


def manifest_of_arrays(
    arrays: Mapping[str, Any],
    rules: ParameterRules | None,
    *,
    seed: Any,
    draw: int,
    partial: bool,
) -> Manifest:
    """Return what is asked for: the parameters that an initializer fills.

    Args:
        arrays: all parameters, by name.
        rules: what fills them; None leaves a parameter as it is.
        seed: of all of them.
        draw: the n-th use of the seed.
        partial: whether rules may match no parameter.

    Raises:
        InvalidTypeError: if a rule is none.
        InvalidValueError: if an initializer is not allowed, or cannot fill its parameter, which is
            named; or naming the parameters that no rule matches, and the rules that match none.
    """
    fillings: dict[str, Filling | None] = decide(
        dict.fromkeys(arrays, UNSAID),
        parse_rules("rules", rules, parse_optional),
        shapes={name: array.shape for name, array in arrays.items()},
        needy="parameter",
        partial=partial,
    )
    filled = []
    for name, filling in fillings.items():
        if filling is not None:
            try:
                dtype = dtype_of(arrays[name].dtype)
            except InvalidArgumentError as error:
                raise error.within(name) from None
            filled.append((name, arrays[name].shape, dtype, filling))
    return filled_manifest(filled, seed=seed, draw=draw, layout=LAYOUT)
