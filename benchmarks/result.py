"""One line of the table: each contender's figures, the ratio, and whether the bar is met."""

from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any, Literal, Self

OURS = "seedbed"
"""The contender that the table is about."""
OTHER = f"{OURS}, other checkout"
"""The same from another checkout, which is measured beside it; no peer."""

NOT_INSTALLED = "not installed"
NOT_OFFERED = "not offered"
"""How the reason begins why a library that is installed has no figure: it has no such function."""


# What a figure of zero counts as, where it divides.
SMALLEST = 1e-9


@dataclass(frozen=True, slots=True)
class Result:
    """One measured line.

    Every ratio is ours over the peer's, taken round by round with the peer that is best by its
    median.
    """

    row: int
    """The benchmark's number."""
    title: str
    """What was measured."""
    unit: str
    """Of the figures."""
    higher_is_better: bool
    """Whether the figures, and so the ratios, should be high."""
    samples: dict[str, list[float]] = field(default_factory=dict)
    """The figures of each contender, one for each round."""
    absent: dict[str, str] = field(default_factory=dict)
    """The peers without figures, and why."""
    bar: float | None = None
    """What is to be reached: at least, or at most where lower is better."""
    bar_on: Literal["ratio", "value"] = "ratio"
    """What the bar is about: the ratio to the best peer, or our own figure."""
    note: str = ""
    """What a reader must know besides."""
    unavailable: str = ""
    """Why nothing was measured."""

    @property
    def peers(self) -> list[str]:
        """The measured peers, the best one first."""
        others = [name for name in self.samples if name not in {OURS, OTHER}]
        return sorted(
            others, key=lambda name: median(self.samples[name]), reverse=self.higher_is_better
        )

    @property
    def ratios(self) -> list[float]:
        """Our figure over the best peer's, in each round; empty without a peer."""
        if OURS not in self.samples or not self.peers:
            return []
        return [
            ours / theirs
            for ours, theirs in zip(self.samples[OURS], self.samples[self.peers[0]], strict=True)
        ]

    def speedups(self, over: str) -> list[float]:
        """Return how many times as fast as another contender we were, round by round.

        Above 1 is better whatever the unit; empty unless both were measured.
        """
        pairs = zip(self.samples.get(OURS, []), self.samples.get(over, []), strict=False)
        if self.higher_is_better:
            return [ours / theirs for ours, theirs in pairs]
        return [theirs / max(ours, SMALLEST) for ours, theirs in pairs]

    @property
    def figure(self) -> float | None:
        """The median ratio or of our figures, as the bar is about; None if not measured."""
        figures = self.ratios if self.bar_on == "ratio" else self.samples.get(OURS, [])
        return median(figures) if figures else None

    @property
    def score(self) -> float | None:
        """How far the bar is reached: 1 or more is met; None without a bar or a figure."""
        if self.bar is None or self.figure is None:
            return None
        return (
            self.figure / self.bar
            if self.higher_is_better
            else self.bar / max(self.figure, SMALLEST)
        )

    @property
    def is_met(self) -> bool | None:
        """Whether the bar is met; None without a bar or a figure."""
        return None if self.score is None else self.score >= 1

    @property
    def missing(self) -> dict[str, str]:
        """The peers that could have been the best one, had they been there."""
        return {
            name: reason
            for name, reason in self.absent.items()
            if not reason.startswith(NOT_OFFERED)
        }

    def to_dict(self) -> dict[str, Any]:
        """Return the result for a JSON file, with the values derived from its figures."""
        return {
            **asdict(self),
            "best_peer": self.peers[0] if self.peers else None,
            "ratios": self.ratios,
            "over_other_checkout": self.speedups(OTHER),
            "figure": self.figure,
            "is_met": self.is_met,
        }

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> Self:
        """Return the result that :meth:`to_dict` wrote."""
        return cls(**{name: document[name] for name in cls.__dataclass_fields__})
