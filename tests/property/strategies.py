"""Requests as Hypothesis draws them: specs and slices of every initializer and dtype."""

import math

from hypothesis import strategies as st

from seedbed.spec.initializers import (
    INITIALIZERS,
    ConstantSpec,
    DiracSpec,
    IdentitySpec,
    InitializerSpec,
    KaimingNormalSpec,
    KaimingUniformSpec,
    OrthogonalSpec,
    RandomNormalSpec,
    RandomUniformSpec,
    SparseSpec,
    STFTSpec,
    TruncatedNormalSpec,
    VarianceScalingSpec,
    XavierNormalSpec,
    XavierUniformSpec,
)
from seedbed.spec.slices import TensorSlice
from seedbed.spec.tensors import TensorSpec
from tests.property.layouts import STRUCTURED, layouts, plain_layouts
from tests.specs import example

FILLS: list[InitializerSpec] = [
    *(example(kind) for kind in INITIALIZERS.values() if kind is not ConstantSpec),
    ConstantSpec(1),
    ConstantSpec(1.0),
    IdentitySpec(0.0),
    OrthogonalSpec(-0.5),
    OrthogonalSpec(1.0, 3),
    OrthogonalSpec(1.0, 2, 0),
    DiracSpec(2),
    SparseSpec(0.7, 2.0, 1),
    STFTSpec("imag", "flattop", "spectrum", True),
    STFTSpec("real", None, None),
    RandomNormalSpec(-3.0, 0.25),
    RandomUniformSpec(-1.0, 7.0),
    RandomUniformSpec(2.0, 2.0),
    TruncatedNormalSpec(0.5, 2.0, -0.25, 3.5),
    TruncatedNormalSpec(0.0, 1.0, -math.inf, 1.0),
    VarianceScalingSpec(0.3, "fan_avg", "untruncated_normal"),
    VarianceScalingSpec(5.0, "fan_out", "uniform"),
    VarianceScalingSpec(2.0, "fan_geo_avg", lower=-0.5, upper=math.inf),
    XavierUniformSpec(5 / 3),
    XavierNormalSpec(0.0),
    KaimingUniformSpec(0.2, "fan_out"),
    KaimingNormalSpec(nonlinearity="tanh"),
]

NAMES = st.one_of(st.sampled_from(["", "w", "layers.0/weight:0", "é" * 300]), st.text(max_size=8))


@st.composite
def shapes(
    draw: st.DrawFn, max_elements: int, *, min_rank: int = 0, max_rank: int = 5
) -> tuple[int, ...]:
    """Draw a shape of at most so many elements; one in ten is empty."""
    rank = draw(st.integers(min_rank, max_rank))
    shape: list[int] = []
    for axis in range(rank):
        room = max_elements // math.prod(shape)
        # The axes share what room there is, so that not the first alone is long.
        longest = room if axis == rank - 1 else max(1, int(room**0.6))
        shape.append(draw(st.integers(1, longest)))
    if shape and draw(st.integers(0, 9)) == 9:
        shape[draw(st.integers(0, rank - 1))] = 0
    return tuple(draw(st.permutations(shape)))


@st.composite
def specs(draw: st.DrawFn, max_elements: int = 3000) -> TensorSpec:
    """Draw all that a tensor's content depends on."""
    fill = draw(st.sampled_from(FILLS))
    if isinstance(fill, STRUCTURED):
        shape, axes = draw(layouts(fill, max_elements))
    else:
        shape, axes = draw(plain_layouts(draw(shapes(max_elements)), has_axes=fill.random))
    return TensorSpec(
        name=draw(NAMES),
        shape=shape,
        dtype=draw(st.sampled_from(fill.dtypes)),
        initializer=fill,
        seed=draw(st.integers(-(2**63), 2**64 - 1)),
        draw=draw(st.one_of(st.just(0), st.integers(0, 2**64 - 1))),
        fan_axes=axes,
    )


@st.composite
def slices(draw: st.DrawFn, shape: tuple[int, ...]) -> TensorSlice:
    """Draw a rectangle of a shape; some are empty, some are the whole."""
    shortest = 0 if draw(st.integers(0, 9)) == 9 else 1
    lengths = [draw(st.integers(min(shortest, length), length)) for length in shape]
    starts = [
        draw(st.integers(0, whole - length)) for whole, length in zip(shape, lengths, strict=True)
    ]
    return TensorSlice(tuple(starts), tuple(lengths))


@st.composite
def specs_and_slices(draw: st.DrawFn, max_elements: int = 3000) -> tuple[TensorSpec, TensorSlice]:
    """Draw a spec and a rectangle of it."""
    spec = draw(specs(max_elements))
    return spec, draw(slices(spec.shape))
