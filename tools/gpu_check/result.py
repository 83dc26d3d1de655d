"""What came of a check."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Status = Literal["passed", "failed", "stopped", "not run"]
NO_DEVICE = "no device"


@dataclass(frozen=True, slots=True)
class Result:
    """One check's end."""

    group: str
    """The group that it belongs to."""
    name: str
    """Its name in :mod:`tools.gpu_check.steps`; empty where it stands for all that is left."""
    status: Status
    """How it ended."""
    detail: str = ""
    """One line: what was compared or measured, or why it failed or was not run."""
    seconds: float = 0.0
    """How long it took."""
    figures: Mapping[str, float | str] = field(default_factory=dict)
    """What was measured, by its unit."""
    trace: str = ""
    """The traceback of a failure."""

    def as_json(self) -> dict[str, Any]:
        """Return it for JSON."""
        return dataclasses.asdict(self)


@dataclass(frozen=True, slots=True)
class Passed:
    """What a check returns."""

    detail: str
    """What was compared or measured."""
    figures: Mapping[str, float | str] = field(default_factory=dict)
    """As a result's."""


Checks = Mapping[str, Callable[[], Passed]]
"""Checks by name. Whatever a check raises is its failure, but for the two below."""


class NotRunError(Exception):
    """A check cannot be run here; the message says why."""


class StoppedError(Exception):
    """A check's time was up."""

    def __init__(self, done: int, total: int) -> None:
        super().__init__(f"after {done} of {total}")
