"""The leaves of a tree that can be filled, and what was recorded of them."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from seedbed.jax.modules import counts_in, split_modules
from seedbed.jax.names import leaves_by_name, name_of
from seedbed.jax.recording import Content, Recording, prefixed


@dataclass(frozen=True, slots=True)
class Leaves:
    """The leaves of a tree."""

    tree: Any
    """The tree, in which modules of nnx are their state."""
    restore: Callable[[Any], Any]
    """Puts modules of nnx together."""
    by_name: Mapping[str, Any]
    """In the tree's order; those that are not arrays are not among a recording's."""
    counts: frozenset[str]
    """The names of those that count the keys that were drawn."""
    prefix: str
    """With which each name begins."""
    recording: Recording | None
    """What fills those that no rule matches."""

    def recorded(self, names: Collection[str]) -> dict[str, Content]:
        """Return what the recorded function fills some leaves with."""
        if self.recording is None:
            return {}
        own = {name.removeprefix(self.prefix) for name in names}
        contents = self.recording.contents(own)
        return {
            self.prefix + name: prefixed(content, self.prefix) for name, content in contents.items()
        }


def leaves_of(tree: Any, prefix: str) -> Leaves:
    """Return the leaves of a tree, or of a recording.

    Raises:
        InvalidTypeError: if the prefix is not a string.
        InvalidValueError: if two leaves have the same name.
    """
    recording = tree if isinstance(tree, Recording) else None
    tree, restore = (
        split_modules(tree) if recording is None else (recording.tree, recording.restore)
    )
    by_name = leaves_by_name(tree, prefix)
    counts = frozenset(prefix + name_of(path) for path in counts_in(tree))
    if recording is not None:
        # What a function makes of its counts is known.
        counts = frozenset()
        by_name = {
            name: leaf
            for name, leaf in by_name.items()
            if name.removeprefix(prefix) in recording.values
        }
    return Leaves(tree, restore, by_name, counts, prefix, recording)
