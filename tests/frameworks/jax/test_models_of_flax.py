"""Whole models of Flax come out as Flax fills them, with seedbed's numbers, on any mesh."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from flax import nnx
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec as P

import seedbed as sb
from seedbed.jax import digest, digests, initialize, initializing, manifest_of, record
from tests.frameworks.jax.distributions import check_distributions
from tests.frameworks.jax.meshes import mesh_of
from tests.frameworks.jax.models import IDS, LAYERS, Decoder, Transformer, decoder
from tests.frameworks.recording import RecordingClient
from tests.servers import ServerProcess

KEYS = [jax.random.key(seed) for seed in range(4)]


def linen(key: Any) -> Any:
    """Return the variables of the model of linen."""
    return Transformer().init(key, IDS)


def nnx_state(key: Any) -> Any:
    """Return the state of the model of nnx."""
    return nnx.state(Decoder(nnx.Rngs(key, dropout=1)))


MODELS = {"linen": linen, "nnx": nnx_state}


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_every_leaf_is_distributed_as_flax_has_it(make: Callable[[Any], Any]) -> None:
    filled = initializing(make, seed=3)(KEYS[0])
    drawn, fixed = check_distributions(filled, [make(key) for key in KEYS])
    assert len(drawn) >= 7
    assert {name for name in fixed if "osition" in name}, "sinusoids are computed"
    assert {name for name in fixed if name.endswith(("mean", "var", "bias", "scale"))}


def test_each_scanned_layer_has_numbers_of_its_own() -> None:
    params = initializing(linen, seed=3)(KEYS[0])["params"]["ScanLayer_0"]
    for leaf in jax.tree.leaves(params):
        layers = [np.asarray(layer) for layer in leaf]
        is_drawn = bool(layers[0].std())
        assert len({layer.tobytes() for layer in layers}) == (LAYERS if is_drawn else 1)


def cut(leaf: Any, mesh: Any) -> NamedSharding:
    """Return a sharding of the last axes that four devices can cut."""
    axes = ["x" if length % 2 == 0 else None for length in leaf.shape[:-1]]
    axes = [axis if place == 1 else None for place, axis in enumerate(axes)]
    last = ["y"] if leaf.shape and leaf.shape[-1] % 2 == 0 else []
    is_key = jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key)
    return NamedSharding(mesh, P() if is_key else P(*axes, *last))


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_one_digest_whatever_the_layout_and_nothing_is_fetched_twice(
    make: Callable[[Any], Any], server: ServerProcess
) -> None:
    recording = record(make, KEYS[0])
    manifest = manifest_of(recording, seed=3)
    whole = initialize(recording, seed=3)
    mesh = mesh_of((2, 2))
    shardings = jax.tree.map(lambda leaf: cut(leaf, mesh), recording.shapes)
    drawn_bytes = sum(
        spec.element_count * spec.dtype.itemsize
        for spec in manifest.tensors
        if spec.initializer.random
    )
    with sb.connect(server.address) as client:
        before = server.metric("seedbed_bytes_served_total")
        sharded = initialize(recording, shardings, seed=3, client=client)
        assert server.metric("seedbed_bytes_served_total") - before == drawn_bytes
    assert digest(sharded) == digest(whole)
    for leaf, sharding in zip(jax.tree.leaves(sharded), jax.tree.leaves(shardings), strict=True):
        assert leaf.sharding.is_equivalent_to(sharding, leaf.ndim)
    jitted = initializing(jax.jit(make), seed=3, out_shardings=NamedSharding(mesh, P()))
    assert digest(jitted(KEYS[0])) == digest(whole)
    assert digest(initializing(make, seed=4)(KEYS[0])) != digest(whole)


def test_the_manifest_has_the_digest_of_every_leaf_that_is_not_computed(tmp_path: Path) -> None:
    recording = record(linen, KEYS[0])
    manifest = manifest_of(recording, seed=3)
    manifest.save(tmp_path / "model.yaml")
    assert sb.Manifest.load(tmp_path / "model.yaml") == manifest
    stated = sb.get_default_client().digest_all(manifest)
    filled = digests(initialize(recording, seed=3))
    computed = {name.split("#")[0] for name in manifest if "#" in name}
    assert computed == {"params/Conv_0/kernel", "params/ScanLayer_0/dt_bias"}
    names = set(filled) - computed - {"params/positions"}
    assert {name: filled[name] for name in names} == {name: stated[name] for name in names}
    assert names | computed == {name.split("#")[0] for name in manifest}


def test_a_model_of_nnx_is_whole_and_runs(recorder: RecordingClient) -> None:
    model = initializing(decoder, seed=3, client=recorder)()
    assert isinstance(model, Decoder)
    assert model.head is model.embed
    assert not any("head" in spec.name for spec, _ in recorder.parts)
    counts = model.layers.dropout.rngs.count
    np.testing.assert_array_equal(counts[...], np.zeros(LAYERS))
    keys = jax.random.key_data(model.layers.dropout.rngs.key[...])
    assert len(np.unique(keys, axis=0)) == LAYERS
    assert np.isfinite(model(IDS)).all()
    np.testing.assert_array_equal(counts[...], np.ones(LAYERS))
    assert digest(initializing(decoder, seed=3)()) == digest(initialize(record(decoder), seed=3))


def test_shardings_that_the_model_asks_for_are_followed() -> None:
    class Net(nnx.Module):  # type: ignore[misc]  # Any where Flax is not installed
        def __init__(self) -> None:
            init = nnx.with_partitioning(nnx.initializers.lecun_normal(), ("x", "y"))
            self.linear = nnx.Linear(8, 16, kernel_init=init, rngs=nnx.Rngs(0))

    mesh = mesh_of((2, 2))
    with jax.set_mesh(mesh):
        model = initializing(Net, seed=1)()
        state = nnx.state(nnx.eval_shape(Net))
        named = initializing(Net, seed=1, out_shardings=nnx.get_named_sharding(state, mesh))()
    for each in (model, named):
        assert each.linear.kernel[...].sharding == NamedSharding(mesh, P("x", "y"))
    graph, abstract = nnx.get_abstract_model(Net, mesh)
    rules = {"linear/kernel": "lecun_normal", "*": "zeros"}
    by_rules = nnx.merge(graph, initialize(abstract, seed=1, rules=rules))
    assert by_rules.linear.kernel[...].sharding == NamedSharding(mesh, P("x", "y"))
    # JAX rounds the standard deviation to 32 bits on the way, so the last bit may differ.
    np.testing.assert_allclose(by_rules.linear.kernel[...], model.linear.kernel[...], rtol=1e-6)
