"""What fills a tensor with a random orthogonal matrix."""

from dataclasses import dataclass

from seedbed.wire.dtypes import Dtype
from seedbed.wire.errors import bad_value
from seedbed.wire.initializers.base import InitializerSpec, check_magnitude, parameter


@dataclass(frozen=True, slots=True)
class OrthogonalSpec(InitializerSpec):
    """A random matrix with orthonormal rows or columns, times a gain. Saxe et al. 2014, arXiv:1312.6120."""

    gain: float = parameter(1.0, "Multiplies every element, finite.")

    def __post_init__(self) -> None:
        self._finite("gain")

    def check(self, shape: tuple[int, ...], dtype: Dtype) -> None:
        """Raise unless there are two axes or more; all but the last are the rows."""
        InitializerSpec.check(self, shape, dtype)
        if len(shape) < 2:
            raise bad_value("shape", "of two axes or more for Orthogonal", shape)
        check_magnitude("gain", self.gain, 2 * abs(self.gain), dtype)
