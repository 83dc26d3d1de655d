"""A YAML text's values, which are the same by YAML 1.1 and by YAML 1.2.

PyYAML parses the text. Its own values are those of YAML 1.1, where ``0042`` is 34, ``1:30`` is 90
and ``no`` is false; other readers follow YAML 1.2. Here the values are those of YAML 1.2's core
schema, and a scalar that is something else to YAML 1.1 is an error
(docs/decisions/0027-yaml-that-means-one-thing.md).
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import yaml

from seedbed.spec.errors import (
    InvalidArgumentError,
    InvalidValueError,
    SeedbedError,
    Words,
    bad_value,
    shown,
)

# Manifests have 6 levels, policies 5.
MAX_DEPTH = 64
# Aliases of aliases make a document of any size from a small text.
MAX_REPEATED_VALUES = 10_000_000

_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_DECIMAL = re.compile(r"[-+]?[0-9]+\Z")
_BASED = re.compile(r"0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z"
    r"|[-+]?\.(?:inf|Inf|INF)\Z|\.(?:nan|NaN|NAN)\Z"
)
NUMBER = re.compile("|".join(each.pattern for each in (_DECIMAL, _BASED, _FLOAT)))
"""What YAML 1.2 reads as a number."""


class _Trap(NamedTuple):
    """Scalars that YAML 1.1 reads in a way of its own."""

    pattern: str
    meaning: str
    """What they are to YAML 1.1."""
    instead: str
    """What to write."""


# https://yaml.org/type/{int,float,bool,timestamp,merge,value}.html, as PyYAML has them: of the
# booleans all but y and n, which readers of YAML 1.1 take for text as well.
_TRAPS = (
    _Trap(r"[-+]?0[0-9_]+", "an octal number", "write no leading zeros, or 0o17 for octal"),
    _Trap(
        r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?",
        "a number to the base 60",
        "write it in quotes if it is text",
    ),
    _Trap(r"[-+]?0b[01_]+", "a binary number", "write it in decimal"),
    _Trap(r"[-+]0x[0-9a-fA-F_]+", "a hexadecimal number", "write it in decimal"),
    _Trap(
        r"[-+]?(?=[^_]*_)(?:[1-9][0-9_]*|0x[0-9a-fA-F_]+"
        r"|(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+][0-9]+)?)",
        "a number",
        "write no underscores",
    ),
    _Trap(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}"
        r":[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))?",
        "a date",
        "write it in quotes",
    ),
    _Trap(
        r"yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF",
        "a boolean",
        "write true or false, or quotes around a text",
    ),
    _Trap("<<", "a merge of mappings", "write out what is merged"),
    _Trap("=", "a default value", "write it in quotes"),
)
TRAP = re.compile("|".join(f"(?:{each.pattern})\\Z" for each in _TRAPS))
"""What YAML 1.1 and YAML 1.2 read as different values, or only YAML 1.1 as no text."""


class Placed(NamedTuple):
    """An error, and the line that it is about."""

    line: int
    error: InvalidArgumentError


class YamlError(SeedbedError):
    """A text that is no YAML, or may mean two things.

    Args:
        faults: all that was found.
    """

    def __init__(self, faults: Sequence[Placed]) -> None:
        super().__init__("; ".join(f"line {line}: {error}" for line, error in faults))
        self.faults = tuple(faults)


def core_value(text: str) -> bool | int | float | str | None:
    """Return what a scalar without quotes is by YAML 1.2's core schema.

    Raises:
        ValueError: for an integer of more digits than Python agrees to read.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "-+.0123456789":
        return text
    if _DECIMAL.match(text):
        return int(text)
    if _BASED.match(text):
        return int(text, 0)
    if not _FLOAT.match(text):
        return text
    # Only Python writes infinity and NaN without a point.
    return float(text if text[-1].isdigit() or text[-1] == "." else text.replace(".", ""))


def read_yaml(
    text: str,
    *,
    scalar: Callable[[str], Any] = core_value,
    aliases: bool = False,
    lone_surrogates: bool = False,
    lines: dict[str, int] | None = None,
) -> Any:
    r"""Return the value of a text with one document; None for one without any.

    Mappings are dicts whose keys are distinct, and tags such as ``!!python/object`` are refused.

    Args:
        text: the text.
        scalar: makes the value of a scalar without quotes; one in quotes is a text.
        aliases: whether ``*name`` may repeat what stands at ``&name``.
        lone_surrogates: whether ``"\udc80"`` is allowed, as paths may have it; takes ten times as
            long.
        lines: gets the line of each value by its path, such as ``tensors.w.shape[1]``.

    Raises:
        YamlError: with all that is wrong.
    """
    reader = _Constructor(scalar, aliases, {} if lines is None else lines)
    document = None
    try:
        # libyaml's parser, where PyYAML was built with it, takes no lone surrogates.
        parser: Any = yaml.SafeLoader if lone_surrogates else _FastParser
        document = reader.document(parser(text))
    except yaml.YAMLError as error:
        reader.faults.append(_unreadable(error, text))
    if reader.faults:
        raise YamlError(reader.faults)
    return document


