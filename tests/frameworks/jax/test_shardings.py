"""Each device asks for exactly its part, each part is asked for once, and the whole is the same."""

import contextlib
import math
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
import pytest
from jax.sharding import AxisType, NamedSharding, SingleDeviceSharding
from jax.sharding import PartitionSpec as P

import seedbed as sb
from seedbed.jax import initialize, make_array
from seedbed.jax import initializers as ours
from tests.frameworks.jax.meshes import MESHES, mesh_of
from tests.frameworks.recording import RecordingClient

KEY = jax.random.key(5)
SHAPE = (16, 24)
SPEC = sb.TensorSpec("w", SHAPE, "bfloat16", sb.GlorotUniform(seed=1))
WHOLE = sb.connect("embedded:").sample(SPEC)
CUTS = [P("x", "y"), P("y", "x"), P("x"), P(None, "y"), P(("x", "y")), P(None, ("y", "x")), P()]
"""How the axes of a tensor are cut."""


def part_count(mesh: tuple[int, int], cut: Any) -> int:
    """Return into how many different parts a mesh cuts a tensor."""
    names = [
        name for entry in cut if entry for name in ((entry,) if isinstance(entry, str) else entry)
    ]
    return math.prod(mesh["xy".index(name)] for name in names)


@pytest.mark.parametrize("cut", CUTS, ids=str)
@pytest.mark.parametrize("mesh", MESHES, ids=lambda mesh: "x".join(map(str, mesh)))
def test_each_part_is_asked_for_once(
    mesh: tuple[int, int], cut: Any, recorder: RecordingClient
) -> None:
    sharding = NamedSharding(mesh_of(mesh), cut)
    array = make_array(SPEC, sharding, client=recorder)
    assert (array.sharding, array.dtype) == (sharding, "bfloat16")
    np.testing.assert_array_equal(np.asarray(array), WHOLE)
    parts = [part for _, part in recorder.parts]
    assert len(parts) == len(set(parts)) == part_count(mesh, cut)
    assert recorder.size_bytes == WHOLE.nbytes
    assert {spec for spec, _ in recorder.parts} == {SPEC}
    assert {part.lengths for part in parts} == {
        shard.data.shape for shard in array.addressable_shards
    }


def test_one_device_gets_the_whole(recorder: RecordingClient) -> None:
    device = jax.devices()[3]
    array = make_array(SPEC, SingleDeviceSharding(device), client=recorder)
    assert array.devices() == {device}
    np.testing.assert_array_equal(np.asarray(array), WHOLE)


@pytest.mark.parametrize("shape", [(), (0, 16)])
def test_scalars_and_empty_tensors_have_shardings_too(shape: tuple[int, ...]) -> None:
    sharding = NamedSharding(mesh_of((2, 2)), P())
    array = make_array(sb.TensorSpec("w", shape, "float32", sb.RandomNormal(seed=1)), sharding)
    assert (array.shape, array.sharding) == (shape, sharding)


@contextlib.contextmanager
def context(mesh: Any, is_set: bool) -> Iterator[None]:
    """Enter the context of a mesh, or none."""
    with jax.set_mesh(mesh) if is_set else contextlib.nullcontext():
        yield


@pytest.mark.parametrize("kind", [AxisType.Auto, AxisType.Explicit], ids=["auto", "explicit"])
@pytest.mark.parametrize("is_set", [False, True], ids=["sharding", "spec in a context"])
@pytest.mark.parametrize("is_jit", [False, True], ids=["eager", "jit"])
@pytest.mark.parametrize("cut", [P("x", "y"), P(None, ("y", "x")), P("y")], ids=str)
def test_out_sharding_gives_each_device_its_part(
    kind: Any, is_set: bool, is_jit: bool, cut: Any, recorder: RecordingClient
) -> None:
    mesh = mesh_of((4, 2), kind)
    sharding = NamedSharding(mesh, cut)
    init = ours.normal(client=recorder)

    def call(key: Any) -> jax.Array:
        return init(key, SHAPE, "float32", cut if is_set else sharding)

    with context(mesh, is_set):
        array = (jax.jit(call) if is_jit else call)(KEY)
    assert array.sharding.is_equivalent_to(sharding, len(SHAPE))
    np.testing.assert_array_equal(np.asarray(array), sb.RandomNormal(stddev=0.01, seed=5)(SHAPE))
    parts = [part for _, part in recorder.parts]
    assert {part.lengths for part in parts} == {sharding.shard_shape(SHAPE)}
    # A program asks on every device; outside, replicas share what one of them asked for.
    assert len(parts) == (8 if is_jit else part_count((4, 2), cut))
    assert len(set(parts)) == part_count((4, 2), cut)


