"""What TensorFlow 1's initializers share: a dtype of their own, and calls that know a partition."""

import inspect
from typing import Any, ClassVar

from numpy.typing import NDArray

from seedbed import initializers
from seedbed.initializers import DEFAULT_DTYPE, Seed
from seedbed.initializers.partitions import partition_of_info
from seedbed.spec.dtypes import Dtype, as_dtype
from seedbed.spec.errors import bad_value
from seedbed.spec.initializers import InitializerSpec


class Initializer(initializers.Initializer):
    """Fills tensors as TensorFlow 1's initializers do; the base of all.

    Successive calls give successive draws, and initializers of equal seed give equal sequences. The
    parts of a
    partitioned tensor belong to one draw: such calls do not go on to the next one.
    """

    module: ClassVar[str | None] = "seedbed.compat.v1.initializers"
    _repeats: ClassVar[bool] = False
    _meaningless: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self, spec: InitializerSpec, seed: Seed = None, dtype: Any = DEFAULT_DTYPE
    ) -> None:
        super().__init__(spec, seed)
        self._dtype = _default_dtype(spec, dtype)

    @property
    def dtype(self) -> Dtype:
        """The dtype of calls that name none."""
        return self._dtype

    def __call__(
        self, shape: Any, dtype: Any = None, partition_info: Any = None, **options: Any
    ) -> NDArray[Any]:
        """Return a tensor, or a part of one.

        Args:
            shape: the lengths of all axes; of the part, where there is a ``partition_info``.
            dtype: of the elements; None is the constructor's.
            partition_info: what part of what whole: an object with ``full_shape`` and
                ``var_offset``, such as TensorFlow's. The part is the exact slice of the whole, with
                the whole's fans.
            options: those of :meth:`seedbed.Initializer.__call__`.

        Raises:
            InvalidTypeError: if an argument has the wrong type.
            InvalidValueError: if a value is not allowed.
            TransportError: if a server's answer does not come.
        """
        whole, part = partition_of_info(shape, partition_info)
        if part is not None:
            options |= {"partition_shape": part.lengths, "partition_offset": part.starts}
        return super().__call__(whole, self._dtype if dtype is None else dtype, **options)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, fit for JSON; the dtype by its name."""
        config = {**super().get_config(), "dtype": self._dtype.value}
        return {
            name: config[name]
            for name in inspect.signature(type(self)).parameters
            if name in config
        }


def _default_dtype(spec: InitializerSpec, dtype: Any) -> Dtype:
    known = as_dtype(dtype)
    if known not in spec.dtypes:
        raise bad_value("dtype", "a floating dtype for " + spec.name(), known.value)
    return known
