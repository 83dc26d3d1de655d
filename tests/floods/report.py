"""How a client of a flooded server was served."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from statistics import median, quantiles
from typing import Any

KEPT_FAILURES = 5


@dataclass
class Report:
    """The times of a client's calls, and its failures."""

    seconds: list[float] = field(default_factory=list)
    """How long each call took."""
    failures: list[str] = field(default_factory=list)
    """The first of them, as text."""
    failed: int = 0
    """How many calls failed."""

    @classmethod
    def of(cls, reports: Sequence["Report"]) -> "Report":
        """Return one report of several."""
        return cls(
            seconds=list(chain.from_iterable(report.seconds for report in reports)),
            failures=list(chain.from_iterable(report.failures for report in reports)),
            failed=sum(report.failed for report in reports),
        )

    def measure(self, call: Callable[[], Any]) -> None:
        """Make a call and record how it went."""
        started = time.monotonic()
        try:
            call()
        except Exception as error:  # noqa: BLE001  # whatever it is, it is reported
            self.failed += 1
            if len(self.failures) < KEPT_FAILURES:
                self.failures.append(f"{type(error).__name__}: {error}")
        self.seconds.append(time.monotonic() - started)

    @property
    def p99(self) -> float:
        """Of its calls' times, in seconds."""
        return quantiles(self.seconds, n=100, method="inclusive")[98]

    def __str__(self) -> str:
        return (
            f"{len(self.seconds)} calls, {self.failed} failed, median {median(self.seconds):.3f}, "
            f"p99 {self.p99:.3f}, worst {max(self.seconds):.3f} s"
        )
