"""Rules: patterns on names, and what fills the tensors whose name matches.

Every way from rules to a manifest goes through here: all rules are read before any is applied, so
that a wrong one is refused whether it matches a name or not, and so is one that matches none.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from fnmatch import fnmatchcase
from typing import Any, TypeVar, cast

from seedbed.faults import joined
from seedbed.patterns import close_patterns, lines_of_rules
from seedbed.spec.errors import (
    InvalidArgumentError,
    InvalidValueError,
    bad_type,
    bad_value,
)
from seedbed.spec.fans import FanAxes
from seedbed.spec.initializers import (
    DeltaOrthogonalSpec,
    DiracSpec,
    InitializerSpec,
    named_initializer,
)
from seedbed.spec.seeds import as_seed
from seedbed.spec.suggestions import did_you_mean
from seedbed.spec.tensors import SeededInitializer

ContentT = TypeVar("ContentT")

InitializerLike = InitializerSpec | SeededInitializer | str | Mapping[str, Any]
"""An initializer, its name, or ``{class_name: ..., config: {...}, fan_axes: {...}}``."""

Rules = Mapping[str, ContentT] | Sequence[tuple[str, ContentT] | Mapping[str, Any]]
"""What fills the tensors whose name a pattern matches; the first match counts.

A mapping from patterns, or a sequence of pairs, or of ``{"match": pattern, "initializer":
content}`` as in a manifest's file. Patterns are those of :mod:`fnmatch`, upper and lower case
distinct; ``*`` matches dots and slashes, too.
"""

_RULE = "(pattern, initializer) or {match: pattern, initializer: ...}"
# Keras writes four.
_INITIALIZER_KEYS = ("class_name", "config", "module", "registered_name", "fan_axes")


@dataclass(frozen=True, slots=True)
class Filling:
    """What fills a tensor, whatever its name, shape and dtype."""

    spec: InitializerSpec
    """The initializer."""
    fan_axes: FanAxes | None = None
    """Which axes are inputs and outputs; None is Keras's rule."""
    seed_bits: int | None = None
    """The seed that the initializer was given. Only manifests' files and checkpoints look at it:
    where a model has a seed, that one counts for all of its tensors."""

    def in_layout(self, layout: FanAxes) -> "Filling":
        """Return the filling of weights in a framework's layout, unless its axes are named already.

        Where inputs and outputs are one to an initializer, it is told nothing about them.
        """
        if self.fan_axes is not None or not self.needs_layout:
            return self
        return replace(self, fan_axes=layout)

    def in_layout_of(self, shape: Sequence[int], layout: FanAxes | None) -> "Filling":
        """Return the filling of a tensor in a framework's layout; None is Keras's.

        Raises:
            InvalidValueError: if it has inputs and outputs, and the tensor no axes for them.
        """
        if layout is None:
            return self
        placed = self.in_layout(layout)
        if placed.fan_axes is not None and len(shape) < 2:
            allowed = "of two axes or more for an initializer with inputs and outputs"
            raise bad_value("shape", allowed, shape)
        return placed

    @property
    def needs_layout(self) -> bool:
        """Whether it matters which axes are inputs and outputs."""
        return self.spec.has_fans or isinstance(self.spec, (DeltaOrthogonalSpec, DiracSpec))

    @property
    def takes_axes(self) -> bool:
        """Whether it may be told about axes."""
        return self.spec.has_fans or self.spec.has_layout


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
    pairs = read_rules(argument, rules, parse)
    errors = [content for _, content in pairs if isinstance(content, InvalidArgumentError)]
    if errors:
        raise joined(errors, f"`{argument}`")
    return cast("list[tuple[str, ContentT]]", pairs)


def read_rules(
    argument: str, rules: Rules[Any] | None, parse: Callable[[Any], ContentT]
) -> list[tuple[str, ContentT | InvalidArgumentError]]:
    """Return rules as pairs of a pattern and what fills, or the error that says what is wrong.

    What is no rule has the pattern ``*``: nobody knows which tensors it was meant for.

    The arguments are those of :func:`parse_rules`.
    """
    try:
        listed = _listed(argument, () if rules is None else rules)
    except InvalidArgumentError as error:
        return [("*", error)]
    parsed: list[tuple[str, ContentT | InvalidArgumentError]] = []
    for place, rule in enumerate(listed):
        try:
            pattern, value = _pair(f"{argument}[{place}]", rule)
        except InvalidArgumentError as error:
            parsed.append(("*", error))
            continue
        try:
            parsed.append((pattern, parse(value)))
        except InvalidArgumentError as error:
            parsed.append((pattern, error.within(f"{argument}[{pattern!r:.120}]")))
    return parsed


