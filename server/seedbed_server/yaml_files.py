"""YAML files of an operator's, read and written as texts.

Every scalar stays the text that was written: what it means is for the setting or the quota to say,
so ``1e3`` is no number here. What YAML 1.1 reads as a value of its own is refused, as in manifests:
``on``, ``0600`` and ``1:30`` need quotes.
"""

from pathlib import Path
from typing import Any

import yaml

from seedbed.spec.errors import SeedbedError
from seedbed.spec.yaml_text import TRAP, YamlError, read_yaml
from seedbed_server.watched_files import WatchedFileError

MAX_FILE_BYTES = 2**20


class YamlFileError(SeedbedError):
    """A file that cannot be read, or is no YAML mapping."""


class UnreadableYamlError(YamlFileError, WatchedFileError):
    """A file that cannot be read."""


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
        raise UnreadableYamlError(f"cannot read {path}: {error.strerror}") from None
    if len(data) > MAX_FILE_BYTES:
        raise YamlFileError(f"{path} must have at most {MAX_FILE_BYTES} bytes")
    try:
        document = read_yaml(data.decode(), scalar=str, lone_surrogates=True)
    except UnicodeDecodeError as error:
        raise YamlFileError(f"{path} is no text in UTF-8: {error.reason}") from None
    except YamlError as error:
        raise YamlFileError(f"{path}: {error}") from None
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


class _TextDumper(yaml.SafeDumper):
    """Quotes only what would not be read as the same text."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  # as PyYAML declares it


_TextDumper.add_implicit_resolver("tag:yaml.org,2002:int", TRAP, None)