_FastParser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Constructor:
    """Makes the values of a parser's events, and collects what is wrong with them."""

    def __init__(self, scalar: Callable[[str], Any], aliases: bool, lines: dict[str, int]) -> None:
        self.faults: list[Placed] = []
        self._scalar = scalar
        self._aliases = aliases
        self._lines = lines
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._depth = 0
        self._values = 0
        self._repeated = 0

    def document(self, parser: Any) -> Any:
        self._parser = parser
        self._parser.get_event()  # the stream's start
        if self._parser.check_event(yaml.StreamEndEvent):
            return None
        self._parser.get_event()  # the document's start
        value = self._value("")
        self._parser.get_event()  # the document's end
        if not self._parser.check_event(yaml.StreamEndEvent):
            raise _stop(self._parser.peek_event(), "a second document begins here")
        return value

    def _value(self, path: str) -> Any:
        event = self._parser.get_event()
        self._lines.setdefault(path, event.start_mark.line + 1)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, path)
        if event.tag is not None:
            self._refuse(event, path, "written without a tag", Words(event.tag))
        before = self._values
        self._values += 1
        if isinstance(event, yaml.ScalarEvent):
            value = self._scalar_value(event, path)
        else:
            value = self._collection(event, path)
        if event.anchor is not None:
            self._anchors[event.anchor] = value, self._values - before
        return value

    def _alias(self, event: yaml.AliasEvent, path: str) -> Any:
        """Return what an alias repeats; what it stands in itself has no value yet."""
        if not self._aliases:
            self._refuse(event, path, "written out: aliases are not allowed", Words("*"))
            return None
        if event.anchor not in self._anchors:
            raise _stop(event, f"*{event.anchor} repeats what is not complete above it")
        value, size = self._anchors[event.anchor]
        self._values += size
        self._repeated += size
        if self._repeated > MAX_REPEATED_VALUES:
            raise _stop(event, f"aliases repeat more than {MAX_REPEATED_VALUES} values")
        return value

    def _scalar_value(self, event: yaml.ScalarEvent, path: str) -> Any:
        text = event.value
        if event.style:  # quotes or a block
            return text
        if TRAP.match(text):
            trap = next(each for each in _TRAPS if re.fullmatch(each.pattern, text))
            received = Words(f"{text} ({trap.meaning} in YAML 1.1); {trap.instead}")
            self._refuse(event, path, "the same in YAML 1.1 and YAML 1.2", received)
            return text
        try:
            return self._scalar(text)
        except ValueError:
            self._refuse(event, path, "of fewer digits", Words(shown(text)))
            return None

    def _collection(self, event: Any, path: str) -> Any:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _stop(event, f"nested deeper than {MAX_DEPTH} levels")
        is_list = isinstance(event, yaml.SequenceStartEvent)
        value = self._list(path) if is_list else self._mapping(path)
        self._parser.get_event()  # its end
        self._depth -= 1
        return value

    def _list(self, path: str) -> list[Any]:
        items: list[Any] = []
        while not self._parser.check_event(yaml.SequenceEndEvent):
            items.append(self._value(f"{path}[{len(items)}]"))
        return items

    def _mapping(self, path: str) -> dict[Any, Any]:
        mapping: dict[Any, Any] = {}
        first: dict[Any, int] = {}
        while not self._parser.check_event(yaml.MappingEndEvent):
            event = self._parser.peek_event()
            line = event.start_mark.line + 1
            if not isinstance(event, yaml.ScalarEvent):
                self._refuse(event, path, "a mapping whose keys are text", Words("another key"))
                self._value(path)
                self._value(path)
                continue
            inner = f"{path}.{event.value}" if path else event.value
            key = self._value(inner)
            if key in mapping:
                where = f"on line {first[key]} and on line {line}"
                self._refuse(event, inner, "there once", Words(f"the key twice, {where}"))
            first.setdefault(key, line)
            mapping[key] = self._value(inner)
        return mapping

    def _refuse(self, event: Any, path: str, allowed: str, received: Words) -> None:
        error = bad_value(path or "the document", allowed, received)
        self.faults.append(Placed(event.start_mark.line + 1, error))


def _stop(event: Any, problem: str) -> yaml.YAMLError:
    return yaml.MarkedYAMLError(None, None, problem, event.start_mark)


def _unreadable(error: yaml.YAMLError, text: str) -> Placed:
    """Return the error of a parser that cannot go on."""
    if isinstance(error, yaml.reader.ReaderError):
        character = chr(error.character)
        line = text.count("\n", 0, text.find(character)) + 1
        return Placed(line, InvalidValueError(f"a character that YAML lacks: {shown(character)}"))
    said = [each for each in (error.context, error.problem) if each]  # type: ignore[attr-defined]
    if "while scanning an alias" in said:
        said.append("a text that begins with * needs quotes")
    line = error.problem_mark.line + 1  # type: ignore[attr-defined]
    return Placed(line, InvalidValueError(", ".join(said)))
