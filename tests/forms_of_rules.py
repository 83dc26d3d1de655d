"""The forms that rules may have, for tests of what takes them."""

from collections.abc import Callable, Mapping
from typing import Any


def _mapping(rules: Mapping[str, Any]) -> Any:
    return rules


def _pairs(rules: Mapping[str, Any]) -> Any:
    return list(rules.items())


def _entries(rules: Mapping[str, Any]) -> Any:
    return [
        {"match": pattern, "initializer": initializer} for pattern, initializer in rules.items()
    ]


FORMS: dict[str, Callable[[Mapping[str, Any]], Any]] = {
    "mapping": _mapping,
    "pairs": _pairs,
    "entries": _entries,
}
"""What makes each form of a mapping, by its name."""
