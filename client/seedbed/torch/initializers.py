"""The functions of torch.nn.init, with its parameters, defaults and errors, filled by seedbed.

Each returns its tensor. Beside torch's parameters the random ones take, by keyword only:

- ``seed``: 64 bits. Without one, 64 bits are drawn from ``generator``, or without that from torch's
  default generator of the CPU: ``torch.manual_seed`` makes programs repeat as torch's own functions
  do.
- ``name``, ``draw``: part of the content, as everywhere in seedbed; no name and draw 0 by default.
- ``client``: who samples; by default that of :func:`seedbed.get_default_client`. All functions take
  it.

The content is a function of these, the parameters, the shape and the dtype only. So a DTensor gets
the same numbers whatever its mesh and placements; each rank asks for its shard alone. Without a
seed, the first rank's 64 bits count for all ranks of the mesh, which is a collective call.
"""

import warnings

import torch

from seedbed.client import Client
from seedbed.spec import gains
from seedbed.spec.dtypes import as_dtype
from seedbed.spec.errors import bad_value
from seedbed.spec.gains import NonlinearityName, as_nonlinearity
from seedbed.spec.initializers import (
    ConstantSpec,
    DiracSpec,
    IdentitySpec,
    KaimingNormalSpec,
    KaimingSpec,
    KaimingUniformSpec,
    OneFanMode,
    OnesSpec,
    OrthogonalSpec,
    RandomNormalSpec,
    RandomUniformSpec,
    SparseSpec,
    XavierNormalSpec,
    XavierSpec,
    XavierUniformSpec,
    ZerosSpec,
)
from seedbed.spec.numbers import as_finite
from seedbed.torch.eager import eager, level_of_caller
from seedbed.torch.errors import as_torch_says
from seedbed.torch.inplace import Seeding, checked, fill
from seedbed.torch.truncation import truncated_normal


def calculate_gain(nonlinearity: NonlinearityName, param: float | None = None) -> float:
    """Return the gain of a nonlinearity; see :func:`seedbed.calculate_gain`.

    Raises:
        InvalidValueError: if there is no such nonlinearity, or ``param`` is no number.
    """
    with as_torch_says(values=("param", "nonlinearity")):
        return gains.calculate_gain(nonlinearity, param)


@eager
def uniform_(
    tensor: torch.Tensor,
    a: float = 0.0,
    b: float = 1.0,
    generator: torch.Generator | None = None,
    *,
    seed: int | None = None,
    name: str = "",
    draw: int = 0,
    client: Client | None = None,
) -> torch.Tensor:
    """Fill a tensor with uniform numbers on [a, b).

    Raises:
        OutOfRangeError: if ``b`` is below ``a``, or the dtype cannot hold one.
    """
    with as_torch_says({"minval": "a", "maxval": "b"}):
        a, b = as_finite("a", a), as_finite("b", b)
        if b < a:
            raise bad_value("b", f"at least a ({a})", b)
        return fill(tensor, RandomUniformSpec(a, b), Seeding(generator, seed, name, draw, client))


@eager
def normal_(
    tensor: torch.Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    generator: torch.Generator | None = None,
    *,
    seed: int | None = None,
    name: str = "",
    draw: int = 0,
    client: Client | None = None,
) -> torch.Tensor:
    """Fill a tensor with normal numbers.

    Raises:
        OutOfRangeError: if ``std`` is negative, or a number could overflow the dtype.
    """
    with as_torch_says({"stddev": "std"}):
        return fill(
            tensor, RandomNormalSpec(mean, std), Seeding(generator, seed, name, draw, client)
        )


@eager
def trunc_normal_(
    tensor: torch.Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: torch.Generator | None = None,
    *,
    seed: int | None = None,
    name: str = "",
    draw: int = 0,
    client: Client | None = None,
) -> torch.Tensor:
    """Fill a tensor with normal numbers, conditioned on lying within [a, b].

    The bounds are values, not standard deviations. The distribution is exact wherever the bounds
    lie, so there is no warning where torch has one.

    Raises:
        OutOfRangeError: if ``std`` is not positive, ``b`` not above ``a``, or the nearer bound more
            than 4 standard deviations from the mean.
    """
    with as_torch_says({"stddev": "std", "lower": "a", "upper": "b"}):
        spec = truncated_normal(mean, std, a, b, as_dtype(checked(tensor).dtype))
        return fill(tensor, spec, Seeding(generator, seed, name, draw, client))


