"""How calls ended."""

import statistics
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import seedbed as sb


@dataclass
class Outcomes:
    """The calls by how they ended. Threads may share it."""

    right: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    raised: list[str] = field(default_factory=list)
    hung: list[str] = field(default_factory=list)
    taken: list[tuple[float, str]] = field(default_factory=list)
    """How many seconds each took."""
    counts: Counter[str] = field(default_factory=Counter)
    """What was done to them."""

    @property
    def failures(self) -> list[str]:
        """All that did not end well."""
        return [*self.wrong, *self.raised, *self.hung]

    @property
    def slowest_seconds(self) -> float:
        """How long the slowest took."""
        return max(self.taken)[0]

    def __str__(self) -> str:
        seconds, name = max(self.taken)
        text = (
            f"right={len(self.right)} wrong={len(self.wrong)} raised={len(self.raised)} "
            f"hung={len(self.hung)} "
            f"median={statistics.median(each for each, _ in self.taken):.2f}s "
            f"slowest={seconds:.2f}s ({name})"
        )
        counts = [f"{name}={count}" for name, count in sorted(self.counts.items())]
        return "\n  ".join([" ".join([text, *counts]), *self.failures])

    @contextmanager
    def noting(self, name: str) -> Iterator[list[bool]]:
        """Take down how the block's call ends; the block appends whether its answer is right."""
        began = time.monotonic()
        verdicts: list[bool] = []
        try:
            yield verdicts
        except sb.SeedbedError as error:
            self.raised.append(f"{name}: {error!r}")
        except TimeoutError:  # the test's own: the call has not ended
            self.hung.append(name)
        else:
            (self.right if verdicts == [True] else self.wrong).append(name)
        self.taken.append((time.monotonic() - began, name))