@pytest.mark.parametrize("is_jit", [False, True], ids=["eager", "jit"])
@pytest.mark.parametrize("kind", [AxisType.Auto, AxisType.Explicit], ids=["auto", "explicit"])
def test_a_replicated_array_is_sampled_once(
    kind: Any, is_jit: bool, recorder: RecordingClient
) -> None:
    init = ours.normal(client=recorder)
    with jax.set_mesh(mesh_of((4, 2), kind)):
        for cut in (P(), None):
            call = jax.jit(lambda key, cut=cut: init(key, SHAPE, "float32", cut))
            array = call(KEY) if is_jit else init(KEY, SHAPE, "float32", cut)
            assert array.sharding.is_fully_replicated and len(array.devices()) == 8
            np.testing.assert_array_equal(
                np.asarray(array), sb.RandomNormal(stddev=0.01, seed=5)(SHAPE)
            )
    assert len(recorder.parts) == 2


@pytest.mark.parametrize("is_jit", [False, True], ids=["eager", "jit"])
@pytest.mark.parametrize("kind", [AxisType.Auto, AxisType.Explicit], ids=["auto", "explicit"])
def test_constants_have_shardings_too(kind: Any, is_jit: bool) -> None:
    mesh = mesh_of((4, 2), kind)
    for init, value in ((ours.zeros, 0.0), (ours.ones, 1.0), (ours.constant(0.1), np.float32(0.1))):
        with jax.set_mesh(mesh):
            call = lambda key, init=init: init(key, SHAPE, "float32", P("x", "y"))  # noqa: E731
            array = (jax.jit(call) if is_jit else call)(KEY)
        assert array.sharding.is_equivalent_to(NamedSharding(mesh, P("x", "y")), 2)
        np.testing.assert_array_equal(np.asarray(array), np.full(SHAPE, value, np.float32))


def test_orthogonal_columns_along_any_axis_are_cut_as_they_lie() -> None:
    init = ours.orthogonal(2.0, column_axis=0)
    whole = np.asarray(init(KEY, (4, 6, 8)))
    sharding = NamedSharding(mesh_of((4, 2)), P("x", None, "y"))
    np.testing.assert_array_equal(np.asarray(init(KEY, (4, 6, 8), None, sharding)), whole)
    rows = whole.reshape(4, 48)
    np.testing.assert_allclose(rows @ rows.T, 4 * np.eye(4), atol=1e-5)


@pytest.mark.parametrize("value", ["x", ("x",), 3])
def test_what_is_no_sharding_is_a_type_error(value: Any) -> None:
    with pytest.raises(sb.InvalidTypeError, match="`sharding` must be"):
        make_array(SPEC, value)
    with pytest.raises(sb.InvalidTypeError, match="`out_sharding` must be"):
        ours.normal()(KEY, SHAPE, None, value)
    with pytest.raises(sb.InvalidTypeError, match="`out_sharding` must be"):
        jax.jit(lambda key: ours.normal()(key, SHAPE, None, value))(KEY)


def test_a_spec_without_a_mesh_is_the_error_of_jax() -> None:
    for init in (jax.nn.initializers.normal(), ours.normal()):
        with pytest.raises(ValueError, match="PartitionSpec"):
            init(KEY, SHAPE, None, P("x"))
        with pytest.raises(ValueError, match="PartitionSpec"):
            jax.jit(lambda key, init=init: init(key, SHAPE, None, P("x")))(KEY)