@eager
def constant_(tensor: torch.Tensor, val: float, *, client: Client | None = None) -> torch.Tensor:
    """Fill a tensor with a number.

    Raises:
        OutOfRangeError: if the dtype cannot hold it: integers exactly, floats without overflow.
    """
    with as_torch_says({"value": "val"}):
        return fill(tensor, ConstantSpec(val), Seeding(client=client))


@eager
def ones_(tensor: torch.Tensor, *, client: Client | None = None) -> torch.Tensor:
    """Fill a tensor with 1."""
    with as_torch_says():
        return fill(tensor, OnesSpec(), Seeding(client=client))


@eager
def zeros_(tensor: torch.Tensor, *, client: Client | None = None) -> torch.Tensor:
    """Fill a tensor with 0."""
    with as_torch_says():
        return fill(tensor, ZerosSpec(), Seeding(client=client))


@eager
def eye_(tensor: torch.Tensor, *, client: Client | None = None) -> torch.Tensor:
    """Fill a matrix with the identity: 1 on its diagonal, 0 elsewhere.

    Raises:
        InvalidValueError: unless the tensor has two dimensions.
    """
    with as_torch_says():
        return fill(tensor, IdentitySpec(), Seeding(client=client))


@eager
def xavier_uniform_(
    tensor: torch.Tensor,
    gain: float = 1.0,
    generator: torch.Generator | None = None,
    *,
    seed: int | None = None,
    name: str = "",
    draw: int = 0,
    client: Client | None = None,
) -> torch.Tensor:
    """Fill a tensor with uniform numbers, scaled by both fans.

    They lie on [-limit, limit), limit = gain sqrt(6 / (fan_in + fan_out)). Glorot and Bengio 2010.
    A zero-size tensor stays as it is, where torch divides by zero.

    Raises:
        InvalidValueError: if the tensor has fewer than two dimensions.
        OutOfRangeError: if ``gain`` is negative.
    """
    return _xavier(tensor, XavierUniformSpec, gain, Seeding(generator, seed, name, draw, client))


@eager
def xavier_normal_(
    tensor: torch.Tensor,
    gain: float = 1.0,
    generator: torch.Generator | None = None,
    *,
    seed: int | None = None,
    name: str = "",
    draw: int = 0,
    client: Client | None = None,
) -> torch.Tensor:
    """Fill a tensor with normal numbers, scaled by both fans and not truncated.

    Their standard deviation is gain sqrt(2 / (fan_in + fan_out)). Glorot and Bengio 2010. A
    zero-size tensor stays as it is, where torch divides by zero.

    Raises:
        InvalidValueError: if the tensor has fewer than two dimensions.
        OutOfRangeError: if ``gain`` is negative.
    """
    return _xavier(tensor, XavierNormalSpec, gain, Seeding(generator, seed, name, draw, client))


@eager
def kaiming_uniform_(
    tensor: torch.Tensor,
    a: float = 0,
    mode: OneFanMode = "fan_in",
    nonlinearity: NonlinearityName = "leaky_relu",
    generator: torch.Generator | None = None,
    *,
    seed: int | None = None,
    name: str = "",
    draw: int = 0,
    client: Client | None = None,
) -> torch.Tensor:
    """Fill a tensor with uniform numbers, scaled by one fan.

    They lie on [-limit, limit), limit = gain sqrt(3 / fan). He et al. 2015.

    Args:
        tensor: what is filled.
        a: the negative slope, for ``leaky_relu``.
        mode: ``fan_in`` or ``fan_out``.
        nonlinearity: decides the gain; see :func:`calculate_gain`.
        generator: where the seed is drawn from if there is none.
        seed: 64 bits.
        name: part of the content.
        draw: the n-th use of one seed and name.
        client: who samples.

    Raises:
        InvalidValueError: if the tensor has fewer than two dimensions, or an argument is not
            allowed.
    """
    return _kaiming(
        tensor,
        KaimingUniformSpec,
        a,
        mode,
        nonlinearity,
        Seeding(generator, seed, name, draw, client),
    )


