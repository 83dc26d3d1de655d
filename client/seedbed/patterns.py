"""Names as patterns: many tensors of a model in a few lines that can be pasted as rules."""

import itertools
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

NUMBER = re.compile(r"(?<![^./])\d{1,15}(?![^./])")
"""A number that is a whole part of a path; more digits count nothing that a model has."""

_SPECIAL = re.compile(r"[*?[]")
_SEPARATOR = re.compile(r"[./]")
# difflib compares about 100,000 patterns a second; models have some hundreds.
_MAX_CANDIDATES = 50_000
MOST_CLOSE = 3


def pattern_of(name: str) -> str:
    """Return a name with ``*`` for each number that is a whole part of its path.

    Example:
        >>> pattern_of("layers.12.norm.weight"), pattern_of("Dense_0/kernel")
        ('layers.*.norm.weight', 'Dense_0/kernel')
    """
    return NUMBER.sub("*", literal(name))


def literal(name: str) -> str:
    """Return the pattern that matches exactly one name."""
    return _SPECIAL.sub(lambda found: f"[{found[0]}]", name)


def lines_of_rules(
    notes: Mapping[str, object], others: Collection[str] = (), value: str = "..."
) -> list[str]:
    """Return rules to complete, a line each, that match all of these names and none of the others.

    The first match counts: a pattern that would match what another line is for comes after it.

    Args:
        notes: what to tell of the tensors, such as their shapes, by name; None is nothing.
        others: names that no line may match.
        value: what fills them.

    Example:
        >>> lines_of_rules({"h.0.w": (2, 3), "h.1.w": (2, 3), "b": (3,)})
        ['"h.*.w": ...,  # x2 (2, 3)', '"b": ...,  # (3,)']
    """
    groups = _without_overlap(_grouped(notes), others)
    return [
        f"{json.dumps(pattern, ensure_ascii=False)}: {value},  # {_comment(groups[pattern], notes)}"
        for pattern in _specific_first(groups)
    ]


def close_patterns(pattern: str, names: Iterable[str]) -> list[str]:
    """Return up to three patterns that look like this one and match some of the names."""
    known = dict.fromkeys(map(pattern_of, names))
    return _longer(pattern, known) or _nearest(
        pattern, (part for each in known for part in _parts(each))
    )


def close_names(name: object, names: Iterable[str]) -> list[str]:
    """Return up to three names that this one was perhaps meant to be.

    Example:
        >>> close_names("wte", ["wte.weight", "wpe.weight"])
        ['wte.weight']
    """
    known = dict.fromkeys(names)
    return _longer(name, known) or _nearest(name, known) if isinstance(name, str) else []


def _longer(name: str, known: Iterable[str]) -> list[str]:
    """Return the names of which this one is a beginning or an end, unless they are many."""
    lower = name.lower()
    longer = [
        each
        for each in known
        if each.lower().startswith((f"{lower}.", f"{lower}/"))
        or each.lower().endswith((f".{lower}", f"/{lower}"))
    ]
    return longer if name and len(longer) <= MOST_CLOSE else []


def _nearest(name: str, known: Iterable[str]) -> list[str]:
    """Return up to three of the names that are spelled alike."""
    import difflib  # only where something is wrong: it would cost each import of seedbed

    # Upper and lower case are a common mistake, and count for nothing here.
    candidates = {each.lower(): each for each in known}
    compared = itertools.islice(candidates, _MAX_CANDIDATES)
    near = difflib.get_close_matches(name.lower(), compared, n=MOST_CLOSE)
    return [candidates[each] for each in near]


def _parts(pattern: str) -> Iterator[str]:
    """Yield a pattern, and what is left of it with ``*`` for its beginning or its end."""
    yield pattern
    for found in _SEPARATOR.finditer(pattern):
        head, tail = pattern[: found.end()], pattern[found.start() :]
        if tail[1:2] != "*":
            yield "*" + tail
        if head[-2:-1] != "*":
            yield head + "*"


def _grouped(names: Iterable[str]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(pattern_of(name), []).append(name)
    return groups


def _without_overlap(
    groups: Mapping[str, list[str]], others: Collection[str]
) -> dict[str, list[str]]:
    """Return the groups, with names in place of patterns that are for one or match others."""
    separate: dict[str, list[str]] = {}
    for pattern, names in groups.items():
        if len(names) > 1 and not any(fnmatchcase(name, pattern) for name in others):
            separate[pattern] = names
        else:
            separate.update({literal(name): [name] for name in names})
    return separate


def _specific_first(groups: Mapping[str, list[str]]) -> list[str]:
    """Return the patterns in their order, but before each the others whose names it matches."""
    ordered: list[str] = []
    wide: list[str] = []  # those that may match other names, as they stand in the order
    for pattern, names in groups.items():
        wider = [each for each in wide if fnmatchcase(names[0], each)]
        ordered.insert(ordered.index(wider[0]) if wider else len(ordered), pattern)
        if len(names) > 1:
            wide.insert(wide.index(wider[0]) if wider else len(wide), pattern)
    return ordered


def _comment(names: Sequence[str], notes: Mapping[str, object]) -> str:
    """Return how many tensors a line is for, and what there is to tell of them."""
    known = [str(note) for name in names if (note := notes[name]) is not None]
    count = [f"x{len(names)}"] if len(names) > 1 else []
    return " ".join([*count, *dict.fromkeys(known)])
