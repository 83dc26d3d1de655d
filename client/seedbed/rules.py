"""Rules: patterns on names, and what fills the tensors whose name matches.

Every way from rules to a manifest goes through here: all rules are read before any is applied, so
that a wrong one is refused whether it matches a name or not.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from fnmatch import fnmatchcase
from typing import Any, TypeVar

from seedbed.spec.errors import InvalidArgumentError, bad_type, bad_value, shorten
from seedbed.spec.fans import FanAxes
from seedbed.spec.initializers import (
    INITIALIZERS,
    DeltaOrthogonalSpec,
    DiracSpec,
    InitializerSpec,
    find_initializer,
    parameters,
)
from seedbed.spec.seeds import as_seed
from seedbed.spec.tensors import SeededInitializer

ContentT = TypeVar("ContentT")

InitializerLike = InitializerSpec | SeededInitializer | str | Mapping[str, Any]
"""An initializer, its name, or ``{class_name: ..., config: {...}}``."""

Rules = Mapping[str, ContentT] | Sequence[tuple[str, ContentT] | Mapping[str, Any]]
"""What fills the tensors whose name a pattern matches; the first match counts.

A mapping from patterns, or a sequence of pairs, or of ``{"match": pattern, "initializer":
content}`` as in a manifest's file. Patterns are those of :mod:`fnmatch`, upper and lower case
distinct; ``*`` matches dots and slashes, too.
"""

_RULE = "(pattern, initializer) or {match: pattern, initializer: ...}"
# Keras writes four.
_INITIALIZER_KEYS = ("class_name", "config", "module", "registered_name")


@dataclass(frozen=True, slots=True)
class Filling:
    """What fills a tensor, whatever its name, shape and dtype."""

    spec: InitializerSpec
    """The initializer."""
    fan_axes: FanAxes | None = None
    """Which axes are inputs and outputs; None is Keras's rule."""
    seed_bits: int | None = None
    """The seed that came with the initializer. Only manifests' files look at it: where a model has
    a seed, that one counts for all of its tensors."""

    def in_layout(self, layout: FanAxes) -> "Filling":
        """Return the filling of weights in a framework's layout, unless its axes are named already.

        Where inputs and outputs are one to an initializer, it is told nothing about them.
        """
        is_kernel = isinstance(self.spec, (DeltaOrthogonalSpec, DiracSpec))
        if self.fan_axes is not None or not (self.spec.has_fans or is_kernel):
            return self
        return replace(self, fan_axes=layout)


class Unsaid(Enum):
    """What fills a tensor of which nothing says it yet."""

    UNSAID = auto()


UNSAID = Unsaid.UNSAID


def parse_rules(
    argument: str, rules: Rules[Any] | None, parse: Callable[[Any], ContentT]
) -> list[tuple[str, ContentT]]:
    """Return rules as pairs of a pattern and what fills, all of them checked.

    Args:
        argument: what the caller names the rules.
        rules: the rules; None is none.
        parse: reads what fills.

    Raises:
        InvalidTypeError: if they are no rules, or one of them is none; names it by its place.
        InvalidArgumentError: if an initializer is not allowed; names its rule by the pattern.
    """
    parsed = []
    for pattern, value in pairs_of(argument, () if rules is None else rules):
        try:
            parsed.append((pattern, parse(value)))
        except InvalidArgumentError as error:
            raise error.within(f"{argument}[{shorten(pattern)}]") from None
    return parsed


def pairs_of(argument: str, rules: Rules[ContentT]) -> list[tuple[str, ContentT]]:
    """Return rules as pairs of a pattern and what fills, in their order.

    Args:
        argument: what the caller names the rules.
        rules: the rules; what fills is not looked at.

    Raises:
        InvalidTypeError: if they are none, or one of them is none; names it by its place.
    """
    listed: Any = list(rules.items()) if isinstance(rules, Mapping) else rules
    if isinstance(listed, (str, bytes)) or not isinstance(listed, Sequence):
        raise bad_type(
            argument, f"a mapping from patterns to initializers, or a list of {_RULE}", rules
        )
    return [_pair(f"{argument}[{place}]", rule) for place, rule in enumerate(listed)]


