"""A distribution of seconds, as a histogram's buckets know it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Distribution:
    """How many values lie in each bucket."""

    bounds: tuple[float, ...] = ()
    """The upper bound of each bucket; the last is infinite."""
    counts: tuple[float, ...] = ()
    """How many values each has."""

    @classmethod
    def of_buckets(cls, buckets: Sequence[tuple[float, float]]) -> "Distribution":
        """Return one of Prometheus's buckets: upper bounds, each with the count up to it."""
        ordered = sorted(buckets)
        totals = (0.0, *(total for _, total in ordered))
        return cls(
            tuple(bound for bound, _ in ordered),
            tuple(after - before for before, after in pairwise(totals)),
        )

    @property
    def count(self) -> float:
        """How many values there are."""
        return sum(self.counts)

    def since(self, earlier: "Distribution") -> "Distribution":
        """Return what came after an earlier state of the same histogram."""
        if not earlier.counts:
            return self
        pairs = zip(self.counts, earlier.counts, strict=True)
        return Distribution(self.bounds, tuple(now - then for now, then in pairs))

    def quantile(self, share: float) -> float | None:
        """Return the value that a share of all are below; None if there are no values.

        Within a bucket, values are taken to lie evenly. One beyond the last finite bound is that
        bound.
        """
        wanted, below, lower = share * self.count, 0.0, 0.0
        for bound, count in zip(self.bounds, self.counts, strict=True):
            if count and below + count >= wanted:
                if bound == float("inf"):
                    return lower
                return lower + (bound - lower) * (wanted - below) / count
            below += count
            lower = bound
        return None
