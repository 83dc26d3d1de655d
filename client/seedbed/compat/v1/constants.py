"""TensorFlow 1's initializers whose elements are the same number everywhere."""

from typing import Any

from numpy.typing import NDArray

from seedbed.compat.v1.base import Initializer
from seedbed.initializers import DEFAULT_DTYPE
from seedbed.initializers.parameters import Parameter
from seedbed.spec import initializers as specs
from seedbed.spec.errors import bad_type
from seedbed.spec.shapes import as_ints


class Zeros(Initializer):
    """All elements 0. Every dtype.

    Args:
        dtype: of calls that name none.
    """

    def __init__(self, dtype: Any = DEFAULT_DTYPE) -> None:
        super().__init__(specs.ZerosSpec(), dtype=dtype)


class Ones(Initializer):
    """All elements 1. Every dtype.

    Args:
        dtype: of calls that name none.
    """

    def __init__(self, dtype: Any = DEFAULT_DTYPE) -> None:
        super().__init__(specs.OnesSpec(), dtype=dtype)


class Constant(Initializer):
    """All elements the same number. Every dtype that can hold it.

    Args:
        value: a finite number; lists and arrays, which TensorFlow lays out in the tensor, are an
            InvalidTypeError.
        dtype: of calls that name none.
        verify_shape: whether only a scalar's shape, which is the value's, is allowed.
    """

    value = Parameter[int | float]()

    def __init__(
        self, value: float = 0, dtype: Any = DEFAULT_DTYPE, verify_shape: bool = False
    ) -> None:
        super().__init__(specs.ConstantSpec(value), dtype=dtype)
        self._verify_shape = _as_bool(verify_shape)

    @property
    def verify_shape(self) -> bool:
        """Whether only a scalar's shape is allowed."""
        return self._verify_shape

    def __call__(
        self,
        shape: Any,
        dtype: Any = None,
        partition_info: Any = None,
        verify_shape: bool | None = None,
        **options: Any,
    ) -> NDArray[Any]:
        """Return a tensor, or a part of one; see the base.

        Args:
            shape: the lengths of all axes.
            dtype: of the elements; None is the constructor's.
            partition_info: what part of what whole.
            verify_shape: as the constructor's; None is that.
            options: those of :meth:`seedbed.Initializer.__call__`.

        Raises:
            InvalidTypeError: if the shape is to be verified and is not a scalar's.
        """
        is_verified = self._verify_shape if verify_shape is None else _as_bool(verify_shape)
        if is_verified and as_ints("shape", shape) != ():
            raise bad_type("shape", "(), the value's, where verify_shape is True", shape)
        return super().__call__(shape, dtype, partition_info, **options)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, fit for JSON."""
        return {**super().get_config(), "verify_shape": self._verify_shape}


def _as_bool(value: object) -> bool:
    if not isinstance(value, bool):
        raise bad_type("verify_shape", "a bool", value)
    return value
