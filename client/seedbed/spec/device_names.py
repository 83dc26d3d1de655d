"""Names of devices: ``cpu``, ``gpu`` (the first one), ``gpu:N``."""

import re
from dataclasses import dataclass
from typing import Literal

from seedbed.spec.errors import bad_type, bad_value


@dataclass(frozen=True, slots=True)
class DeviceName:
    """A kind of device, and which one of that kind."""

    kind: Literal["cpu", "gpu"]
    """What it is."""
    index: int = 0
    """Its number, from 0."""

    def __str__(self) -> str:
        return "cpu" if self.kind == "cpu" else f"gpu:{self.index}"


def parse_device(field: str, text: object) -> DeviceName:
    """Return the device that a text names.

    Args:
        field: what the argument is called in an error.
        text: ``cpu``, ``gpu`` or ``gpu:N``.

    Raises:
        InvalidTypeError: if it is no string.
        InvalidValueError: if it names no device.
    """
    if not isinstance(text, str):
        raise bad_type(field, "a string: 'cpu', 'gpu' or 'gpu:N'", text)
    match = re.fullmatch(r"cpu|gpu(?::([0-9]{1,4}))?", text)
    if match is None:
        raise bad_value(field, "'cpu', 'gpu' or 'gpu:N'", text, hint=device_suggestion(text))
    return DeviceName("cpu") if text == "cpu" else DeviceName("gpu", int(match.group(1) or 0))


def device_suggestion(text: str) -> str:
    """Return `; did you mean 'gpu:1'?` for ``cuda:1`` or ``GPU1``, or nothing.

    Words of three letters are near to each other: ``tpu`` is no mistake for ``cpu``.
    """
    match = re.fullmatch(r"\s*(cpu|gpu|cuda)s?\W*([0-9]{0,4})\s*", text.lower())
    if match is None:
        return ""
    kind, index = match.groups()
    name = "cpu" if kind == "cpu" else f"gpu:{int(index)}" if index else "gpu"
    return f"; did you mean {name!r}?"
