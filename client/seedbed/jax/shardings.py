"""JAX's shardings: the part of a tensor that each device holds."""

from typing import Any

import jax
import jax.numpy as jnp
from jax.sharding import AbstractMesh, AxisType, Mesh, NamedSharding, PartitionSpec, Sharding

from seedbed.spec.errors import bad_type, bad_value
from seedbed.spec.slices import TensorSlice

ALLOWED = "a jax.sharding.Sharding, or a PartitionSpec under a mesh (jax.set_mesh)"


def as_sharding(value: Any, rank: int, *, field: str = "sharding") -> Sharding:
    """Return a sharding over real devices.

    Where it leaves an axis to the compiler, the axis is not cut.

    Args:
        value: a sharding; or a PartitionSpec, whose mesh is that of ``jax.set_mesh``.
        rank: how many axes the tensor has.
        field: what to call the argument in an error.

    Raises:
        InvalidTypeError: if it is neither.
        InvalidValueError: if it needs a mesh and none is set, or if it does not fit the mesh or the
            tensor.
    """
    if isinstance(value, NamedSharding) and isinstance(value.mesh, AbstractMesh):
        value = value.spec
    return decided(_in_mesh(value, rank, _mesh_of_devices(), field))


def sharding_or_default(value: Any, rank: int, *, field: str) -> Sharding | None:
    """Return :func:`as_sharding` of a value; for None, the place where JAX puts an array.

    That is on all devices of ``jax.set_mesh``. None if there is no such mesh either: then JAX's
    default device takes it.
    """
    if value is not None:
        return as_sharding(value, rank, field=field)
    mesh = _mesh_of_devices()
    return None if mesh is None else NamedSharding(mesh, PartitionSpec())


def as_traced_sharding(value: Any, rank: int, *, field: str = "out_sharding") -> Sharding | None:
    """Return the sharding of an array that is being traced, or None where nothing says one.

    Raises:
        InvalidTypeError: if the value is neither a sharding nor a PartitionSpec.
        InvalidValueError: if it needs a mesh and none is set, or if it does not fit the mesh or the
            tensor.
    """
    mesh = jax.sharding.get_abstract_mesh()
    if value is None:
        # Inside shard_map each device is on its own.
        is_alone = mesh.empty or AxisType.Manual in mesh.axis_types
        return None if is_alone else NamedSharding(mesh, PartitionSpec())
    return _in_mesh(value, rank, None if mesh.empty else mesh, field)


def decided(sharding: Sharding) -> Sharding:
    """Return a sharding that leaves nothing to the compiler: such axes are not cut."""
    if not isinstance(sharding, NamedSharding) or PartitionSpec.UNCONSTRAINED not in tuple(
        sharding.spec
    ):
        return sharding
    entries = [None if entry is PartitionSpec.UNCONSTRAINED else entry for entry in sharding.spec]
    return NamedSharding(sharding.mesh, PartitionSpec(*entries), memory_kind=sharding.memory_kind)


def _mesh_of_devices() -> Mesh | None:
    """Return the mesh of ``jax.set_mesh``, if one is set.

    None in shard_map, too, where a device is on its own.
    """
    try:
        mesh = jax.sharding.get_mesh()
    except ValueError:
        # Inside a transformation, such as grad or vmap, JAX does not say it; but arrays that depend
        # on nothing traced are made at once there, too, and lie on its devices.
        with jax.ensure_compile_time_eval():
            array = jnp.zeros(())
        sharding = None if isinstance(array, jax.core.Tracer) else array.sharding
        return sharding.mesh if isinstance(sharding, NamedSharding) else None
    return None if mesh.empty else mesh


def _in_mesh(value: Any, rank: int, mesh: Mesh | AbstractMesh | None, field: str) -> Sharding:
    if not isinstance(value, (Sharding, PartitionSpec)):
        raise bad_type(field, ALLOWED, value)
    spec = value.spec if isinstance(value, NamedSharding) else value
    if isinstance(spec, PartitionSpec) and len(spec) > rank:
        raise bad_value(field, f"for a tensor whose rank is {rank}", spec)
    if isinstance(value, Sharding):
        return value
    if mesh is None:
        raise bad_value(field, ALLOWED, value)
    try:
        return NamedSharding(mesh, value)
    except ValueError as error:
        raise bad_value(field, f"a PartitionSpec that fits the mesh ({error})", value) from None


def parts(sharding: Sharding, shape: tuple[int, ...]) -> list[TensorSlice]:
    """Return the different parts of a tensor that the devices of this process hold."""
    indices = sharding.addressable_devices_indices_map(shape).values()
    return list(dict.fromkeys(part_at(index, shape) for index in indices))


def part_at(index: tuple[slice, ...], shape: tuple[int, ...]) -> TensorSlice:
    """Return the part that an index, as JAX gives one for each device, means."""
    ranges = [each.indices(length) for each, length in zip(index, shape, strict=True)]
    return TensorSlice(
        tuple(start for start, _, _ in ranges),
        tuple(max(stop - start, 0) for start, stop, _ in ranges),
    )


def axis_names(sharding: NamedSharding, rank: int) -> list[tuple[str, ...]]:
    """Return, for each axis of a tensor, the axes of the mesh that cut it, the outermost first."""
    names = []
    for axis in range(rank):
        entry = sharding.spec[axis] if axis < len(sharding.spec) else None
        names.append(() if entry is None else (entry,) if isinstance(entry, str) else tuple(entry))
    return names


def constrained(array: jax.Array, sharding: Sharding | None) -> jax.Array:
    """Return a traced array, laid out as a sharding says."""
    if sharding is None:
        return array
    if isinstance(sharding, NamedSharding) and AxisType.Explicit in sharding.mesh.axis_types:
        return jax.sharding.reshard(array, sharding)
    return jax.lax.with_sharding_constraint(array, sharding)
