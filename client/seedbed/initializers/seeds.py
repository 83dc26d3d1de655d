"""The seeds of initializers: a user's, 64 random bits, or a generator of draws."""

import os
import threading
from collections.abc import Mapping
from typing import Any, SupportsIndex

from seedbed.spec.errors import bad_type
from seedbed.spec.named_arguments import NamedArguments
from seedbed.spec.numbers import as_int
from seedbed.spec.seeds import as_draw, as_seed


def random_seed() -> int:
    """Return 64 random bits from the operating system."""
    return int.from_bytes(os.urandom(8), "little")


class SeedGenerator(metaclass=NamedArguments):
    """A seed whose every use is the next draw, and whose position survives serialization.

    Give one generator to several initializers and each call of any of them gets numbers of its own,
    in a sequence that a restart continues. A call that names its tensor does not move the
    generator.

    Args:
        seed: -2**63 to 2**64 - 1; None draws 64 random bits, which are not taken for a seed by a
            TensorSpec or a manifest.
        position: how many draws have been handed out, 0 to 2**64 - 1.

    Raises:
        InvalidTypeError: if an argument is not an integer.
        InvalidValueError: if it is out of range.

    Example:
        >>> generator = SeedGenerator(7)
        >>> generator.next_draw(), generator.next_draw(), generator.position
        (0, 1, 2)
    """

    def __init__(self, seed: SupportsIndex | None = None, position: int = 0) -> None:
        self._was_drawn = seed is None
        self._seed = random_seed() if seed is None else as_int("seed", seed)
        as_seed(self._seed)
        self._position = as_draw(position, field="position")
        self._lock = threading.Lock()

    @property
    def seed(self) -> int:
        """The seed of all draws."""
        return self._seed

    @property
    def was_drawn(self) -> bool:
        """Whether the seed is 64 random bits of this process, and not a given one."""
        return self._was_drawn

    @property
    def position(self) -> int:
        """How many draws have been handed out."""
        return self._position

    def next_draw(self) -> int:
        """Return the next draw's number. Safe to call from several threads."""
        with self._lock:
            draw = self._position
            self._position += 1
            return draw

    def get_config(self) -> dict[str, Any]:
        """Return what :meth:`from_config` needs: the seed and the position."""
        return {"seed": self._seed, "position": self._position}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "SeedGenerator":
        """Return a generator that goes on where the other one was.

        Raises:
            InvalidTypeError: if the configuration is no dictionary, or has an argument that does
                not exist.
        """
        if not isinstance(config, dict) or not config.keys() <= {"seed", "position"}:
            raise bad_type("config", "a dictionary with seed and position", config)
        return cls(**config)

    # Locks can be neither copied nor pickled; a copy has its own.
    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=threading.Lock())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SeedGenerator) and self.get_config() == other.get_config()

    def __hash__(self) -> int:
        return hash((SeedGenerator, self._seed))

    def __repr__(self) -> str:
        return f"SeedGenerator(seed={self._seed}, position={self._position})"
