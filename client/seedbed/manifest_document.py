"""A manifest's document: what it says of each tensor, or everything that is wrong with it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from seedbed.faults import joined
from seedbed.rules import (
    Filling,
    first_match,
    parse_fan_axes,
    parse_initializer,
    read_rules,
    strangers,
    unfilled,
    unknown_keys,
)
from seedbed.spec.dtypes import as_dtype
from seedbed.spec.errors import InvalidArgumentError, InvalidValueError, bad_type, bad_value
from seedbed.spec.info import NUMERICS
from seedbed.spec.seeds import as_draw, as_seed
from seedbed.spec.shapes import as_shape
from seedbed.spec.tensors import TensorSpec, as_name

FORMAT = 1
"""The version of the file format."""

_KEYS = ("seedbed_manifest", "numerics", "seed", "dtype", "fan_axes", "rules", "tensors")
_ENTRY_KEYS = ("shape", "dtype", "initializer", "seed", "draw", "fan_axes")
_OPTIONAL = ("initializer", "seed", "fan_axes")
"""Keys whose value may be null, as if they were not there."""
_CHECKS: dict[str, Callable[[Any], object]] = {
    "name": as_name,
    "shape": lambda value: as_shape(value, 1),
    "dtype": as_dtype,
    "initializer": parse_initializer,
    "seed": as_seed,
    "draw": as_draw,
    "fan_axes": parse_fan_axes,
}

_Pairs = Sequence[tuple[str, Filling | InvalidArgumentError]]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a document says."""

    specs: tuple[TensorSpec, ...]
    """Every tensor, in the document's order."""
    patterns: tuple[str, ...]
    """The patterns of all rules, in their order."""
    filled_by: Mapping[str, int]
    """The place of the rule that fills each tensor, by name; no place for an own initializer."""

    def rule(self, name: str) -> str | None:
        """Return the pattern of the rule that fills a tensor; None for an own initializer."""
        place = self.filled_by.get(name)
        return None if place is None else self.patterns[place]

    def idle_rules(self) -> Iterator[str]:
        """Yield a text about each rule that fills nothing, although its pattern matches names.

        ``*``, which is for whatever is left, may fill nothing.
        """
        used = set(self.filled_by.values())
        names = [spec.name for spec in self.specs]
        for place, pattern in enumerate(self.patterns):
            if place in used or pattern == "*":
                continue
            matched = [name for name in names if fnmatchcase(name, pattern)]
            earlier = sorted({self.filled_by[name] for name in matched if name in self.filled_by})
            reasons = [repr(self.patterns[each]) for each in earlier]
            if len(matched) > sum(name in self.filled_by for name in matched):
                reasons.append("initializers of their own")
            yield (
                f"rules[{place}], {pattern!r}, fills nothing: its tensors are filled by "
                f"{' and '.join(reasons)}"
            )


def _in_no_file(error: InvalidArgumentError) -> tuple[int, InvalidArgumentError]:
    return 1, error


def read_document(
    document: Any,
    *,
    about: str = "the manifest",
    placed: Callable[[InvalidArgumentError], tuple[int, InvalidArgumentError]] = _in_no_file,
) -> Reading:
    """Return what a document says.

    Args:
        document: what stands in a manifest's file.
        about: what errors call the document.
        placed: returns the line of an error in a file, and the error with it.

    Raises:
        InvalidArgumentError: with all that is wrong; each fault names its key, such as
            ``tensors.wte.weight.shape[1]``.
    """
    reader = _DocumentReader()
    reading = reader.read(document)
    if reader.faults:
        faults = sorted(map(placed, reader.faults), key=lambda each: each[0])
        raise joined([error for _, error in faults], about)
    return reading