@pytest.mark.parametrize("is_set", [False, True], ids=["sharding", "spec in a context"])
@pytest.mark.parametrize("is_jit", [False, True], ids=["eager", "jit"])
@pytest.mark.parametrize(
    "cut", [P(P.UNCONSTRAINED, "y"), P("x", P.UNCONSTRAINED), P(P.UNCONSTRAINED)], ids=str
)
def test_an_axis_that_is_not_constrained_is_not_cut(
    cut: Any, is_jit: bool, is_set: bool, recorder: RecordingClient
) -> None:
    mesh = mesh_of((4, 2))
    where = cut if is_set else NamedSharding(mesh, cut)
    for init, value in (
        (ours.normal(client=recorder), sb.RandomNormal(stddev=0.01, seed=5)(SHAPE)),
        (ours.ones, 1),
    ):
        call = lambda init=init: init(KEY, SHAPE, "float32", where)  # noqa: E731
        with context(mesh, is_set):
            array = (jax.jit(call) if is_jit else call)()
        np.testing.assert_array_equal(np.asarray(array), np.broadcast_to(value, SHAPE))
        expected = P(*(None if entry is P.UNCONSTRAINED else entry for entry in cut))
        assert array.sharding.is_equivalent_to(NamedSharding(mesh, expected), len(SHAPE))
    lengths = NamedSharding(mesh, expected).shard_shape(SHAPE)
    assert {part.lengths for _, part in recorder.parts} == {lengths}


@pytest.mark.parametrize("is_jit", [False, True], ids=["eager", "jit"])
@pytest.mark.parametrize("cut", [P(P.UNCONSTRAINED, "y"), P("z")], ids=str)
def test_a_spec_that_does_not_fit_the_mesh_is_a_value_error(cut: Any, is_jit: bool) -> None:
    for init in (ours.normal(), ours.zeros):
        call = lambda init=init: init(KEY, SHAPE, "float32", cut)  # noqa: E731
        with (
            jax.set_mesh(mesh_of((4, 2), AxisType.Explicit)),
            pytest.raises(
                sb.InvalidValueError,
                match="`out_sharding` must be a PartitionSpec that fits the mesh",
            ),
        ):
            (jax.jit(call) if is_jit else call)()


@pytest.mark.parametrize("kind", [AxisType.Auto, AxisType.Explicit], ids=["auto", "explicit"])
@pytest.mark.parametrize("is_set", [False, True], ids=["sharding", "spec in a context"])
@pytest.mark.parametrize("cut", [P("x", "y"), P(None, "y"), P(None, None)], ids=str)
def test_a_spec_with_more_entries_than_axes_is_a_value_error(
    cut: Any, is_set: bool, kind: Any
) -> None:
    mesh = mesh_of((4, 2), kind)
    where = cut if is_set else NamedSharding(mesh, cut)
    message = "must be for a tensor whose rank is 1. Received: P"
    with context(mesh, is_set):
        for init in (ours.normal(), ours.zeros, ours.constant(2)):
            call = lambda init=init: init(KEY, (8,), "float32", where)  # noqa: E731
            for each in (call, jax.jit(call)):
                with pytest.raises(sb.InvalidValueError, match="`out_sharding` " + message):
                    each()
        with pytest.raises(sb.InvalidValueError, match="`sharding` " + message):
            make_array(sb.TensorSpec("w", (8,), "float32", sb.Zeros()), where)
        with pytest.raises(sb.InvalidValueError, match="`sharding_tree` " + message):
            initialize(
                {"w": jax.ShapeDtypeStruct((8,), "float32")}, where, seed=1, rules={"*": "zeros"}
            )


def test_a_length_that_the_mesh_does_not_divide_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="divi"):
        ours.normal()(KEY, (15, 3), None, NamedSharding(mesh_of((4, 2)), P("x")))


def test_64_bits_need_jax_s_permission() -> None:
    spec = sb.TensorSpec("w", (2,), "float64", sb.RandomNormal(seed=1))
    sharding = SingleDeviceSharding(jax.devices()[0])
    with pytest.raises(sb.InvalidValueError, match="jax_enable_x64"):
        make_array(spec, sharding)
    with jax.enable_x64(True):
        assert make_array(spec, sharding).dtype == np.float64


def test_wrong_arguments_are_type_errors() -> None:
    sharding = SingleDeviceSharding(jax.devices()[0])
    bad: Any = "client"
    with pytest.raises(sb.InvalidTypeError, match="`spec`"):
        make_array(bad, sharding)
    with pytest.raises(sb.InvalidTypeError, match="`client`"):
        make_array(SPEC, sharding, client=bad)
    with pytest.raises(sb.InvalidTypeError, match="`client`"):
        ours.normal(client=bad)