def first_match(pairs: Sequence[tuple[str, ContentT]], name: str) -> tuple[str, ContentT] | None:
    """Return the first pair whose pattern matches a name; None if none does."""
    return next((pair for pair in pairs if fnmatchcase(name, pair[0])), None)


def decide(
    defaults: Mapping[str, ContentT | Unsaid],
    pairs: Sequence[tuple[str, ContentT]],
    *,
    empty: Collection[str] = (),
    argument: str = "rules",
    needy: str = "tensor",
) -> dict[str, ContentT]:
    """Return what fills each tensor of a model: what its first rule says, else its default.

    None leaves a tensor as it is.

    Args:
        defaults: what fills each tensor where no rule matches its name.
        pairs: the rules.
        empty: the tensors that hold nothing which could be left as it is.
        argument: what the caller names the rules.
        needy: which tensors need a rule, for the error.

    Raises:
        InvalidValueError: naming all tensors of which nothing says what fills them.
    """
    decided: dict[str, ContentT] = {}
    unsaid = []
    for name, default in defaults.items():
        rule = first_match(pairs, name)
        content = default if rule is None else rule[1]
        if isinstance(content, Unsaid) or (content is None and name in empty):
            unsaid.append(name)
        else:
            decided[name] = content
    if unsaid:
        raise bad_value(argument, f"a rule for each {needy}", ", ".join(unsaid))
    return decided


def parse_optional(value: Any) -> Filling | None:
    """Return :func:`parse_initializer` of a value; None, which leaves a tensor, stays None."""
    return None if value is None else parse_initializer(value)


def parse_initializer(value: Any) -> Filling:
    """Return what fills a tensor.

    Args:
        value: an initializer, its name, or ``{class_name: ..., config: {...}}``.

    Raises:
        InvalidTypeError: if it is none of these.
        InvalidValueError: if the name or a parameter is not allowed.
    """
    if isinstance(value, InitializerSpec):
        return Filling(value)
    if isinstance(getattr(value, "spec", None), InitializerSpec):
        return Filling(
            value.spec, getattr(value, "fan_axes", None), getattr(value, "seed_bits", None)
        )
    config: Mapping[str, Any] = {}
    name = value
    if isinstance(value, Mapping):
        checked_keys("initializer", value, _INITIALIZER_KEYS)
        name = value.get("class_name")
        config = {} if value.get("config") is None else value["config"]
    if not isinstance(name, str) or not isinstance(config, Mapping):
        raise bad_type("initializer", "a name, or {class_name: ..., config: {...}}", value)
    kind = find_initializer(name)
    if kind is None:
        known = ", ".join(sorted(spec.name() for spec in INITIALIZERS.values()))
        raise bad_value("initializer", f"one of {known}", name)
    arguments = dict(config)
    seed = arguments.pop("seed", None)
    allowed = [field.name for field in parameters(kind)]
    unknown = sorted(set(arguments) - set(allowed), key=str)
    if unknown:
        raise bad_value(
            f"initializer.{unknown[0]}",
            f"a parameter of {kind.name()} ({', '.join(allowed)})",
            unknown[0],
        )
    return Filling(kind(**arguments), seed_bits=None if seed is None else as_seed(seed))


def checked_keys(what: str, value: Any, allowed: tuple[str, ...]) -> Mapping[str, Any]:
    """Return a mapping whose keys are all known.

    Raises:
        InvalidTypeError: if it is no mapping.
        InvalidValueError: naming the first key that is not known.
    """
    if not isinstance(value, Mapping):
        raise bad_type(what, "a mapping", value)
    unknown = [key for key in value if key not in allowed]
    if unknown:
        raise bad_value(str(unknown[0]), f"a key of a {what}: {', '.join(allowed)}", unknown[0])
    return value


def _pair(field: str, rule: Any) -> tuple[str, Any]:
    pair = rule
    if isinstance(rule, Mapping) and set(rule) == {"match", "initializer"}:
        pair = (rule["match"], rule["initializer"])
    if not isinstance(pair, tuple) or len(pair) != 2 or not isinstance(pair[0], str):
        raise bad_type(field, _RULE, rule)
    return pair
