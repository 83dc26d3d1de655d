"""The roles of a shape's axes: a batch of matrices, or of convolution kernels."""

from dataclasses import dataclass

from seedbed.spec.errors import bad_value
from seedbed.spec.fans import FanAxes

SMALLEST_KERNEL_RANK = 3
LARGEST_KERNEL_RANK = 5


def matrix_axes(shape: tuple[int, ...], axes: FanAxes | None) -> tuple[int, ...]:
    """Return the axes that are not the batch's, counted from the front."""
    batch = axes.resolve(len(shape)).batch_axis if axes is not None else ()
    return tuple(axis for axis in range(len(shape)) if axis not in batch)


@dataclass(frozen=True, slots=True)
class KernelAxes:
    """The axes of a convolution kernel, counted from the front; all others are the batch."""

    spatial: tuple[int, ...]
    """In order."""
    in_axis: int
    out_axis: int


def kernel_axes(name: str, shape: tuple[int, ...], axes: FanAxes | None) -> KernelAxes:
    """Return the axes of a kernel of one to three spatial axes.

    Without axes the layout is ``(spatial..., in, out)``.

    Args:
        name: of the initializer that asks.
        shape: of the whole tensor.
        axes: what the axes are, if that was said.

    Raises:
        InvalidValueError: if the rank is another, or there is not one axis of inputs and one of
            outputs.
    """
    own = matrix_axes(shape, axes)
    if not SMALLEST_KERNEL_RANK <= len(own) <= LARGEST_KERNEL_RANK:
        ranks = f"{SMALLEST_KERNEL_RANK} to {LARGEST_KERNEL_RANK}"
        raise bad_value(
            "shape",
            f"a convolution kernel's for {name}: {ranks} axes besides those of the batch",
            shape,
        )
    chosen = (axes or FanAxes()).resolve(len(shape))
    for field in ("in_axis", "out_axis"):
        if len(getattr(chosen, field)) != 1:
            raise bad_value(field, f"one axis for {name}", getattr(chosen, field))
    in_axis, out_axis = chosen.in_axis[0], chosen.out_axis[0]
    return KernelAxes(
        tuple(axis for axis in own if axis not in (in_axis, out_axis)), in_axis, out_axis
    )
