"""The classes of the Keras 2 page, as a table: tf_keras's and the default namespace's."""

from dataclasses import dataclass, field
from typing import Any

import pytest
import tf_keras

import seedbed as sb


@dataclass(frozen=True)
class Case:
    """One class with arguments that are not the defaults."""

    name: str
    """Its name, the same in both."""
    arguments: dict[str, Any] = field(default_factory=dict)
    """Arguments without the seed."""
    random: bool = True
    """Whether it takes a seed."""

    @property
    def ours(self) -> Any:
        """The class here."""
        return getattr(sb, self.name)

    @property
    def theirs(self) -> Any:
        """tf_keras's class."""
        return getattr(tf_keras.initializers, self.name)

    def seeded(self, seed: int = 5) -> dict[str, Any]:
        """Return the arguments of an example."""
        return {**self.arguments, "seed": seed} if self.random else dict(self.arguments)

    def __str__(self) -> str:
        return self.name


CASES = (
    Case("Zeros", random=False),
    Case("Ones", random=False),
    Case("Constant", {"value": 2.5}, random=False),
    Case("Identity", {"gain": 2.5}, random=False),
    Case("RandomNormal", {"mean": 1.5, "stddev": 0.25}),
    Case("RandomUniform", {"minval": -1.0, "maxval": 3.0}),
    Case("TruncatedNormal", {"mean": 1.5, "stddev": 0.25}),
    Case("VarianceScaling", {"scale": 2.0, "mode": "fan_out", "distribution": "uniform"}),
    Case("GlorotNormal"),
    Case("GlorotUniform"),
    Case("HeNormal"),
    Case("HeUniform"),
    Case("LecunNormal"),
    Case("LecunUniform"),
    Case("Orthogonal", {"gain": 2.5}),
)
RANDOM = tuple(case for case in CASES if case.random)


def _each(cases: tuple[Case, ...]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", cases, ids=str)


every_class = _each(CASES)
every_random_class = _each(RANDOM)
every_scaling_class = _each(
    tuple(case for case in CASES if case.name[:2] in ("Va", "Gl", "He", "Le"))
)
