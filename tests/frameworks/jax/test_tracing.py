"""Under JAX's transformations an initializer gives the same bits, when the program runs."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from jax.sharding import AxisType
from jax.sharding import PartitionSpec as P

import seedbed as sb
import seedbed.jax
from seedbed.jax import initializers as ours
from seedbed.jax import seed_from_key
from tests.frameworks.jax.meshes import mesh_of
from tests.frameworks.recording import RecordingClient

KEY = jax.random.key(5)
KEYS = jax.random.split(KEY, 3)
X = jnp.ones((2, 4))
SHAPE = (12, 8)
INITIALIZERS = {
    "normal": ours.normal(),
    "uniform": ours.uniform(),
    "truncated_normal": ours.truncated_normal(),
    "glorot_uniform": ours.glorot_uniform(),
    "orthogonal": ours.orthogonal(),
    "orthogonal over columns": ours.orthogonal(column_axis=0),
    "zeros": ours.zeros,
    "ones": ours.ones,
    "constant": ours.constant(0.1),
}


@pytest.mark.parametrize("name", INITIALIZERS)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_jit_gives_the_same_bits(name: str, dtype: str) -> None:
    init = INITIALIZERS[name]
    expected = np.asarray(init(KEY, SHAPE, dtype))
    traced = jax.jit(lambda key: init(key, SHAPE, dtype))(KEY)
    assert traced.dtype == dtype
    np.testing.assert_array_equal(np.asarray(traced), expected)


@pytest.mark.parametrize(
    "key", [KEY, jax.random.PRNGKey(5), jax.random.key(5, impl="rbg")], ids=["key", "raw", "rbg"]
)
def test_any_key_may_be_traced_or_closed_over(key: Any) -> None:
    init = ours.normal()
    expected = sb.RandomNormal(stddev=0.01, seed=seed_from_key(key))(SHAPE)
    np.testing.assert_array_equal(jax.jit(lambda key: init(key, SHAPE))(key), expected)
    np.testing.assert_array_equal(jax.jit(lambda: init(key, SHAPE))(), expected)


def test_a_traced_shape_or_dtype_that_is_wrong_is_found_while_tracing() -> None:
    with pytest.raises(sb.InvalidValueError, match="dtype"):
        jax.jit(lambda key: ours.normal()(key, SHAPE, "int32"))(KEY)


@pytest.mark.parametrize("key", [KEY, jax.random.PRNGKey(5)], ids=["key", "raw"])
def test_eval_shape_samples_nothing(key: Any, recorder: RecordingClient) -> None:
    init = ours.lecun_normal(client=recorder)
    for form in (
        jax.eval_shape(lambda key: init(key, SHAPE, jnp.bfloat16), key),
        jax.eval_shape(lambda: init(key, SHAPE, jnp.bfloat16)),
    ):
        assert (form.shape, form.dtype) == (SHAPE, jnp.bfloat16)
    jax.jit(lambda key: init(key, SHAPE)).lower(key).compile()
    assert recorder.parts == []


def test_a_compiled_program_samples_each_time_it_runs(recorder: RecordingClient) -> None:
    init = jax.jit(lambda key: ours.normal(client=recorder)(key, SHAPE))
    first, second = init(jax.random.key(1)), init(jax.random.key(2))
    assert (np.asarray(first) != np.asarray(second)).all()
    assert [spec.seed for spec, _ in recorder.parts] == [1, 2]


def test_vmap_over_keys_gives_each_its_own() -> None:
    keys = jax.random.split(KEY, 3)
    expected = np.stack([np.asarray(ours.normal()(key, SHAPE)) for key in keys])
    mapped = jax.vmap(lambda key: ours.normal()(key, SHAPE))
    np.testing.assert_array_equal(mapped(keys), expected)
    np.testing.assert_array_equal(jax.jit(mapped)(keys), expected)


def test_scan_over_keys_gives_each_its_own() -> None:
    keys = jax.random.split(KEY, 3)
    _, scanned = jax.lax.scan(lambda carry, key: (carry, ours.normal()(key, SHAPE)), None, keys)
    np.testing.assert_array_equal(
        scanned, np.stack([np.asarray(ours.normal()(key, SHAPE)) for key in keys])
    )


def test_the_default_client_is_that_of_the_run(recorder: RecordingClient) -> None:
    init = jax.jit(lambda key: ours.normal()(key, SHAPE))
    expected = np.asarray(init(KEY))
    sb.set_default_client(recorder)
    try:
        np.testing.assert_array_equal(init(KEY), expected)
        assert len(recorder.parts) == 1
    finally:
        sb.set_default_client(None)


DENSE = nn.Dense(3, kernel_init=ours.lecun_normal(), bias_init=ours.ones)
FORMS = {
    "kernel": jax.ShapeDtypeStruct(SHAPE, "float32"),
    "bias": jax.ShapeDtypeStruct((8,), "bfloat16"),
}
RULES = {"bias": "zeros", "*": "lecun_normal"}


@pytest.fixture(
    params=[None, AxisType.Auto, AxisType.Explicit], ids=["no mesh", "auto", "explicit"]
)
def mesh(request: pytest.FixtureRequest) -> Iterator[Any]:
    """No mesh is set, or one of eight devices."""
    chosen = None if request.param is None else mesh_of((4, 2), request.param)
    with contextlib.nullcontext() if chosen is None else jax.set_mesh(chosen):
        yield chosen


def in_grad(call: Callable[[], Any]) -> Any:
    """Return the result of a call inside grad, which does not depend on what is derived."""
    return jax.grad(lambda scale: (scale, call()), has_aux=True)(1.0)[1]


def in_value_and_grad(call: Callable[[], Any]) -> Any:
    """Return what a call gives inside value_and_grad."""
    return jax.value_and_grad(lambda scale: (scale, call()), has_aux=True)(1.0)[0][1]


def in_jvp(call: Callable[[], Any]) -> Any:
    """Return what a call gives inside jvp."""
    return jax.jvp(lambda scale: (scale, call()), (1.0,), (1.0,))[0][1]


def in_vmap(call: Callable[[], Any]) -> Any:
    """Return what a call gives inside vmap, where it is the same for every item."""
    return jax.vmap(lambda _: call(), out_axes=None)(jnp.ones(2))


EAGER = [in_grad, in_value_and_grad, in_jvp, in_vmap]
"""Transformations that run what they are given at once."""


def assert_same(found: Any, expected: Any) -> None:
    """Fail unless two trees of arrays have the same structure, dtypes and bits."""
    assert jax.tree.structure(found) == jax.tree.structure(expected)
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))


@pytest.mark.usefixtures("mesh")
@pytest.mark.parametrize("transformed", EAGER)
@pytest.mark.parametrize("name", ["normal", "orthogonal", "zeros", "ones", "constant"])
def test_a_key_that_is_not_traced_gives_the_same_in_an_eager_transformation(
    name: str, transformed: Any
) -> None:
    def call() -> Any:
        return INITIALIZERS[name](KEY, SHAPE, "bfloat16")

    assert_same(transformed(call), call())


@pytest.mark.parametrize("kind", [AxisType.Auto, AxisType.Explicit], ids=["auto", "explicit"])
@pytest.mark.parametrize("transformed", [in_grad, in_vmap])
@pytest.mark.parametrize("cut", [None, P(), P("x", "y")], ids=str)
def test_in_an_eager_transformation_each_device_has_its_part_too(
    cut: Any, transformed: Any, kind: Any, recorder: RecordingClient
) -> None:
    with jax.set_mesh(mesh_of((4, 2), kind)):
        for init in (ours.normal(client=recorder), ours.ones):
            seen: list[Any] = []

            def call(init: Any = init, seen: list[Any] = seen) -> Any:
                seen.append(init(KEY, SHAPE, "float32", cut))
                return seen[-1]

            expected = call()
            assert_same(transformed(call), expected)
            assert [array.sharding for array in seen] == [expected.sharding] * 2
            assert len(expected.devices()) == 8
    parts = [part for _, part in recorder.parts]
    assert len(parts) == 2 * len(set(parts)) == (16 if cut else 2)


@pytest.mark.usefixtures("mesh")
def test_grad_and_vmap_of_what_uses_an_initializer() -> None:
    values = np.asarray(ours.normal()(KEY, (3,)))
    derived = jax.grad(lambda scale: (scale * ours.normal()(KEY, (3,))).sum())(1.0)
    np.testing.assert_allclose(derived, values.sum(), rtol=1e-6)
    scaled = jax.vmap(lambda scale: scale * ours.normal()(KEY, (3,)))(jnp.array([1.0, 2.0]))
    np.testing.assert_array_equal(scaled, np.stack([values, 2 * values]))


@pytest.mark.usefixtures("mesh")
def test_value_and_grad_through_the_initialization_of_a_layer() -> None:
    expected = np.asarray(DENSE.init_with_output(KEY, X)[0])
    value, derived = jax.value_and_grad(
        lambda scale: DENSE.init_with_output(KEY, scale * X)[0].sum()
    )(1.0)
    np.testing.assert_allclose(value, expected.sum(), rtol=1e-5)
    # The bias of ones does not scale.
    np.testing.assert_allclose(derived, (expected - 1).sum(), rtol=1e-4)


@pytest.mark.usefixtures("mesh")
def test_vmap_of_a_layer_s_init_gives_each_key_its_layer() -> None:
    each = [DENSE.init(key, X) for key in KEYS]
    assert_same(
        jax.vmap(DENSE.init, in_axes=(0, None))(KEYS, X),
        jax.tree.map(lambda *one: np.stack(one), *each),
    )


def test_linen_s_vmap_gives_each_layer_its_own_numbers() -> None:
    stacked = nn.vmap(
        nn.Dense,
        variable_axes={"params": 0},
        split_rngs={"params": True},
        in_axes=None,
        axis_size=3,
    )
    layers = stacked(3, kernel_init=ours.lecun_normal(), bias_init=ours.ones)
    params = layers.init(KEY, X)["params"]
    assert_same(jax.jit(layers.init)(KEY, X)["params"], params)
    assert params["kernel"].shape == (3, 4, 3)
    assert len(np.unique(np.asarray(params["kernel"]))) == 36
    np.testing.assert_array_equal(params["bias"], np.ones((3, 3), np.float32))


def test_nnx_s_vmap_gives_each_key_its_layer() -> None:
    def layer(key: Any) -> nnx.Linear:
        return nnx.Linear(
            4, 3, kernel_init=ours.lecun_normal(), bias_init=ours.zeros, rngs=nnx.Rngs(key)
        )

    stacked = nnx.vmap(layer)(KEYS)
    each = [layer(key) for key in KEYS]
    np.testing.assert_array_equal(stacked.kernel[...], np.stack([one.kernel[...] for one in each]))
    np.testing.assert_array_equal(stacked.bias[...], np.zeros((3, 3), np.float32))


@pytest.mark.parametrize("transformed", EAGER)
def test_a_tree_is_initialized_in_an_eager_transformation(mesh: Any, transformed: Any) -> None:
    for cut in (None, P("y")) if mesh else (None,):

        def call(cut: Any = cut) -> Any:
            return seedbed.jax.initialize(FORMS, cut, seed=7, rules=RULES)

        expected = call()
        assert_same(transformed(call), expected)
        assert len(expected["kernel"].devices()) == (8 if mesh else 1)


def test_a_spec_without_a_mesh_is_the_same_error_in_an_eager_transformation() -> None:
    for transformed in EAGER:
        with pytest.raises(sb.InvalidValueError, match=r"`out_sharding` must be .*jax\.set_mesh"):
            transformed(lambda: ours.normal()(KEY, SHAPE, "float32", P("x")))
        with pytest.raises(sb.InvalidValueError, match=r"`sharding_tree` must be .*jax\.set_mesh"):
            transformed(lambda: seedbed.jax.initialize(FORMS, P("x"), seed=7, rules=RULES))


def test_in_shard_map_a_device_is_on_its_own() -> None:
    mesh = mesh_of((4, 2))
    expected = np.asarray(ours.normal()(KEY, SHAPE))
    mapped = jax.shard_map(
        lambda scale: (
            scale * ours.normal()(KEY, SHAPE),
            seedbed.jax.initialize(FORMS, seed=7, rules=RULES),
        ),
        mesh=mesh,
        in_specs=P(),
        out_specs=P(),
        check_vma=False,
    )
    values, tree = mapped(1.0)
    np.testing.assert_array_equal(values, expected)
    assert_same(tree, seedbed.jax.initialize(FORMS, seed=7, rules=RULES))


@pytest.mark.parametrize(
    "transform", [jax.jit, jax.grad, jax.vmap, lambda f: lambda x: jax.eval_shape(f, x)]
)
@pytest.mark.parametrize("function", [seedbed.jax.digest, seedbed.jax.digests])
def test_what_is_traced_has_no_digest(function: Any, transform: Any) -> None:
    def digested(value: Any) -> Any:
        function({"a": np.ones(2), "b": value})
        return value

    value = 1.0 if transform is jax.grad else KEYS
    with pytest.raises(
        sb.InvalidValueError, match=r'`tree` must be arrays that are not traced, .* Received: "b"'
    ):
        transform(digested)(value)


def test_what_is_not_traced_has_its_digest_in_a_transformation_too() -> None:
    expected = seedbed.jax.digest({"a": X})
    found = []

    def call() -> Any:
        found.append(seedbed.jax.digest({"a": X}))
        return X

    for transformed in EAGER:
        transformed(call)
    assert found == [expected] * len(EAGER)