class _DocumentReader:
    """Reads a document, and collects what is wrong with it."""

    def __init__(self) -> None:
        self.faults: list[InvalidArgumentError] = []
        self._specs: dict[str, TensorSpec] = {}
        self._filled_by: dict[str, int] = {}
        self._pairs: _Pairs = []
        self._places: dict[str, int] = {}
        self._shared: Mapping[str, Any] | None = None

    def read(self, document: Any) -> Reading:
        if self._is_manifest(document):
            self._read_shared(document)
            self._read_rules(document.get("rules"))
            tensors = document.get("tensors")
            if isinstance(tensors, Mapping):
                self._read_tensors(tensors)
            else:
                self.faults.append(bad_type("tensors", "a mapping from names to shapes", tensors))
        patterns = tuple(pattern for pattern, _ in self._pairs)
        return Reading(tuple(self._specs.values()), patterns, self._filled_by)

    def _is_manifest(self, document: Any) -> bool:
        """Return whether the rest is worth reading; of another version, it may mean anything."""
        if not isinstance(document, Mapping):
            self.faults.append(bad_type("manifest", "a mapping", document))
            return False
        version = document.get("seedbed_manifest")
        is_ours = type(version) is int and version == FORMAT  # True and 1.0 equal 1, too
        if not is_ours:
            self.faults.append(bad_value("seedbed_manifest", f"{FORMAT}", version))
        self.faults += unknown_keys("manifest", document, _KEYS)
        return is_ours

    def _read_shared(self, document: Mapping[str, Any]) -> None:
        """Read what counts for all tensors; if it is wrong, one error says so and not one each."""
        if document.get("numerics", NUMERICS) != NUMERICS:
            self.faults.append(bad_value("numerics", NUMERICS, document["numerics"]))
        given = {key: document.get(key) for key in ("seed", "dtype", "fan_axes")}
        wrong = _faults_of({key: value for key, value in given.items() if value is not None})
        self.faults += wrong
        self._shared = None if wrong else given

    def _read_rules(self, value: Any) -> None:
        self._pairs = read_rules("rules", value, parse_initializer)
        self.faults += [each for _, each in self._pairs if isinstance(each, InvalidArgumentError)]
        for place, (pattern, _) in enumerate(self._pairs):
            self._places.setdefault(pattern, place)

    def _read_tensors(self, tensors: Mapping[Any, Any]) -> None:
        names, shapes = [], {}
        for key, value in tensors.items():
            entry = value if isinstance(value, Mapping) else {"shape": value}
            try:
                names.append(as_name(key))
                if not self._is_filled(key, entry):
                    shapes[key] = as_shape(entry.get("shape"), 1)
            except InvalidArgumentError as error:
                errors = _entry_faults(key, entry)
                if error.field not in [each.field for each in errors]:
                    errors.append(error)
                self.faults += [each.within(f"tensors.{key}") for each in errors]
        for text in unfilled(shapes, set(names) - shapes.keys(), needy="tensor"):
            self.faults.append(InvalidValueError(text, field="rules"))
        self.faults += strangers(self._pairs, names)

    def _is_filled(self, name: str, entry: Mapping[str, Any]) -> bool:
        """Make the spec of an entry, and return whether anything says what fills the tensor."""
        for unknown in unknown_keys("tensor", entry, _ENTRY_KEYS):
            raise unknown
        own = entry.get("initializer")
        filling: Filling | InvalidArgumentError
        if own is not None:
            filling = parse_initializer(own)
        elif (rule := first_match(self._pairs, name)) is not None:
            filling = rule[1]
            self._filled_by[name] = self._places[rule[0]]
        else:
            return False
        if self._shared is not None and isinstance(filling, Filling):
            self._specs[name] = _spec(name, entry, filling, self._shared)
        else:  # What it needs from elsewhere is wrong. Its own keys may be wrong besides.
            for error in _entry_faults(name, entry):
                raise error
        return True


def _spec(
    name: str, entry: Mapping[str, Any], filling: Filling, shared: Mapping[str, Any]
) -> TensorSpec:
    seeds = (entry.get("seed"), filling.seed_bits, shared["seed"])
    # Biases of one axis cannot have the layout of the weights, and need none.
    has_shared = filling.fan_axes is None and filling.takes_axes
    dtype = entry.get("dtype", shared["dtype"])
    if dtype is None:
        raise bad_value("dtype", "given, here or for the whole manifest", None)
    shape: Any = entry.get("shape")
    return TensorSpec(
        name=name,
        shape=shape,
        dtype=dtype,
        initializer=filling,
        seed=next((seed for seed in seeds if seed is not None), None),
        draw=entry.get("draw", 0),
        fan_axes=parse_fan_axes(entry.get("fan_axes", shared["fan_axes"] if has_shared else None)),
    )


def _entry_faults(key: object, entry: Mapping[Any, Any]) -> list[InvalidArgumentError]:
    """Return what is wrong with the keys of an entry, each by itself."""
    given = {
        each: entry[each]
        for each in _CHECKS
        if each in entry and not (entry[each] is None and each in _OPTIONAL)
    }
    return [
        *unknown_keys("tensor", entry, _ENTRY_KEYS),
        *_faults_of({"name": key, "shape": entry.get("shape")} | given),
    ]


def _faults_of(given: Mapping[str, Any]) -> list[InvalidArgumentError]:
    faults = []
    for key, value in given.items():
        try:
            _CHECKS[key](value)
        except InvalidArgumentError as error:
            faults.append(error)
    return faults
