"""YAML files of an operator's, read and written as texts.

Every scalar stays the text that was written: what it means is for the setting or the quota to say,
and none of YAML's guesses applies (``on`` is no boolean here, and ``0600`` no octal number).
"""

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from seedbed.spec.errors import SeedbedError

MAX_FILE_BYTES = 2**20


class YamlFileError(SeedbedError):
    """A file that cannot be read, or is no YAML mapping."""


def read_mapping(path: Path) -> dict[str, Any]:
    """Return a file's mapping, whose values are texts, lists and mappings.

    An empty file is an empty mapping, and a key without a value has an empty text.

    Raises:
        YamlFileError: naming the file, and the line where there is one.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise YamlFileError(f"cannot read {path}: {error.strerror}") from None
    if len(data) > MAX_FILE_BYTES:
        raise YamlFileError(f"{path} must have at most {MAX_FILE_BYTES} bytes")
    try:
        document = yaml.load(data, _TextLoader)
    except (yaml.YAMLError, UnicodeError, RecursionError) as error:
        raise YamlFileError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    if document in (None, ""):
        return {}
    if not isinstance(document, dict):
        raise YamlFileError(f"{path} must be a mapping of keys to values")
    return document


def line_of(key: str, value: str | list[str]) -> str:
    """Return a line of YAML, without its end, that :func:`read_mapping` reads."""
    texts = value if isinstance(value, list) else [value]
    # One text is written as a list of one, for the quotes that it then gets, without the brackets.
    dumped: str = yaml.dump(
        texts, Dumper=_TextDumper, default_flow_style=True, allow_unicode=True, width=float("inf")
    )
    shown = dumped.strip()
    return f"{key}: {shown if texts is value else shown[1:-1]}"


class _TextLoader(yaml.BaseLoader):
    """Makes no value but texts, lists and dicts, and refuses what PyYAML takes silently."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Return the next node; an alias could make a small file a large document."""
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]  # the stubs' own gap
        where = event.start_mark
        if self.check_event(yaml.AliasEvent):
            raise yaml.composer.ComposerError(None, None, "aliases are not allowed", where)
        if event.tag is not None:
            raise yaml.composer.ComposerError(None, None, "tags are not allowed", where)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Return a mapping whose keys are distinct texts."""
        keys: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(
                    None, None, "a key must be a text", key.start_mark
                )
            if key.value in keys:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} is there twice", key.start_mark
                )
            keys.add(key.value)
        return super().construct_mapping(node, deep)


class _TextDumper(yaml.SafeDumper):
    """Quotes only what would not be read as the same text."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  # as PyYAML declares it
