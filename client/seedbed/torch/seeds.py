"""The seed of a tensor: the one given, or 64 bits of a torch generator.

All ranks of a DTensor have the same.
"""

import torch

from seedbed.spec.errors import bad_type
from seedbed.spec.seeds import as_seed
from seedbed.torch.dtensors import is_dtensor


def seed_for(tensor: torch.Tensor, seed: int | None, generator: torch.Generator | None) -> int:
    """Return the 64 bits that fill a tensor.

    Args:
        tensor: what is filled.
        seed: the one given; then the generator is not touched.
        generator: where 64 bits are drawn from without one; None is torch's default generator of
            the CPU, the one that ``torch.manual_seed`` sets.

    Raises:
        InvalidTypeError: if an argument has the wrong type.
        InvalidValueError: if the seed is outside its range.
    """
    if generator is not None and not isinstance(generator, torch.Generator):
        raise bad_type("generator", "a torch.Generator or None", generator)
    if seed is not None:
        return as_seed(seed)
    bits = drawn_bits(generator)
    return as_seed(first_rank_says(bits, tensor) if is_dtensor(tensor) else bits)


def drawn_bits(generator: torch.Generator | None) -> int:
    """Return 64 bits of a generator, as an integer from -2**63 to 2**63 - 1."""
    device = torch.device("cpu") if generator is None else generator.device
    # Without an upper end, random_ gives every value of int64.
    return int(
        torch.empty((), dtype=torch.int64, device=device)
        .random_(-(2**63), None, generator=generator)
        .item()
    )


def first_rank_says(bits: int, tensor: torch.Tensor) -> int:
    """Return the bits of the first rank of a DTensor's mesh.

    A collective call: every rank of the mesh makes it.
    """
    mesh = tensor.device_mesh
    if mesh.get_coordinate() is None:
        return bits
    said = torch.tensor(bits, dtype=torch.int64, device=mesh.device_type)
    # After dimension d, all ranks that differ in the dimensions 0 to d only agree; so after the
    # last, all.
    for dimension in range(mesh.ndim):
        torch.distributed.broadcast(said, group=mesh.get_group(dimension), group_src=0)
    return int(said.item())
