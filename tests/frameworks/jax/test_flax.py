"""Flax linen and nnx take the initializers as they are, and their trees can be filled."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec as P

import seedbed as sb
import seedbed.jax
from seedbed.jax import initializers, seed_from_key
from tests.frameworks.jax.meshes import mesh_of
from tests.frameworks.recording import RecordingClient

KEY = jax.random.key(0)
RULES = {"*bias": "zeros", "*": "lecun_normal"}


def dense(init: Any = None, **arguments: Any) -> nn.Dense:
    """Return a layer of linen."""
    return nn.Dense(
        3,
        kernel_init=init or initializers.lecun_normal(),
        bias_init=initializers.zeros,
        **arguments,
    )


def test_linen_uses_an_initializer_with_and_without_jit() -> None:
    x = jnp.ones((2, 5))
    params = dense().init(KEY, x)["params"]
    assert params["kernel"].shape == (5, 3)
    jitted = jax.jit(dense().init)(KEY, x)["params"]
    jax.tree.map(np.testing.assert_array_equal, jitted, params)
    assert dense().apply({"params": params}, x).shape == (2, 3)
    assert dense(param_dtype=jnp.bfloat16).init(KEY, x)["params"]["kernel"].dtype == jnp.bfloat16


def test_linen_gives_each_parameter_its_own_numbers() -> None:
    params = nn.Sequential([dense(), dense(), dense()]).init(KEY, jnp.ones((1, 3)))["params"]
    kernels = [np.asarray(layer["kernel"]) for layer in params.values()]
    assert len({kernel.tobytes() for kernel in kernels}) == 3


def test_shapes_of_linen_are_evaluated_without_sampling(recorder: RecordingClient) -> None:
    layer = dense(initializers.lecun_normal(client=recorder))
    form = jax.eval_shape(layer.init, KEY, jnp.ones((2, 5)))
    assert form["params"]["kernel"].shape == (5, 3)
    assert recorder.parts == []
    params = layer.init(KEY, jnp.ones((2, 5)))
    assert len(recorder.parts) == 1
    layer.apply(params, jnp.ones((2, 5)))
    assert len(recorder.parts) == 1, "linen checks the parameters' shapes by eval_shape"


def test_embeddings_and_convolutions_of_both_apis_work() -> None:
    embed = initializers.variance_scaling(1.0, "fan_in", "normal", out_axis=0)
    table = nn.Embed(40, 8, embedding_init=embed).init(KEY, jnp.zeros((1,), "int32"))["params"][
        "embedding"
    ]
    assert float(jnp.std(table)) == pytest.approx(1 / np.sqrt(8), rel=0.2)
    assert nnx.Embed(40, 8, embedding_init=embed, rngs=nnx.Rngs(0)).embedding.shape == (40, 8)
    kernel = nnx.Conv(4, 6, (3, 3), kernel_init=initializers.he_normal(), rngs=nnx.Rngs(0)).kernel
    assert kernel.shape == (3, 3, 4, 6)
    orthogonal = nn.Conv(6, (3, 3), kernel_init=initializers.delta_orthogonal()).init(
        KEY, jnp.ones((1, 8, 8, 4))
    )
    middle = np.asarray(orthogonal["params"]["kernel"])[1, 1]
    np.testing.assert_allclose(middle @ middle.T, np.eye(4), atol=1e-6)


def linear(**arguments: Any) -> nnx.Linear:
    """Return a layer of nnx."""
    return nnx.Linear(5, 3, kernel_init=initializers.lecun_normal(**arguments), rngs=nnx.Rngs(0))


def test_nnx_uses_an_initializer_with_and_without_jit() -> None:
    key = nnx.Rngs(0).params()
    expected = sb.LecunNormal(seed=seed_from_key(key))((5, 3))
    np.testing.assert_array_equal(linear().kernel[...], expected)
    np.testing.assert_array_equal(nnx.jit(linear)().kernel[...], expected)


def test_shapes_of_nnx_are_evaluated_without_sampling(recorder: RecordingClient) -> None:
    model = nnx.eval_shape(lambda: linear(client=recorder))
    assert model.kernel.shape == (5, 3)
    assert recorder.parts == []


def test_ensembles_of_nnx_get_a_seed_each() -> None:
    def layer(rngs: nnx.Rngs) -> nnx.Linear:
        return nnx.Linear(5, 3, kernel_init=initializers.normal(), rngs=rngs)

    ensemble = nnx.vmap(layer, in_axes=0, out_axes=0)
    kernels = np.asarray(ensemble(nnx.Rngs(0).split(4)).kernel[...])
    assert kernels.shape == (4, 5, 3)
    assert len({kernel.tobytes() for kernel in kernels}) == 4


class Net(nnx.Module):  # type: ignore[misc]  # Any where Flax is not installed
    """Two layers, and one that keeps keys."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.first = nnx.Linear(8, 16, rngs=rngs)
        self.dropout = nnx.Dropout(0.5, rngs=rngs)
        self.layers = nnx.List([nnx.Linear(16, 16, rngs=rngs)])