@eager
def kaiming_normal_(
    tensor: torch.Tensor,
    a: float = 0,
    mode: OneFanMode = "fan_in",
    nonlinearity: NonlinearityName = "leaky_relu",
    generator: torch.Generator | None = None,
    *,
    seed: int | None = None,
    name: str = "",
    draw: int = 0,
    client: Client | None = None,
) -> torch.Tensor:
    """Fill a tensor with normal numbers, scaled by one fan and not truncated.

    Their standard deviation is gain / sqrt(fan). He et al. 2015. The arguments are those of
    :func:`kaiming_uniform_`.

    Raises:
        InvalidValueError: if the tensor has fewer than two dimensions, or an argument is not
            allowed.
    """
    return _kaiming(
        tensor,
        KaimingNormalSpec,
        a,
        mode,
        nonlinearity,
        Seeding(generator, seed, name, draw, client),
    )


@eager
def orthogonal_(
    tensor: torch.Tensor,
    gain: float = 1,
    generator: torch.Generator | None = None,
    *,
    seed: int | None = None,
    name: str = "",
    draw: int = 0,
    client: Client | None = None,
) -> torch.Tensor:
    """Fill a tensor with a matrix of orthonormal rows or columns, times ``gain``.

    Those are orthonormal of which there are fewer. As in torch, the first axis is the rows, and all
    others are the columns, flattened. Saxe et al. 2014.

    Raises:
        InvalidValueError: if the tensor has fewer than two dimensions.
    """
    with as_torch_says():
        return fill(tensor, OrthogonalSpec(gain), Seeding(generator, seed, name, draw, client))


@eager
def dirac_(tensor: torch.Tensor, groups: int = 1, *, client: Client | None = None) -> torch.Tensor:
    """Fill a convolution's kernel so that it passes its inputs on.

    In each group it passes on as many as there are outputs.

    Raises:
        InvalidValueError: unless the tensor has 3, 4 or 5 dimensions, or if ``groups`` does not
            divide the outputs.
    """
    with as_torch_says():
        return fill(tensor, DiracSpec(groups), Seeding(client=client))


@eager
def sparse_(
    tensor: torch.Tensor,
    sparsity: float,
    std: float = 0.01,
    generator: torch.Generator | None = None,
    *,
    seed: int | None = None,
    name: str = "",
    draw: int = 0,
    client: Client | None = None,
) -> torch.Tensor:
    """Fill a matrix with normal numbers, and the part ``sparsity`` of each column with zeros.

    Their number is rounded up. Both the numbers and the places of the zeros follow from the seed,
    or from ``generator``; torch takes the places from its default generator whatever is given.
    Martens 2010.

    Raises:
        InvalidValueError: unless the tensor has two dimensions and ``sparsity`` is from 0 to 1.
        OutOfRangeError: if ``std`` is negative.
    """
    with as_torch_says({"stddev": "std"}):
        return fill(tensor, SparseSpec(sparsity, std), Seeding(generator, seed, name, draw, client))


def _xavier(
    tensor: torch.Tensor, kind: type[XavierSpec], gain: float, seeding: Seeding
) -> torch.Tensor:
    with as_torch_says():
        _check_has_fans(tensor)
        return fill(tensor, kind(gain), seeding)


def _kaiming(
    tensor: torch.Tensor,
    kind: type[KaimingSpec],
    a: float,
    mode: OneFanMode,
    nonlinearity: NonlinearityName,
    seeding: Seeding,
) -> torch.Tensor:
    if checked(tensor).numel() == 0:
        # As in torch.
        warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=level_of_caller())
        return tensor
    with as_torch_says(values=("a", "nonlinearity")):
        _check_has_fans(tensor)
        return fill(tensor, kind(a, mode, as_nonlinearity("nonlinearity", nonlinearity)), seeding)


def _check_has_fans(tensor: torch.Tensor) -> None:
    if checked(tensor).ndim < 2:
        raise bad_value("tensor", "of two dimensions or more, to have fans", tuple(tensor.shape))