def pairs_of(argument: str, rules: Rules[ContentT]) -> list[tuple[str, ContentT]]:
    """Return rules as pairs of a pattern and what fills, in their order.

    Args:
        argument: what the caller names the rules.
        rules: the rules; what fills is not looked at.

    Raises:
        InvalidTypeError: if they are none, or one of them is none; names it by its place.
    """
    listed = _listed(argument, rules)
    return [_pair(f"{argument}[{place}]", rule) for place, rule in enumerate(listed)]


def _listed(argument: str, rules: Rules[Any]) -> Sequence[Any]:
    listed: Any = list(rules.items()) if isinstance(rules, Mapping) else rules
    if isinstance(listed, (str, bytes)) or not isinstance(listed, Sequence):
        raise bad_type(
            argument, f"a mapping from patterns to initializers, or a list of {_RULE}", rules
        )
    return listed


def first_match(pairs: Sequence[tuple[str, ContentT]], name: str) -> tuple[str, ContentT] | None:
    """Return the first pair whose pattern matches a name; None if none does."""
    return next((pair for pair in pairs if fnmatchcase(name, pair[0])), None)


def decide(
    defaults: Mapping[str, ContentT | Unsaid],
    pairs: Sequence[tuple[str, ContentT]],
    *,
    shapes: Mapping[str, Sequence[int]],
    empty: Collection[str] = (),
    argument: str = "rules",
    needy: str = "tensor",
    partial: bool = False,
) -> dict[str, ContentT]:
    """Return what fills each tensor of a model: what its first rule says, else its default.

    The arguments are those of :func:`settle`.

    Raises:
        InvalidValueError: naming all tensors of which nothing says what fills them, and all rules
            that match no tensor.
    """
    decided, faults = settle(
        defaults,
        pairs,
        shapes=shapes,
        empty=empty,
        argument=argument,
        needy=needy,
        partial=partial,
    )
    refuse(faults, argument)
    return decided


