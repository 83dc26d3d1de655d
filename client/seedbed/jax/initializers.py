"""The initializers of ``jax.nn.initializers``, under their names, sampled by seedbed.

Each takes JAX's parameters and has JAX's defaults and meanings, and what it returns is called as
JAX's are: ``init(key, shape, dtype, out_sharding)``. The key becomes a seed by the rule of
:mod:`seedbed.jax.seeds`, so that a tensor depends on key, shape, dtype and parameters only: not on
the layout, the device or JAX's version.

Where JAX differs from Keras, JAX is followed: a variance scaling's ``normal`` is not truncated,
``uniform`` begins at 0, and fans need two axes. Besides, empty shapes give empty arrays; complex
dtypes do not exist here.
"""

from collections.abc import Sequence
from typing import Any, Literal, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from seedbed.client import Client
from seedbed.defaults import check_client
from seedbed.jax.arrays import array_of_parts
from seedbed.jax.dtypes import dtype_in_jax
from seedbed.jax.shardings import as_traced_sharding, constrained, sharding_or_default
from seedbed.jax.tracing import UnseededTensor, fill
from seedbed.spec.dtypes import Dtype
from seedbed.spec.errors import bad_type, bad_value
from seedbed.spec.fans import FanAxes
from seedbed.spec.initializers import (
    DeltaOrthogonalSpec,
    InitializerSpec,
    OrthogonalSpec,
    RandomNormalSpec,
    RandomUniformSpec,
    TruncatedNormalSpec,
    VarianceScalingSpec,
)
from seedbed.spec.numbers import as_finite, as_int
from seedbed.spec.reasons import Reason
from seedbed.spec.shapes import as_ints, as_shape

__all__ = [
    "Initializer",
    "constant",
    "delta_orthogonal",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "kaiming_normal",
    "kaiming_uniform",
    "lecun_normal",
    "lecun_uniform",
    "normal",
    "ones",
    "orthogonal",
    "truncated_normal",
    "uniform",
    "variance_scaling",
    "xavier_normal",
    "xavier_uniform",
    "zeros",
]

Axes = int | Sequence[int]
Mode = Literal["fan_in", "fan_out", "fan_avg", "fan_geo_avg"]
Distribution = Literal["truncated_normal", "normal", "uniform"]

DISTRIBUTIONS: dict[str, Literal["truncated_normal", "untruncated_normal", "uniform"]] = {
    "truncated_normal": "truncated_normal",
    "normal": "untruncated_normal",
    "uniform": "uniform",
}
"""JAX's word for a distribution, and ours."""


class Initializer(Protocol):
    """What every function here is, or returns: JAX's protocol of the same name."""

    def __call__(
        self, key: Any, shape: Any, dtype: Any = None, out_sharding: Any = None
    ) -> jax.Array:
        """Return a tensor.

        Args:
            key: a key of JAX; it may be traced.
            shape: the lengths of all axes.
            dtype: of the elements.
            out_sharding: how the array lies on the devices: a sharding, or a PartitionSpec under
                ``jax.set_mesh``. Each device gets its part and nothing else is sampled.

        Raises:
            InvalidTypeError: if an argument has the wrong type.
            InvalidValueError: if a value is not allowed.
            TransportError: if a server's answer does not come; where JAX traced, JAX wraps it in an
                error of its own.
        """


def zeros(key: Any, shape: Any, dtype: Any = None, out_sharding: Any = None) -> jax.Array:
    """Return an array of zeros; the key is not looked at. See :class:`Initializer`."""
    del key
    return _filled(0, shape, dtype, out_sharding)


def ones(key: Any, shape: Any, dtype: Any = None, out_sharding: Any = None) -> jax.Array:
    """Return an array of ones; the key is not looked at. See :class:`Initializer`."""
    del key
    return _filled(1, shape, dtype, out_sharding)


