"""Rules: patterns on names, and what fills the tensors whose name matches."""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, TypeVar

from seedbed.spec.errors import bad_type

ContentT = TypeVar("ContentT")

Rules = Mapping[str, ContentT] | Sequence[tuple[str, ContentT] | Mapping[str, Any]]
"""What fills the tensors whose name a pattern matches; the first match counts.

A mapping from patterns, or a sequence of pairs, or of ``{"match": pattern, "initializer":
content}`` as in a manifest's file. Patterns are those of :mod:`fnmatch`, upper and lower case
distinct; ``*`` matches dots and slashes, too.
"""

_RULE = "(pattern, initializer) or {match: pattern, initializer: ...}"


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


def _pair(field: str, rule: Any) -> tuple[str, Any]:
    pair = rule
    if isinstance(rule, Mapping) and set(rule) == {"match", "initializer"}:
        pair = (rule["match"], rule["initializer"])
    if not isinstance(pair, tuple) or len(pair) != 2 or not isinstance(pair[0], str):
        raise bad_type(field, _RULE, rule)
    return pair
