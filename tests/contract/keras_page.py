"""Keras 2's page "Layer weight initializers" as a table, and the classes used the same way.

LecunNormal and LecunUniform are Keras's too, STFT is Keras 3's, DeltaOrthogonal is JAX's; Dirac,
Sparse and those with a gain are PyTorch's.
"""

from dataclasses import dataclass, field
from typing import Any

import pytest
from numpy.typing import NDArray

import seedbed as sb

SHAPE = (4, 3)


@dataclass(frozen=True)
class Page:
    """One class of the page."""

    cls: type[Any]
    """The class here."""
    alias: str
    """Its name in snake_case."""
    signature: str
    """The arguments and defaults, word for word."""
    extras: tuple[str, ...] = ()
    """Keyword arguments that Keras does not have."""
    other: dict[str, Any] = field(default_factory=dict)
    """Arguments, without the seed, that are not the defaults."""
    random: bool = True
    """Whether it has a seed."""
    repeats: bool = False
    """Whether the page promises the same values across calls."""
    shape: tuple[int, ...] = SHAPE
    """What it can fill."""
    axes: dict[str, Any] = field(
        default_factory=lambda: {"in_axis": [1], "out_axis": [0], "batch_axis": []}
    )
    """How a configuration writes input axis 1 and output axis 0."""
    required: dict[str, Any] = field(default_factory=dict)
    """Arguments without a default."""

    @property
    def name(self) -> str:
        """The class's name."""
        return self.cls.__name__

    def make(self, **arguments: Any) -> Any:
        """Return an instance with defaults for all that is not given and has one."""
        return self.cls(**self.required, **arguments)

    def example(self, seed: Any = 5) -> Any:
        """Return an instance with arguments that are not the defaults."""
        return self.cls(**self.other, **({"seed": seed} if self.random else {}))


SEED = "(seed=None)"
AXES = ("in_axis", "out_axis", "batch_axis")

PAGES = (
    Page(
        sb.RandomNormal,
        "random_normal",
        "(mean=0.0, stddev=0.05, seed=None)",
        other={"mean": 1.5, "stddev": 0.25},
        repeats=True,
    ),
    Page(
        sb.RandomUniform,
        "random_uniform",
        "(minval=-0.05, maxval=0.05, seed=None)",
        other={"minval": -1.0, "maxval": 3.0},
        repeats=True,
    ),
    Page(
        sb.TruncatedNormal,
        "truncated_normal",
        "(mean=0.0, stddev=0.05, seed=None)",
        extras=("lower", "upper"),
        other={"mean": 1.5, "stddev": 0.25, "lower": -1.0, "upper": 3.0},
        repeats=True,
    ),
    Page(sb.Zeros, "zeros", "()", random=False),
    Page(sb.Ones, "ones", "()", random=False),
    Page(sb.GlorotNormal, "glorot_normal", SEED),
    Page(sb.GlorotUniform, "glorot_uniform", SEED),
    Page(sb.HeNormal, "he_normal", SEED),
    Page(sb.HeUniform, "he_uniform", SEED),
    Page(sb.LecunNormal, "lecun_normal", SEED),
    Page(sb.LecunUniform, "lecun_uniform", SEED),
    Page(
        sb.Identity,
        "identity",
        "(gain=1.0)",
        extras=("batch_axis",),
        other={"gain": 2.5},
        random=False,
    ),
    Page(
        sb.Orthogonal,
        "orthogonal",
        "(gain=1.0, seed=None)",
        extras=("batch_axis", "blocks", "block_axis"),
        other={"gain": 2.5, "blocks": 2, "block_axis": 0},
        repeats=True,
    ),
    Page(sb.Constant, "constant", "(value=0)", other={"value": 2.7}, random=False),
    Page(
        sb.VarianceScaling,
        "variance_scaling",
        "(scale=1.0, mode='fan_in', distribution='truncated_normal', seed=None)",
        extras=(*AXES, "lower", "upper"),
        other={
            "scale": 2.0,
            "mode": "fan_geo_avg",
            "distribution": "truncated_normal",
            "in_axis": 1,
            "out_axis": 0,
            "lower": -1.0,
            "upper": 3.0,
        },
        repeats=True,
    ),
    Page(
        sb.XavierUniform,
        "xavier_uniform",
        "(gain=1.0, seed=None)",
        extras=AXES,
        other={"gain": 0.5},
        repeats=True,
    ),
    Page(
        sb.XavierNormal,
        "xavier_normal",
        "(gain=1.0, seed=None)",
        extras=AXES,
        other={"gain": 0.5, "in_axis": 1, "out_axis": 0},
        repeats=True,
    ),
    Page(
        sb.KaimingUniform,
        "kaiming_uniform",
        "(a=0.0, mode='fan_in', nonlinearity='leaky_relu', seed=None)",
        extras=AXES,
        other={"a": 0.2, "mode": "fan_out", "nonlinearity": "leaky_relu"},
        repeats=True,
    ),
    Page(
        sb.KaimingNormal,
        "kaiming_normal",
        "(a=0.0, mode='fan_in', nonlinearity='leaky_relu', seed=None)",
        extras=AXES,
        other={"a": 0.0, "mode": "fan_in", "nonlinearity": "tanh", "in_axis": 1, "out_axis": 0},
        repeats=True,
    ),
    Page(
        sb.DeltaOrthogonal,
        "delta_orthogonal",
        "(gain=1.0, seed=None)",
        other={"gain": 2.5},
        repeats=True,
        shape=(3, 4, 5),
    ),
    Page(
        sb.Dirac,
        "dirac",
        "(groups=1)",
        extras=("in_axis", "out_axis"),
        other={"groups": 2, "in_axis": 1, "out_axis": 0},
        random=False,
        shape=(4, 6, 8),
        axes={"in_axis": 1, "out_axis": 0},
    ),
    Page(
        sb.Sparse,
        "sparse",
        "(sparsity, stddev=0.01, axis=0, seed=None)",
        required={"sparsity": 0.5},
        other={"sparsity": 0.25, "stddev": 2.0, "axis": 1},
        repeats=True,
    ),
    Page(
        sb.STFT,
        "stft",
        "(side='real', window='hann', scaling='density', periodic=False)",
        other={"side": "imag", "window": None, "scaling": "spectrum", "periodic": True},
        random=False,
        shape=(4, 1, 3),
    ),
)

RANDOM = tuple(page for page in PAGES if page.random)


def _each(pages: tuple[Page, ...]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("page", pages, ids=[page.alias for page in pages])


every_class = _each(PAGES)
every_random_class = _each(RANDOM)
every_fixed_class = _each(tuple(page for page in PAGES if not page.random))
every_repeating_class = _each(tuple(page for page in RANDOM if page.repeats))
every_advancing_class = _each(tuple(page for page in RANDOM if not page.repeats))


def shape_for(initializer: Any) -> tuple[int, ...]:
    """Return what an instance of a class can fill."""
    return next(page.shape for page in PAGES if page.cls is type(initializer))


def content(array: NDArray[Any]) -> bytes:
    """Return a value that two arrays of one shape and dtype share only if their bits are equal."""
    return array.tobytes()