def constant(value: Any, dtype: Any = None) -> Initializer:
    """Return an initializer of arrays full of a value.

    Args:
        value: a number, or an array that broadcasts to the shapes asked for. A floating dtype takes
            it rounded once; an integer dtype or bool must hold it exactly, else the call is an
            InvalidValueError.
        dtype: what the initializer fills where its call says none.
    """

    def init(key: Any, shape: Any, dtype: Any = dtype, out_sharding: Any = None) -> jax.Array:
        del key
        return _filled(value, shape, dtype, out_sharding)

    return init


def uniform(scale: Any = 1e-2, dtype: Any = None, *, client: Client | None = None) -> Initializer:
    """Return an initializer of uniform numbers on [0, scale).

    Args:
        scale: the upper end, excluded, 0 or more.
        dtype: what the initializer fills where its call says none.
        client: who samples; by default the one of :func:`seedbed.get_default_client`.
    """
    upper = as_finite("scale", scale)
    if upper < 0:
        raise bad_value("scale", "0 or more", upper)
    return _initializer(RandomUniformSpec(0.0, upper), dtype, client)


def normal(stddev: Any = 1e-2, dtype: Any = None, *, client: Client | None = None) -> Initializer:
    """Return an initializer of normal numbers with mean 0.

    Args:
        stddev: finite, 0 or more.
        dtype: what the initializer fills where its call says none.
        client: who samples; by default the one of :func:`seedbed.get_default_client`.
    """
    return _initializer(RandomNormalSpec(0.0, stddev), dtype, client)


def truncated_normal(
    stddev: Any = 1e-2,
    dtype: Any = None,
    lower: Any = -2.0,
    upper: Any = 2.0,
    *,
    client: Client | None = None,
) -> Initializer:
    """Return an initializer of normal numbers with mean 0, conditioned on lying within bounds.

    Args:
        stddev: before truncation, finite, 0 or more.
        dtype: what the initializer fills where its call says none.
        lower: the lower bound in standard deviations.
        upper: the upper bound in standard deviations.
        client: who samples; by default the one of :func:`seedbed.get_default_client`.
    """
    return _initializer(TruncatedNormalSpec(0.0, stddev, lower, upper), dtype, client)


def variance_scaling(
    scale: Any,
    mode: Mode,
    distribution: Distribution,
    in_axis: Axes = -2,
    out_axis: Axes = -1,
    batch_axis: Axes = (),
    dtype: Any = None,
    *,
    client: Client | None = None,
) -> Initializer:
    """Return an initializer of numbers with mean 0 and variance scale / fan.

    Args:
        scale: finite and positive.
        mode: which fan: ``fan_in``, ``fan_out``, or the mean of both, arithmetic (``fan_avg``) or
            geometric (``fan_geo_avg``).
        distribution: ``truncated_normal`` (at two standard deviations, and widened so that the
            variance is right), ``normal`` (not truncated) or ``uniform``.
        in_axis: the axes that are inputs. An axis that is among the outputs, too, counts for
            neither, as JAX's formula has it: so Flax initializes embeddings.
        out_axis: the axes that are outputs.
        batch_axis: axes that count for neither.
        dtype: what the initializer fills where its call says none.
        client: who samples; by default the one of :func:`seedbed.get_default_client`.
    """
    if distribution not in DISTRIBUTIONS:
        raise bad_value("distribution", "one of " + ", ".join(DISTRIBUTIONS), distribution)
    spec = VarianceScalingSpec(as_finite("scale", scale), mode, DISTRIBUTIONS[distribution])
    axes = [
        as_ints(name, value)
        for name, value in zip(AXES, (in_axis, out_axis, batch_axis), strict=True)
    ]
    check_client(client)

    def init(key: Any, shape: Any, dtype: Any = dtype, out_sharding: Any = None) -> jax.Array:
        element = dtype_in_jax(dtype)
        lengths = as_shape(shape, element.itemsize)
        return fill(
            UnseededTensor(spec, lengths, element, _fan_axes(axes, len(lengths)), client=client),
            key,
            out_sharding,
        )

    return init