def test_a_state_of_nnx_is_filled_and_merged(recorder: RecordingClient) -> None:
    graph, params, rest = nnx.split(nnx.eval_shape(lambda: Net(nnx.Rngs(0))), nnx.Param, ...)
    del rest
    mesh = mesh_of((2, 2))
    shardings = jax.tree.map(lambda leaf: NamedSharding(mesh, P(*"xy"[: len(leaf.shape)])), params)
    filled = seedbed.jax.initialize(params, shardings, seed=1, rules=RULES, client=recorder)
    assert {spec.name for spec, _ in recorder.parts} == {
        "first/bias",
        "first/kernel",
        "layers/0/bias",
        "layers/0/kernel",
    }
    _, _, keys = nnx.split(Net(nnx.Rngs(0)), nnx.Param, ...)
    model = nnx.merge(graph, filled, keys)
    np.testing.assert_array_equal(
        model.first.kernel[...], sb.LecunNormal(seed=1)((8, 16), name="first/kernel")
    )
    assert model.layers[0](model.first(jnp.ones((2, 8)))).shape == (2, 16)


def test_a_state_is_filled_with_its_keys_and_counts() -> None:
    abstract = nnx.eval_shape(lambda: Net(nnx.Rngs(0)))
    graph, state = nnx.split(abstract)
    model = nnx.merge(graph, seedbed.jax.initialize(state, seed=1, rules=RULES))
    assert model.dropout.rngs.count[...] == 0
    assert seedbed.jax.manifest_of(state, seed=1, rules=RULES).tensors[0].name == (
        "dropout/rngs/count"
    )
    dropped = model.dropout(jnp.ones((64, 64)))
    assert 0.4 < float((dropped == 0).mean()) < 0.6
    assert model.dropout.rngs.count[...] == 1
    other = seedbed.jax.initialize(state, seed=2, rules=RULES)
    assert model.dropout.rngs.key[...] != other["dropout"]["rngs"]["key"][...]
    whole = seedbed.jax.initialize(abstract, seed=2, rules=RULES)
    assert isinstance(whole, Net)
    assert seedbed.jax.digest(whole) == seedbed.jax.digest(other)


def test_shared_modules_stay_shared() -> None:
    class Tied(nnx.Module):  # type: ignore[misc]  # Any where Flax is not installed
        def __init__(self) -> None:
            self.embed = nnx.Embed(8, 4, rngs=nnx.Rngs(0))
            self.head = self.embed

    abstract = nnx.eval_shape(Tied)
    model = seedbed.jax.initialize(abstract, seed=1, rules={"*": "random_normal"})
    assert model.head is model.embed
    assert list(seedbed.jax.digests(model)) == ["embed/embedding"]
    assert seedbed.jax.initializing(Tied, seed=1)().head.embedding.shape == (8, 4)


def test_a_box_does_not_change_a_name_and_says_how_to_cut() -> None:
    x = jnp.ones((1, 8))
    plain = jax.eval_shape(dense().init, KEY, x)
    boxed = jax.eval_shape(
        dense(nn.with_partitioning(initializers.lecun_normal(), ("x", None))).init, KEY, x
    )
    mesh = mesh_of((2, 2))
    filled = seedbed.jax.initialize(boxed, nn.get_sharding(boxed, mesh), seed=1, rules=RULES)
    kernel = filled["params"]["kernel"]
    assert isinstance(kernel, nn.Partitioned)
    assert kernel.value.sharding == NamedSharding(mesh, P("x", None))
    expected = seedbed.jax.initialize(plain, seed=1, rules=RULES)
    jax.tree.map(np.testing.assert_array_equal, nn.unbox(filled), expected)
    assert seedbed.jax.digest(filled) == seedbed.jax.digest(expected)
