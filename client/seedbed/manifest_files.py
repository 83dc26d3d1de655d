"""A manifest's file: YAML or JSON, read with the line of everything that is wrong, and written."""

import itertools
import json
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any

import yaml

from seedbed.faults import joined
from seedbed.manifest_document import Reading, read_document
from seedbed.spec.errors import InvalidArgumentError, InvalidValueError, Words, bad_value, shown
from seedbed.spec.yaml_text import NUMBER, YamlError, read_yaml

# Where what an error names may stand below what it is in.
_INNER = (
    "",
    ".config",
    ".fan_axes",
    ".initializer",
    ".initializer.config",
    ".initializer.fan_axes",
)


# A pipe may never end. 100,000 tensors take about 10 MB.
MAX_CHARACTERS = 2**28
_PIECE_CHARACTERS = 2**16
SUFFIXES = (".yaml", ".yml", ".json")
# Of the file that says in which safetensors file each tensor of a checkpoint is.
_INDEX_SUFFIX = ".index.json"


def is_manifest_file(path: str | PathLike[str]) -> bool:
    """Return whether a file is a manifest by its name; a checkpoint otherwise.

    Example:
        >>> is_manifest_file("model.json"), is_manifest_file("model.safetensors.index.json")
        (True, False)
    """
    file = Path(path)
    return file.suffix in SUFFIXES and not file.name.endswith(_INDEX_SUFFIX)


def is_checkpoint_file(path: str | PathLike[str]) -> bool:
    """Return whether a file is a safetensors file, or an index of some, by its name.

    Example:
        >>> is_checkpoint_file("model.safetensors"), is_checkpoint_file("model.yaml")
        (True, False)
    """
    return Path(path).name.endswith((".safetensors", _INDEX_SUFFIX))


def read_file(path: str | Path, *, about: str = "") -> Reading:
    """Return what a YAML (.yaml, .yml) or JSON (.json) file says.

    Args:
        path: the file.
        about: what errors call it, if not by its path.

    Raises:
        InvalidArgumentError: with all that is wrong, each with its line; or if the name is a
            checkpoint's.
        OSError: if it cannot be read.
    """
    _check_name(path, "Manifest.from_safetensors reads a checkpoint")
    file = _ManifestText(path, about or str(path))
    return read_document(file.document(), about=file.name, placed=file.placed)


def write_file(path: str | Path, document: Mapping[str, Any]) -> None:
    """Write a document as YAML (.yaml, .yml) or JSON (.json).

    Raises:
        InvalidValueError: if the name is a checkpoint's.
    """
    _check_name(path, "`seedbed fetch` writes a checkpoint")
    if Path(path).suffix == ".json":
        text = json.dumps(document, indent=2) + "\n"
    else:
        text = yaml.dump(
            document, Dumper=_Dumper, sort_keys=False, default_flow_style=None, width=120
        )
    Path(path).write_text(text, encoding="utf-8")


def _check_name(path: str | Path, hint: str) -> None:
    if is_checkpoint_file(path):
        allowed = f"that of a manifest, such as {SUFFIXES[0]} or {SUFFIXES[-1]}"
        raise bad_value("path", allowed, str(path), hint=f"; {hint}")


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]  # either
    """Puts into quotes also the text that only YAML 1.2 reads as a number, such as ``1e3``."""


_Dumper.add_implicit_resolver("tag:yaml.org,2002:float", NUMBER, None)


class _ManifestText:
    """The text of a file, and where things stand in it."""

    def __init__(self, path: str | Path, name: str) -> None:
        self._path = path
        self.name = name
        self._document: Any = None
        try:
            with Path(path).open(encoding="utf-8") as file:
                # Not at once: that would take memory for the largest of manifests.
                pieces = iter(lambda: file.read(_PIECE_CHARACTERS), "")
                most = MAX_CHARACTERS // _PIECE_CHARACTERS + 1
                self._text = "".join(itertools.islice(pieces, most))
        except UnicodeDecodeError as error:
            raise self._at(1, InvalidValueError(f"no text in UTF-8: {error.reason}")) from None
        if len(self._text) > MAX_CHARACTERS:
            allowed = f"at most {MAX_CHARACTERS:,} characters long, as a manifest is"
            raise bad_value(self.name, allowed, Words("more"))

    def document(self) -> Any:
        """Return the value of the text."""
        try:
            if Path(self._path).suffix == ".json":
                self._document = json.loads(self._text, object_pairs_hook=_without_duplicates)
            else:
                self._document = read_yaml(self._text, aliases=True)
        except YamlError as error:
            faults = [self._at(line, each) for line, each in error.faults]
            raise joined(faults, self.name) from None
        except json.JSONDecodeError as error:
            raise self._at(error.lineno, InvalidValueError(f"no JSON: {error.msg}")) from None
        except (ValueError, RecursionError) as error:
            raise self._unusable(error) from None
        return self._document

    def _unusable(self, error: Exception) -> InvalidArgumentError:
        """Return the error for JSON that is complete, with the lines that YAML's reader finds."""
        try:
            read_yaml(self._text, aliases=True)
        except YamlError as found:
            if all(each.field for _, each in found.faults):
                return joined([self._at(*each) for each in found.faults], self.name)
        return InvalidValueError(f"no JSON: {error}").within(self.name)

    def placed(self, error: InvalidArgumentError) -> tuple[int, InvalidArgumentError]:
        """Return the line of the field that an error is about, and the error with it."""
        field = error.field
        for pattern, path in self._rules.items():
            if field.startswith(pattern):
                field = path + field[len(pattern) :]
                break
        line = self._line(field)
        return line, self._at(line, error)

    def _at(self, line: int, error: InvalidArgumentError) -> InvalidArgumentError:
        field = f"{self.name}.{error.field}" if error.field else self.name
        text = f"{self.name}:{line}: {error}"
        return type(error)(text, field=field, reason=error.reason, limit=error.limit)

    def _line(self, field: str) -> int:
        """Return the line of a field, or of the smallest thing around it that has one."""
        around = field
        while around not in self._lines:
            around = around[: max(around.rfind("."), around.rfind("["), 0)]
        rest = field[len(around) :] if around else f".{field}"
        # A tensor may be its shape alone.
        places = [
            *(f"{around}{each}{rest}" for each in _INNER),
            around + rest.removeprefix(".shape"),
        ]
        known = (each.removeprefix(".") for each in places)
        return next(
            (self._lines[each] for each in known if each in self._lines), self._lines[around]
        )

    @cached_property
    def _lines(self) -> dict[str, int]:
        """The line of each field. JSON is YAML, too."""
        lines = {"": 1}
        with suppress(YamlError):  # what comes before it has its line
            read_yaml(self._text, aliases=True, lines=lines)
        return lines

    @cached_property
    def _rules(self) -> dict[str, str]:
        """The path of each rule, by the name that errors give it."""
        rules = self._document.get("rules") if isinstance(self._document, dict) else None
        if isinstance(rules, dict):
            return {f"rules[{pattern!r:.120}]": f"rules.{pattern}" for pattern in rules}
        return {
            f"rules[{rule['match']!r:.120}]": f"rules[{place}]"
            for place, rule in enumerate(rules if isinstance(rules, list) else ())
            if isinstance(rule, dict) and "match" in rule
        }


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping: dict[str, Any] = {}
    for key, value in pairs:
        if key in mapping:
            raise ValueError(f"the key {shown(key)} is there twice")
        mapping[key] = value
    return mapping