def glorot_uniform(
    in_axis: Axes = -2,
    out_axis: Axes = -1,
    batch_axis: Axes = (),
    dtype: Any = None,
    *,
    client: Client | None = None,
) -> Initializer:
    """Return ``variance_scaling(1, "fan_avg", "uniform", ...)``: Glorot and Bengio 2010."""
    return variance_scaling(
        1.0, "fan_avg", "uniform", in_axis, out_axis, batch_axis, dtype, client=client
    )


def glorot_normal(
    in_axis: Axes = -2,
    out_axis: Axes = -1,
    batch_axis: Axes = (),
    dtype: Any = None,
    *,
    client: Client | None = None,
) -> Initializer:
    """Return ``variance_scaling(1, "fan_avg", "truncated_normal", ...)``: Glorot, Bengio 2010."""
    return variance_scaling(
        1.0, "fan_avg", "truncated_normal", in_axis, out_axis, batch_axis, dtype, client=client
    )


def lecun_uniform(
    in_axis: Axes = -2,
    out_axis: Axes = -1,
    batch_axis: Axes = (),
    dtype: Any = None,
    *,
    client: Client | None = None,
) -> Initializer:
    """Return ``variance_scaling(1, "fan_in", "uniform", ...)``: LeCun et al. 1998."""
    return variance_scaling(
        1.0, "fan_in", "uniform", in_axis, out_axis, batch_axis, dtype, client=client
    )


def lecun_normal(
    in_axis: Axes = -2,
    out_axis: Axes = -1,
    batch_axis: Axes = (),
    dtype: Any = None,
    *,
    client: Client | None = None,
) -> Initializer:
    """Return ``variance_scaling(1, "fan_in", "truncated_normal", ...)``: LeCun et al. 1998."""
    return variance_scaling(
        1.0, "fan_in", "truncated_normal", in_axis, out_axis, batch_axis, dtype, client=client
    )


def he_uniform(
    in_axis: Axes = -2,
    out_axis: Axes = -1,
    batch_axis: Axes = (),
    dtype: Any = None,
    *,
    client: Client | None = None,
) -> Initializer:
    """Return ``variance_scaling(2, "fan_in", "uniform", ...)``: He et al. 2015."""
    return variance_scaling(
        2.0, "fan_in", "uniform", in_axis, out_axis, batch_axis, dtype, client=client
    )


def he_normal(
    in_axis: Axes = -2,
    out_axis: Axes = -1,
    batch_axis: Axes = (),
    dtype: Any = None,
    *,
    client: Client | None = None,
) -> Initializer:
    """Return ``variance_scaling(2, "fan_in", "truncated_normal", ...)``: He et al. 2015."""
    return variance_scaling(
        2.0, "fan_in", "truncated_normal", in_axis, out_axis, batch_axis, dtype, client=client
    )


def orthogonal(
    scale: Any = 1.0, column_axis: int = -1, dtype: Any = None, *, client: Client | None = None
) -> Initializer:
    """Return an initializer of matrices with orthonormal columns, or rows, where there are fewer.

    Args:
        scale: multiplies every element, finite.
        column_axis: the axis of the columns; all others together are the rows.
        dtype: what the initializer fills where its call says none.
        client: who samples; by default the one of :func:`seedbed.get_default_client`.
    """
    spec = OrthogonalSpec(as_finite("scale", scale))
    column_axis = as_int("column_axis", column_axis)
    check_client(client)

    def init(key: Any, shape: Any, dtype: Any = dtype, out_sharding: Any = None) -> jax.Array:
        element = dtype_in_jax(dtype)
        lengths = as_shape(shape, element.itemsize)
        if len(lengths) >= 2:
            _check_axis("column_axis", column_axis, len(lengths))
        return fill(
            UnseededTensor(spec, lengths, element, last_axis=column_axis, client=client),
            key,
            out_sharding,
        )

    return init


