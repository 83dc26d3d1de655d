"""A description's figures in words."""

from seedbed.reports.distributions import exact_distribution
from seedbed.spec.info import TensorDescription
from seedbed.spec.initializers import (
    DeltaOrthogonalSpec,
    DiracSpec,
    InitializerSpec,
    OrthogonalSpec,
    SparseSpec,
    STFTSpec,
)


def initializer_text(initializer: InitializerSpec) -> str:
    """Return an initializer as it would be written in Python."""
    return str(initializer)


def fans_text(description: TensorDescription) -> str:
    """Return the fans, or nothing where they do not matter."""
    if description.fan_in is None or description.fan_out is None:
        return ""
    return f"in {description.fan_in:.15g}, out {description.fan_out:.15g}"


def distribution_text(initializer: InitializerSpec, description: TensorDescription) -> str:
    """Return the elements' distribution, with its limit or its standard deviation and bounds."""
    exact = exact_distribution(description)
    if exact is not None:
        return exact.label
    match initializer:
        case OrthogonalSpec(gain):
            return f"orthonormal rows or columns, times {gain:g}"
        case DeltaOrthogonalSpec(gain):
            return f"orthonormal rows at the centre, times {gain:g}, 0 elsewhere"
        case SparseSpec(sparsity, stddev, axis):
            return (
                f"{sparsity:g} of each {('column', 'row')[axis]} 0, "
                f"else normal, mean 0, stddev {stddev:g}"
            )
        case STFTSpec(side, window):
            return f"{side} part of a Fourier transform, {window or 'no'} window"
        case DiracSpec():
            return "1 where inputs are passed on, 0 elsewhere"
    value = next(
        (v for v in (description.value, description.mean, description.minval) if v is not None), 0.0
    )
    place = "on the diagonal, 0 elsewhere" if initializer.name() == "Identity" else "everywhere"
    return f"{value:g} {place}"
