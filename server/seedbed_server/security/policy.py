"""The policy: which methods an identity may call, and how much it may have, by a YAML file."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedbed.spec.errors import SeedbedError, shown
from seedbed.spec.suggestions import did_you_mean
from seedbed_server.security.file_modes import check_not_writable
from seedbed_server.security.identities import NAME, NAME_WORDS
from seedbed_server.settings.kinds import SECONDS, Kind, integer, size
from seedbed_server.yaml_files import read_mapping

ALL = "all"
MOST_SHOWN = 16


class PolicyError(SeedbedError):
    """A policy with faults; the message has all of them."""


@dataclass(frozen=True, slots=True)
class Quotas:
    """How much an identity may have; None is as much as the server gives anybody."""

    inflight_bytes: int | None = None
    """Bytes of sampled chunks and of memory for computing, at a time."""
    bytes_per_day: int | None = None
    """Bytes of tensors in a day of UTC."""
    cost_seconds_per_request: float | None = None
    """Core seconds that what is computed whole may take of one request."""
    matrices: int | None = None
    """Tensors that are being computed whole at a time."""


QUOTAS: dict[str, Kind[Any]] = {
    "inflight_bytes": size(),
    "bytes_per_day": size(),
    "cost_seconds_per_request": SECONDS,
    "matrices": integer(),
}
"""How each is written."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What the identities of one entry may do."""

    rpcs: frozenset[str] | None = None
    """The names of the methods they may call; None is all."""
    quotas: Quotas = Quotas()
    """How much they may have."""


NO_LIMITS = Rule()
"""What everybody may who is known, where there is no policy."""


class Policy:
    """Rules by identity.

    Args:
        rules: by an identity, or by the beginning of several with ``*`` behind it.
        default: of whom no other is about; None refuses them.
    """

    def __init__(self, rules: Mapping[str, Rule], default: Rule | None) -> None:
        self._exact = {name: rule for name, rule in rules.items() if not name.endswith("*")}
        beginnings = [name.removesuffix("*") for name in rules if name.endswith("*")]
        self._beginnings = [
            (each, rules[f"{each}*"]) for each in sorted(beginnings, key=len, reverse=True)
        ]
        self._default = default

    def rule(self, identity: str) -> Rule | None:
        """Return the most specific rule about an identity; None if there is none."""
        if identity in self._exact:
            return self._exact[identity]
        for beginning, rule in self._beginnings:
            if identity.startswith(beginning):
                return rule
        return self._default


def read_policy(path: Path, rpcs: Collection[str]) -> Policy:
    """Return the policy of a file.

    Args:
        path: the file.
        rpcs: the names of all methods.

    Raises:
        OSError: if it cannot be read.
        FileModeError: if others can write to it.
        YamlFileError: if it is no mapping in YAML.
        PolicyError: naming everything else that is wrong, by its path in the file.
    """
    check_not_writable(path)
    reader = _PolicyReader(rpcs)
    policy = reader.policy(read_mapping(path))
    if reader.faults:
        count = len(reader.faults)
        more = [f"and {count - MOST_SHOWN} more"] if count > MOST_SHOWN else []
        raise PolicyError(f"{path}: {'; '.join(reader.faults[:MOST_SHOWN] + more)}")
    return policy


class _PolicyReader:
    """Makes a policy of a mapping of texts, and collects what is wrong with it."""

    def __init__(self, rpcs: Collection[str]) -> None:
        self._rpcs = rpcs
        self.faults: list[str] = []

    def policy(self, document: Mapping[str, Any]) -> Policy:
        rules: dict[str, Rule] = {}
        default = None
        for key, value in self._items("", document, ("identities", "default")):
            if key == "default":
                default = self._rule(key, value)
                continue
            for name, entry in self._mapping(key, value).items():
                path = _within(key, name)
                if not NAME.fullmatch(name) or "*" in name[:-1]:
                    self._fault(path, f"{NAME_WORDS}, with * at the end only", name)
                rules[name] = self._rule(path, entry)
        return Policy(rules, default)

    def _rule(self, path: str, value: Any) -> Rule:
        rpcs, quotas = None, Quotas()
        for key, entry in self._items(path, value, ("rpcs", "quotas")):
            if key == "rpcs":
                rpcs = self._names(_within(path, key), entry)
            else:
                quotas = self._quotas(_within(path, key), entry)
        return Rule(rpcs, quotas)

    def _names(self, path: str, value: Any) -> frozenset[str] | None:
        if value == ALL:
            return None
        if not isinstance(value, list):
            self._fault(path, f"{ALL} or a list of methods", value)
            return None
        for i, name in enumerate(value):
            if name not in self._rpcs:
                self._fault(f"{path}[{i}]", f"one of {', '.join(self._rpcs)}", name, self._rpcs)
        return frozenset(map(str, value))

    def _quotas(self, path: str, value: Any) -> Quotas:
        found = {}
        for key, entry in self._items(path, value, QUOTAS):
            try:
                found[key] = QUOTAS[key].parse(entry if isinstance(entry, str) else shown(entry))
            except ValueError as error:
                self.faults.append(f"`{_within(path, key)}` {error}")
        return Quotas(**found)

    def _items(self, path: str, value: Any, keys: Collection[str]) -> Iterator[tuple[str, Any]]:
        """Yield the known keys of a mapping with their values; the others are faults."""
        for key, entry in self._mapping(path, value).items():
            if key in keys:
                yield key, entry
            else:
                self._fault(_within(path, key), f"one of the keys {', '.join(keys)}", key, keys)

    def _mapping(self, path: str, value: Any) -> dict[str, Any]:
        if isinstance(value, dict):
            return value
        # Nothing behind a key, too: it may be half a file, and would allow what the rest forbids.
        self._fault(path, "a mapping", value)
        return {}

    def _fault(self, path: str, allowed: str, received: Any, meant: Collection[str] = ()) -> None:
        guess = did_you_mean(received, meant)
        self.faults.append(f"`{path}` must be {allowed}. Received: {shown(received)}{guess}")


def _within(path: str, key: str) -> str:
    """Return the path of a key; what is no plain word stands in quotes."""
    word = key if re.fullmatch(r"[\w-]+", key) else shown(key)
    return f"{path}.{word}" if path else word