def settle(
    defaults: Mapping[str, ContentT | Unsaid],
    pairs: Sequence[tuple[str, ContentT]],
    *,
    shapes: Mapping[str, Sequence[int]],
    empty: Collection[str] = (),
    aliases: Collection[str] = (),
    argument: str = "rules",
    needy: str = "tensor",
    partial: bool = False,
) -> tuple[dict[str, ContentT], list[str]]:
    """Return what fills each tensor, and what is wrong with the rules: a text for each fault.

    :func:`refuse` makes one error of the faults of several settlements.

    Args:
        defaults: what fills each tensor where no rule matches its name; None leaves it as it is.
        pairs: the rules.
        shapes: of the tensors, for the text.
        empty: the tensors that hold nothing which could be left as it is.
        aliases: further names of these tensors. A rule may match them, and then does nothing.
        argument: what the caller names the rules.
        needy: which tensors need a rule, for the text.
        partial: whether the tensors are a part of a model, so that rules may be for the others.
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
    unused = unmatched(pairs, [*defaults, *aliases], argument=argument, partial=partial)
    missing = unfilled({name: shapes.get(name) for name in unsaid}, decided, argument, needy)
    return decided, [*missing, *unused]


def unfilled(
    shapes: Mapping[str, Sequence[int] | None],
    filled: Collection[str],
    argument: str = "rules",
    needy: str = "tensor",
) -> list[str]:
    """Return a text with rules to complete for tensors that nothing fills; none for no tensors.

    Args:
        shapes: these tensors' shapes, by name.
        filled: the names of the others, which the rules in the text do not match.
        argument: what the caller names the rules.
        needy: which tensors need a rule.
    """
    if not shapes:
        return []
    head = f"`{argument}` must have a rule for each {needy}. Complete these and put them first:"
    notes = {name: shape and tuple(shape) for name, shape in shapes.items()}
    return ["\n    ".join([head, *lines_of_rules(notes, filled)])]


def unmatched(
    pairs: Sequence[tuple[str, Any]],
    names: Collection[str],
    *,
    argument: str = "rules",
    partial: bool = False,
) -> list[str]:
    """Return a text with the patterns that match no name; none if each matches one.

    ``*``, which is for whatever is left, may match nothing.

    Args:
        pairs: the rules.
        names: all names.
        argument: what the caller names the rules.
        partial: whether the names are a part of a model's, so that any pattern may match nothing.
    """
    if not isinstance(partial, bool):
        raise bad_type("partial", "a bool", partial)
    if partial:
        return []
    lines = [f"{pattern!r}{meant}" for pattern, meant in _unmatched(pairs, names)]
    if not lines:
        return []
    head = (
        f"`{argument}` must have patterns that match a name. These match none "
        "(in a part of a model, partial=True allows it):"
    )
    return ["\n    ".join([head, *lines])]


def strangers(
    pairs: Sequence[tuple[str, Any]], names: Collection[str], argument: str = "rules"
) -> list[InvalidValueError]:
    """Return an error for each pattern that matches no name, but for ``*``.

    The arguments are those of :func:`unmatched`.
    """
    errors = []
    for pattern, meant in _unmatched(pairs, names):
        field = f"{argument}[{pattern!r:.120}]"
        errors.append(InvalidValueError(f"`{field}` must match a name{meant}", field=field))
    return errors


def _unmatched(
    pairs: Sequence[tuple[str, Any]], names: Collection[str]
) -> Iterator[tuple[str, str]]:
    """Yield each pattern that matches no name, but for ``*``, and what was perhaps meant."""
    for pattern in dict(pairs):
        if pattern != "*" and not any(fnmatchcase(name, pattern) for name in names):
            close = " or ".join(map(repr, close_patterns(pattern, names)))
            yield pattern, f"{close and ', perhaps meant: '}{close}"


def refuse(faults: Sequence[str], argument: str = "rules") -> None:
    """Raise one error of all faults, if there are any.

    Raises:
        InvalidValueError: with the texts of :func:`settle`, :func:`unfilled`, :func:`unmatched`.
    """
    if faults:
        raise InvalidValueError("\n".join(faults), field=argument)


def parse_optional(value: Any) -> Filling | None:
    """Return :func:`parse_initializer` of a value; None, which leaves a tensor, stays None."""
    return None if value is None else parse_initializer(value)


def parse_initializer(value: Any) -> Filling:
    """Return what fills a tensor.

    Args:
        value: an initializer, its name, or ``{class_name: ..., config: {...}}``, in which
            ``fan_axes: {in_axis: ..., out_axis: ..., batch_axis: ...}`` may stand besides.

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
    name, axes = value, None
    if isinstance(value, Mapping):
        checked_keys("initializer", value, _INITIALIZER_KEYS)
        name, axes = value.get("class_name"), parse_fan_axes(value.get("fan_axes"))
        config = {} if value.get("config") is None else value["config"]
    if not isinstance(name, str) or not isinstance(config, Mapping):
        raise bad_type("initializer", "a name, or {class_name: ..., config: {...}}", value)
    arguments = dict(config)
    seed = arguments.pop("seed", None)
    spec = named_initializer("initializer", name, arguments)
    return Filling(spec, axes, None if seed is None else as_seed(seed))


def parse_fan_axes(value: Any) -> FanAxes | None:
    """Return fan axes of themselves, or of ``{in_axis: ..., out_axis: ..., batch_axis: ...}``.

    Raises:
        InvalidTypeError: if it is neither, nor None, or an axis is no integer.
        InvalidValueError: if a key is not known.
    """
    if value is None or isinstance(value, FanAxes):
        return value
    return FanAxes(**checked_keys("fan_axes", value, ("in_axis", "out_axis", "batch_axis")))


def checked_keys(what: str, value: Any, allowed: Collection[str]) -> Mapping[str, Any]:
    """Return a mapping whose keys are all known.

    Raises:
        InvalidTypeError: if it is no mapping.
        InvalidValueError: naming the keys that are not known.
    """
    if not isinstance(value, Mapping):
        raise bad_type(what, "a mapping", value)
    if unknown := unknown_keys(what, value, allowed):
        raise joined(unknown, f"the {what}")
    return value


def unknown_keys(
    what: str, value: Mapping[Any, Any], allowed: Collection[str]
) -> list[InvalidValueError]:
    """Return an error for each key of a mapping that is not known."""
    return [
        bad_value(
            str(key),
            f"a key of a {what}: {', '.join(allowed)}",
            key,
            hint=did_you_mean(key, allowed),
        )
        for key in value
        if key not in allowed
    ]


def _pair(field: str, rule: Any) -> tuple[str, Any]:
    pair = rule
    if isinstance(rule, Mapping) and set(rule) == {"match", "initializer"}:
        pair = (rule["match"], rule["initializer"])
    if not isinstance(pair, tuple) or len(pair) != 2 or not isinstance(pair[0], str):
        raise bad_type(field, _RULE, rule)
    return pair
