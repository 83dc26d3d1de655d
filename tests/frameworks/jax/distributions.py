"""Whether two trees of arrays have the same distributions, leaf by leaf."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from seedbed.jax.names import leaves_by_name

# Of the two-sample Kolmogorov-Smirnov test: one in 1,000 pairs of samples lies further apart. Seeds
# are fixed, so a test that passes does so always.
FARTHEST = 1.95


def distance(ours: Any, theirs: Any) -> float:
    """Return how far two samples are apart, in units of what chance makes of them."""
    both = np.concatenate([ours, theirs])
    places = [np.searchsorted(np.sort(sample), both, side="right") for sample in (ours, theirs)]
    apart = np.max(np.abs(places[0] / len(ours) - places[1] / len(theirs)))
    return float(apart * np.sqrt(len(ours) * len(theirs) / len(both)))


def check_distributions(ours: Any, theirs: Sequence[Any]) -> tuple[set[str], set[str]]:
    """Check a tree against several of another source, made with different keys.

    Where theirs are all the same, ours must be the same bits; otherwise all have one distribution.
    Keys only need to be of the same kind.

    Returns:
        The names of the leaves that are random, and of those that are not.
    """
    names = leaves_by_name(ours)
    others = [leaves_by_name(tree) for tree in theirs]
    assert [list(other) for other in others] == [list(names)] * len(others)
    drawn, fixed = set(), set()
    for name, leaf in names.items():
        samples = [other[name] for other in others]
        assert (leaf.shape, leaf.dtype) == (samples[0].shape, samples[0].dtype), name
        if jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            continue
        values = [np.asarray(sample) for sample in samples]
        if len({value.tobytes() for value in values}) == 1:
            assert np.asarray(leaf).tobytes() == values[0].tobytes(), name
            fixed.add(name)
            continue
        drawn.add(name)
        flat = np.concatenate([value.astype("float64").reshape(-1) for value in values])
        mine = np.asarray(leaf).astype("float64").reshape(-1)
        assert distance(mine, flat) < FARTHEST, name
        assert abs(mine.std() / flat.std() - 1) < 4 / np.sqrt(mine.size), name
        assert abs(mine.mean() - flat.mean()) < 5 * flat.std() / np.sqrt(mine.size), name
    return drawn, fixed
