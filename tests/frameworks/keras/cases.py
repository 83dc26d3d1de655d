"""The classes that Keras 3 and seedbed both have, as a table, and what the tests do with them."""

from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

import seedbed as sb
import seedbed.keras as sk


@dataclass(frozen=True)
class Case:
    """One class with arguments that are not the defaults."""

    name: str
    """Its name, the same in Keras and here."""
    arguments: dict[str, Any] = field(default_factory=dict)
    """Arguments without the seed."""
    shape: tuple[int, ...] = (6, 5)
    """A shape that it fills."""
    random: bool = True
    """Whether it takes a seed."""
    further: tuple[str, ...] = ()
    """Its other names in Keras, besides the one in snake_case."""

    @property
    def cls(self) -> Any:
        """The class here."""
        return getattr(sk, self.name)

    @property
    def theirs(self) -> Any:
        """Keras's class."""
        return getattr(keras.initializers, self.name)

    @property
    def alias(self) -> str:
        """Its name in snake_case."""
        return (
            "stft"
            if self.name == "STFT"
            else "".join(f"_{c.lower()}" if c.isupper() else c for c in self.name)[1:]
        )

    def seeded(self, seed: Any) -> dict[str, Any]:
        """Return the arguments of an example."""
        return {**self.arguments, "seed": seed} if self.random else dict(self.arguments)

    def example(self, seed: Any = 5) -> Any:
        """Return an instance of the class here."""
        return self.cls(**self.seeded(seed))

    def plain(self, seed: Any = 5) -> Any:
        """Return the default namespace's instance of the same arguments."""
        arguments = {**self.seeded(seed)}
        if "input_axes" in arguments:
            arguments |= {
                "in_axis": arguments.pop("input_axes"),
                "out_axis": arguments.pop("output_axes"),
            }
        return getattr(sb, self.name)(**arguments)

    def __str__(self) -> str:
        return self.name


CASES = (
    Case("Zeros", random=False),
    Case("Ones", random=False),
    Case("Constant", {"value": 2.5}, random=False),
    Case("Identity", {"gain": 2.5}, random=False, further=("IdentityInitializer",)),
    Case(
        "STFT",
        {"side": "imag", "window": "hamming", "scaling": "spectrum", "periodic": True},
        (16, 1, 9),
        random=False,
        further=("STFTInitializer",),
    ),
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
    Case("Orthogonal", {"gain": 2.5}, further=("OrthogonalInitializer",)),
)
RANDOM = tuple(case for case in CASES if case.random)
SCALING = tuple(case for case in CASES if case.name[:2] in ("Va", "Gl", "He", "Le"))


def _each(cases: tuple[Case, ...]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", cases, ids=str)


every_class = _each(CASES)
every_random_class = _each(RANDOM)
every_scaling_class = _each(SCALING)


def values(tensor: Any) -> NDArray[Any]:
    """Return a tensor of the backend, or a variable of a model, as an array."""
    return np.ascontiguousarray(keras.ops.convert_to_numpy(getattr(tensor, "value", tensor)))


def content(tensor: Any) -> bytes:
    """Return the bytes of a tensor of the backend."""
    return values(tensor).tobytes()
