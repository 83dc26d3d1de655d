"""A command's result: once for people, once for programs."""

import dataclasses
import enum
import json
import math
from collections.abc import Mapping
from typing import Any

from seedbed.spec.errors import SeedbedError


class CommandError(SeedbedError):
    """A command that cannot do what was asked, for a reason outside its arguments."""


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """A command's result."""

    fields: Mapping[str, Any]
    """For programs (``--json``)."""
    text: str
    """For people, without a newline at its end."""
    failure: str = ""
    """Why the exit code is 1 although there is a result; empty if all is well."""
    on_stderr: bool = False
    """Whether it goes to standard error, as standard output is taken."""

    def as_json(self) -> str:
        """Return the fields as one line of strict JSON."""
        return json.dumps(_plain(self.fields), allow_nan=False)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, enum.Enum):
        return value.value
    # JSON has no infinities; a bound may be one.
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