def delta_orthogonal(
    scale: Any = 1.0, column_axis: int = -1, dtype: Any = None, *, client: Client | None = None
) -> Initializer:
    """Return an initializer of convolution kernels that keep lengths.

    An orthogonal matrix stands at the spatial centre, 0 elsewhere. Xiao et al. 2018. Shapes are
    ``(spatial..., in, out)``, one to three spatial axes, not more inputs than outputs.

    Args:
        scale: multiplies every element, finite.
        column_axis: which of the last two axes has the columns. The rows, of which there are not
            more, are orthonormal in either case, so the numbers are the same.
        dtype: what the initializer fills where its call says none.
        client: who samples; by default the one of :func:`seedbed.get_default_client`.
    """
    _check_axis("column_axis", as_int("column_axis", column_axis), 2)
    return _initializer(DeltaOrthogonalSpec(as_finite("scale", scale)), dtype, client)


kaiming_normal = he_normal
kaiming_uniform = he_uniform
xavier_normal = glorot_normal
xavier_uniform = glorot_uniform

AXES = ("in_axis", "out_axis", "batch_axis")


def _initializer(spec: InitializerSpec, dtype: Any, client: Client | None) -> Initializer:
    check_client(client)

    def init(key: Any, shape: Any, dtype: Any = dtype, out_sharding: Any = None) -> jax.Array:
        element = dtype_in_jax(dtype)
        return fill(
            UnseededTensor(spec, as_shape(shape, element.itemsize), element, client=client),
            key,
            out_sharding,
        )

    return init


def _fan_axes(axes: Sequence[tuple[int, ...]], rank: int) -> FanAxes:
    """Return the axes that give JAX's fans.

    For JAX, ``fan_in`` is the product of all lengths over those of outputs and batch, and
    ``fan_out`` that over those of inputs and batch. So an axis among inputs and outputs divides
    both, which is what a batch axis does.
    """
    for name, named in zip(AXES, axes, strict=True):
        for axis in named:
            _check_axis(name, axis, rank)
    ins, outs, batch = ([axis % rank for axis in named] for named in axes)
    both = [axis for axis in ins if axis in outs]
    return FanAxes(
        [i for i in ins if i not in both], [o for o in outs if o not in both], [*batch, *both]
    )


def _check_axis(name: str, axis: int, rank: int) -> None:
    if not -rank <= axis < rank:
        raise bad_value(name, f"an axis of the tensor, whose rank is {rank}", axis)


def _filled(value: Any, shape: Any, dtype: Any, out_sharding: Any) -> jax.Array:
    """Return an array full of a value; nobody needs to be asked for it."""
    element = dtype_in_jax(dtype)
    lengths = as_shape(shape, element.itemsize)
    rounded = _elements(value, element)
    elements = jnp.copy(rounded)  # traced wherever something is being traced
    if isinstance(elements, jax.core.Tracer):
        return constrained(
            jnp.broadcast_to(elements, lengths), as_traced_sharding(out_sharding, len(lengths))
        )
    sharding = sharding_or_default(out_sharding, len(lengths), field="out_sharding")
    if sharding is None:
        return jnp.broadcast_to(elements, lengths)
    filled = np.broadcast_to(rounded, lengths)
    return array_of_parts(lengths, element.numpy, sharding, lambda part: filled[part.index])


def _elements(value: Any, dtype: Dtype) -> NDArray[Any]:
    """Return a number, or an array of them, in a dtype.

    Raises:
        InvalidTypeError: if there are no numbers.
        InvalidValueError: if the dtype cannot hold one.
    """
    try:
        values = np.asarray(value)
        given = [
            item if isinstance(item, int) else float(item) for item in values.reshape(-1).tolist()
        ]
    except (TypeError, ValueError):
        raise bad_type("value", "a number, or an array of numbers", value) from None
    for each in given:
        if not dtype.holds(each):
            raise bad_value(
                "value", f"representable in {dtype.value}", each, reason=Reason.NOT_REPRESENTABLE
            )
    rounded = [dtype.rounded(each) if dtype.is_floating else each for each in given]
    return np.array(rounded, dtype.numpy).reshape(values.shape)
