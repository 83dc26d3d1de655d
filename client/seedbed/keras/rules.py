"""What fills each weight of a model: the first rule that matches its path, or else its layer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from seedbed import initializers as plain
from seedbed.keras.conversion import plain_of
from seedbed.keras.fans import fan_axes_of_layer
from seedbed.keras.initializers.base import SpecInitializer
from seedbed.keras.names import Weight
from seedbed.manifest import Manifest, filled_manifest
from seedbed.rules import (
    UNSAID,
    Filling,
    InitializerLike,
    Rules,
    decide,
    parse_initializer,
    parse_rules,
)
from seedbed.spec.errors import InvalidArgumentError
from seedbed.spec.initializers import InitializerSpec

WeightRules = Rules[InitializerLike | Any | None]
"""What fills the weights: an initializer, also one of Keras's; None is nothing."""


@dataclass(frozen=True, slots=True)
class WeightFilling:
    """What a weight gets."""

    filling: Filling
    """What fills it."""
    is_own: bool
    """Whether its layer says so, and no rule."""


@dataclass(frozen=True, slots=True)
class _Own:
    """What a layer names to fill a weight."""

    initializer: Any


def contents_of(
    weights: Sequence[Weight], rules: WeightRules | None, *, partial: bool
) -> dict[str, WeightFilling | None]:
    """Return what each weight gets, by path; None leaves it as it is.

    Args:
        weights: all weights.
        rules: what fills those that match.
        partial: whether rules may match no weight.

    Raises:
        InvalidTypeError: if a rule is none.
        InvalidValueError: if an initializer is not allowed, or has no counterpart here; or naming
            the weights for which nothing is said, and the rules that match no weight.
    """
    decided: dict[str, Any] = decide(
        {weight.path: _own(weight) for weight in weights},
        parse_rules("rules", rules, parse_rule),
        shapes={weight.path: tuple(weight.variable.shape) for weight in weights},
        needy="weight whose layer names no initializer (or build the model within "
        "`seedbed.keras.initializing(seed=...)`, which sees them all)",
        partial=partial,
    )
    return {weight.path: _content(weight, decided[weight.path]) for weight in weights}


def manifest_of_weights(
    weights: Sequence[Weight],
    contents: Mapping[str, WeightFilling | None],
    *,
    seed: Any,
    draw: int,
) -> Manifest:
    """Return what is asked for: the weights that get something.

    Raises:
        InvalidArgumentError: if an initializer cannot fill its weight, which is named.
    """
    filled = [(weight, contents[weight.path]) for weight in weights]
    return filled_manifest(
        (
            (weight.path, tuple(weight.variable.shape), weight.variable.dtype, content.filling)
            for weight, content in filled
            if content is not None
        ),
        seed=seed,
        draw=draw,
    )


def _own(weight: Weight) -> Any:
    if weight.is_data:
        return None
    initializer = weight.initializer
    return UNSAID if initializer is None else _Own(initializer)


def parse_rule(value: Any) -> Filling | plain.Initializer | SpecInitializer | None:
    """Return what a rule says; None leaves a weight as it is.

    Raises:
        InvalidTypeError: if it is none.
        InvalidValueError: if an initializer is not allowed, or has no counterpart here.
    """
    return None if value is None else _parse(value)


def filling_of_rule(
    found: Filling | plain.Initializer | SpecInitializer, layer: Any, rank: int
) -> Filling:
    """Return what fills a weight of a layer by a rule; the layer's equation counts its fans."""
    filling = found if isinstance(found, Filling) else Filling(found.spec, found.fan_axes_of(rank))
    if filling.fan_axes is None and filling.spec.has_fans:
        filling = replace(filling, fan_axes=fan_axes_of_layer(layer, rank))
    return filling


def _parse(value: Any) -> Filling | plain.Initializer | SpecInitializer:
    if isinstance(value, (str, Mapping, InitializerSpec)):
        return parse_initializer(value)
    return plain_of(value)


def _content(weight: Weight, decided: Any) -> WeightFilling | None:
    if decided is None:
        return None
    rank = len(weight.variable.shape)
    if not isinstance(decided, _Own):
        return WeightFilling(filling_of_rule(decided, weight.layer, rank), is_own=False)
    try:
        found = plain_of(decided.initializer)
    except InvalidArgumentError as error:
        raise error.within(weight.path) from None
    # A layer tells its equation only to initializers that Keras knows.
    is_told = isinstance(found, SpecInitializer)
    filling = (
        filling_of_rule(found, weight.layer, rank)
        if is_told
        else Filling(found.spec, found.fan_axes_of(rank))
    )
    return WeightFilling(filling, is_own=True)
