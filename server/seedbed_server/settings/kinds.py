"""The kinds of settings: how a value is read from text, and how it is shown."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from seedbed.spec.device_names import device_suggestion, parse_device
from seedbed.spec.errors import SeedbedError
from seedbed.spec.suggestions import did_you_mean

T = TypeVar("T")

# The protocol keeps limits in 64 bits.
LARGEST_INTEGER = 2**63 - 1
LARGEST_SECONDS = 86_400.0
BINARY_UNITS = {"TiB": 2**40, "GiB": 2**30, "MiB": 2**20, "KiB": 2**10}


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """What the values of a setting have in common."""

    metavar: str
    """What stands for a value in the help: its unit, where it has one."""
    parse: Callable[[str], T]
    """Returns the value of a text; a ValueError says what is allowed and what came."""
    show: Callable[[T], str] = str
    """Returns the value as people read it."""
    write: Callable[[T], str] = str
    """Returns the value as ``parse`` reads it."""


def integer(least: int = 1, most: int = LARGEST_INTEGER) -> Kind[int]:
    """Return the kind of whole numbers in a range, both ends included."""
    return Kind("N", lambda text: _integer(text, least, most), "{:,}".format)


def size(least: int = 1, most: int = LARGEST_INTEGER) -> Kind[int]:
    """Return the kind of sizes in a range, both ends included: bytes, or with a binary unit."""
    return Kind("BYTES", lambda text: _size(text, least, most), _size_text, _written_size)


def choice(*words: str) -> Kind[str]:
    """Return the kind whose values are a few words."""

    def parse(text: str) -> str:
        if text not in words:
            raise _not_allowed(_listed(words), text, words)
        return text

    return Kind("{" + ",".join(words) + "}", parse)


def _listed(words: Sequence[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]])


def _not_allowed(allowed: str, text: str, words: Iterable[str] = ()) -> ValueError:
    """Return the error for a text; one of the allowed words may be what was meant."""
    return ValueError(f"must be {allowed}. Received: {text!r}{did_you_mean(text, words)}")


def _integer(text: str, least: int, most: int) -> int:
    # int() also takes signs, spaces, underscores and other scripts' digits.
    if not re.fullmatch(r"[0-9]{1,19}", text) or not least <= int(text) <= most:
        raise _not_allowed(f"an integer from {least} to {most}", text)
    return int(text)


def _size(text: str, least: int, most: int) -> int:
    match = re.fullmatch(r"([0-9]{1,19}) ?([KMGT]iB)?", text)
    size_bytes = int(match[1]) * BINARY_UNITS.get(match[2], 1) if match else -1
    if not least <= size_bytes <= most:
        number = text.rstrip("BbGgIiKkMmTt").strip()
        forms = [f"{number} {unit}" for unit in BINARY_UNITS] if number.isdecimal() else []
        allowed = f"bytes from {least} to {most}, such as 65536 or 64 MiB"
        raise _not_allowed(allowed, text, forms if match is None else ())
    return size_bytes


def _size_text(size_bytes: int) -> str:
    for unit, factor in BINARY_UNITS.items():
        if size_bytes and size_bytes % factor == 0:
            return f"{size_bytes // factor} {unit}"
    return f"{size_bytes:,} bytes"


def _written_size(size_bytes: int) -> str:
    return _size_text(size_bytes).removesuffix(" bytes").replace(",", "")


def _seconds(text: str) -> float:
    # float() also takes signs, spaces, underscores, other scripts' digits, and words.
    seconds = float(text) if re.fullmatch(r"[0-9]+\.?[0-9]*(e[+-]?[0-9]{1,3})?", text) else -1.0
    if not 0 <= seconds <= LARGEST_SECONDS:
        raise _not_allowed(f"from 0 to {LARGEST_SECONDS:g}", text)
    return seconds


def _some_seconds(text: str) -> float:
    """Return a time that ends what takes as long: 0 would end everything, and is not "never"."""
    seconds = _seconds(text)
    if not seconds:
        raise _not_allowed(f"more than 0, and at most {LARGEST_SECONDS:g}", text)
    return seconds


def _address(text: str) -> str:
    if re.fullmatch(r"unix:///[^\0\n]+", text):
        return text
    match = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^\s:\[\]]+):([0-9]{1,5})", text)
    if match is None or int(match.group(2)) > 65535 or not _may_be_host(match.group(1)):
        raise _not_allowed("host:port, [ipv6]:port or unix:///path", text)
    return text


def _may_be_host(text: str) -> bool:
    """Return whether a name can be looked up: its labels may be neither empty nor too long."""
    try:
        return "\0" not in text and bool(text.encode("idna"))
    except UnicodeError:
        return False


def _tcp_address(text: str) -> str:
    if text.startswith("unix:"):
        raise _not_allowed("host:port or [ipv6]:port", text)
    return _address(text)


def _path(text: str) -> Path:
    if not text or "\0" in text:
        raise _not_allowed("a path", text)
    return Path(text)


def _device(text: str) -> str:
    if text != "auto":
        try:
            parse_device("device", text)
        except SeedbedError:
            hint = device_suggestion(text) or did_you_mean(text, ["auto"])
            raise ValueError(f"must be auto, cpu, gpu or gpu:N. Received: {text!r}{hint}") from None
    return text


def _mode(*modes: str) -> Kind[int]:
    """Return the kind of permissions, of which a few are allowed."""

    def parse(text: str) -> int:
        if text not in modes:
            raise _not_allowed(_listed(modes), text, modes)
        return int(text, 8)

    return Kind("MODE", parse, "{:o}".format, "{:o}".format)


# Words of YAML 1.1, and of other programs.
_MEANT = dict.fromkeys(("yes", "y", "on"), "true") | dict.fromkeys(("no", "n", "off"), "false")


def _switch(text: str) -> bool:
    values = {"true": True, "1": True, "false": False, "0": False}
    if text.lower() not in values:
        hint = did_you_mean(_MEANT.get(text.lower(), text), values)
        raise ValueError(f"must be true, false, 1 or 0. Received: {text!r}{hint}")
    return values[text.lower()]


ADDRESS = Kind("ADDRESS", _address)
TCP_ADDRESS = Kind("ADDRESS", _tcp_address)
DEVICE = Kind("NAME", _device)
DIRECTORY = Kind("DIR", _path)
FILE = Kind("FILE", _path)
FILE_MODE = _mode("600", "640", "644")
# To connect is to write.
SOCKET_MODE = _mode("600", "660", "666")
SECONDS = Kind("SECONDS", _seconds, "{:g} s".format)
SOME_SECONDS = Kind("SECONDS", _some_seconds, "{:g} s".format)
SWITCH = Kind(
    "BOOLEAN",
    _switch,
    lambda value: "on" if value else "off",
    lambda value: "true" if value else "false",
)
