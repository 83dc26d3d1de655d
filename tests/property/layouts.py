"""Shapes and axes, as Hypothesis draws them, for initializers that care what the axes are."""

from hypothesis import strategies as st

from seedbed.spec.fans import FanAxes
from seedbed.spec.initializers import (
    DeltaOrthogonalSpec,
    DiracSpec,
    IdentitySpec,
    InitializerSpec,
    OrthogonalSpec,
    SparseSpec,
    STFTSpec,
)

Layout = tuple[tuple[int, ...], FanAxes | None]
STRUCTURED = (DeltaOrthogonalSpec, DiracSpec, IdentitySpec, OrthogonalSpec, SparseSpec, STFTSpec)


@st.composite
def layouts(draw: st.DrawFn, fill: InitializerSpec, max_elements: int) -> Layout:
    """Draw a shape that an initializer can fill, of about so many elements, and its axes."""
    match fill:
        case STFTSpec():
            # A window of two elements may be zero.
            return (draw(st.sampled_from((0, 1, 3, 4, 9, 16))), 1, draw(st.integers(2, 17))), None
        case SparseSpec():
            rows = draw(st.integers(0, 60))
            return (rows, draw(st.integers(0, max_elements // max(60, rows)))), None
        case IdentitySpec() | OrthogonalSpec():
            return draw(_matrices(fill, max_elements))
        case DiracSpec(groups):
            outputs = groups * draw(st.integers(1, 3))
            return draw(_kernels(draw(st.integers(1, 4)), outputs))
        case _:
            inputs = draw(st.integers(1, 5))
            return draw(_kernels(inputs, draw(st.integers(inputs, 7))))


@st.composite
def _matrices(draw: st.DrawFn, fill: IdentitySpec | OrthogonalSpec, max_elements: int) -> Layout:
    rank = 2 if isinstance(fill, IdentitySpec) else draw(st.integers(2, 3))
    own = [draw(st.integers(1, int(max_elements ** (1 / (rank + 2))) + 1)) for _ in range(rank)]
    stacked = draw(st.lists(st.integers(1, 3), max_size=2))
    order = draw(
        st.permutations(
            [*((length, False) for length in own), *((length, True) for length in stacked)]
        )
    )
    if isinstance(fill, OrthogonalSpec) and fill.blocks > 1:
        order = [entry for entry in order if entry[1]]
        cut = (draw(st.integers(0, 3)) * fill.blocks, False)
        others = [(length, False) for length in own[1:]]
        order = [*order, *others, cut] if fill.block_axis == -1 else [cut, *order, *others]
    shape = tuple(length for length, _ in order)
    batch = tuple(axis for axis, (_, is_batch) in enumerate(order) if is_batch)
    return shape, FanAxes((), (), batch) if batch else None


@st.composite
def _kernels(draw: st.DrawFn, inputs: int, outputs: int) -> Layout:
    spatial = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    match draw(st.sampled_from(("keras", "torch", "stacked"))):
        case "keras":
            return (*spatial, inputs, outputs), None
        case "torch":
            return (outputs, inputs, *spatial), FanAxes(in_axis=1, out_axis=0)
        case _:
            place = draw(st.integers(0, len(spatial)))
            shape = (*spatial[:place], draw(st.integers(1, 3)), *spatial[place:], inputs, outputs)
            return shape, FanAxes(batch_axis=place)


@st.composite
def plain_layouts(draw: st.DrawFn, shape: tuple[int, ...], *, has_axes: bool) -> Layout:
    """Draw what the axes of a shape are, for an initializer that takes any."""
    if len(shape) < 2 or not has_axes or not draw(st.booleans()):
        return shape, None
    order = draw(st.permutations(range(len(shape))))
    batch = tuple(order[2 : draw(st.integers(2, len(shape)))])
    return shape, FanAxes((order[0],), (order[1] - len(shape),), batch)
