"""A recording says what a function fills its leaves with, or what it cannot."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from jax.random import normal  # a name that nobody could replace
from jax.sharding import AxisType, NamedSharding
from jax.sharding import PartitionSpec as P

import seedbed as sb
from seedbed.jax import digest, initialize, initializing, manifest_of, record
from seedbed.jax import initializers as ours
from seedbed.jax.recording import draws
from seedbed.spec.fans import FanAxes
from seedbed.spec.initializers import (
    ConstantSpec,
    InitializerSpec,
    OnesSpec,
    OrthogonalSpec,
    RandomNormalSpec,
    RandomUniformSpec,
    TruncatedNormalSpec,
    ZerosSpec,
)
from tests.frameworks.jax.distributions import check_distributions
from tests.frameworks.jax.meshes import mesh_of
from tests.frameworks.recording import RecordingClient

KEY = jax.random.key(0)
KEYS = [jax.random.key(seed) for seed in range(4)]
SQUEEZED = 0.87962566103423978
F32 = np.dtype("float32")


def filled_by(init: Any, shape: Sequence[int], dtype: Any = F32) -> sb.TensorSpec:
    """Return the only tensor that an initializer of JAX's form asks for."""
    (spec,) = manifest_of(record(lambda key: {"w": init(key, shape, dtype)}, KEY), seed=1).tensors
    return spec


def truncated(variance: float) -> TruncatedNormalSpec:
    """Return the initializer of a variance, cut at two standard deviations."""
    return TruncatedNormalSpec(0.0, math.sqrt(variance) / SQUEEZED)


def limited(variance: float) -> RandomUniformSpec:
    """Return the uniform initializer of a variance."""
    return RandomUniformSpec(-math.sqrt(3 * variance), math.sqrt(3 * variance))


INITIALIZERS: dict[str, tuple[Callable[[Any], Any], tuple[int, ...], InitializerSpec]] = {
    "zeros": (lambda of: of.zeros, (4, 3), ZerosSpec()),
    "ones": (lambda of: of.ones, (4,), OnesSpec()),
    "constant": (lambda of: of.constant(-2.5), (4, 3), ConstantSpec(-2.5)),
    "normal": (lambda of: of.normal(0.02), (4, 3), RandomNormalSpec(0, 0.02)),
    "uniform": (lambda of: of.uniform(0.3), (4,), RandomUniformSpec(0, 0.3)),
    "truncated_normal": (
        lambda of: of.truncated_normal(0.02, lower=-3.0, upper=1.5),
        (4, 3),
        TruncatedNormalSpec(0, 0.02, -3, 1.5),
    ),
    "lecun_normal": (lambda of: of.lecun_normal(), (50, 3), truncated(1 / 50)),
    "lecun_uniform": (lambda of: of.lecun_uniform(), (50, 3), limited(1 / 50)),
    "he_normal of a convolution": (lambda of: of.he_normal(), (3, 3, 4, 8), truncated(2 / 36)),
    "he_uniform": (lambda of: of.he_uniform(), (50, 3), limited(2 / 50)),
    "glorot_normal": (lambda of: of.glorot_normal(), (50, 30), truncated(1 / 40)),
    "xavier_uniform": (lambda of: of.xavier_uniform(), (50, 30), limited(1 / 40)),
    "kaiming_normal, axes and batch": (
        lambda of: of.kaiming_normal(in_axis=1, out_axis=(2, 3), batch_axis=0),
        (5, 16, 4, 8),
        truncated(2 / 16),
    ),
    "an embedding's": (
        lambda of: of.variance_scaling(1.0, "fan_in", "normal", out_axis=0),
        (100, 16),
        RandomNormalSpec(0, 1 / 4),
    ),
    "fan_out": (
        lambda of: of.variance_scaling(3.0, "fan_out", "uniform"),
        (100, 16),
        limited(3 / 16),
    ),
    "fan_geo_avg": (
        lambda of: of.variance_scaling(3.0, "fan_geo_avg", "truncated_normal"),
        (100, 4),
        truncated(3 / 20),
    ),
    "orthogonal": (lambda of: of.orthogonal(1.5), (2, 6, 4), OrthogonalSpec(1.5)),
}


@pytest.mark.parametrize(
    "of", [jax.nn.initializers, nn.initializers, nnx.initializers, ours], ids=lambda of: of.__name__
)
@pytest.mark.parametrize("case", INITIALIZERS.values(), ids=INITIALIZERS)
def test_initializers_are_known_by_what_they_draw(case: Any, of: Any) -> None:
    make, shape, expected = case
    spec = filled_by(make(of), shape)
    assert (spec.name, spec.shape, spec.dtype.value) == ("w", shape, "float32")
    assert type(spec.initializer) is type(expected)
    for field in expected.__dataclass_fields__:
        value = getattr(expected, field)
        assert getattr(spec.initializer, field) == (
            pytest.approx(value, rel=1e-6) if isinstance(value, float) else value
        )


@pytest.mark.parametrize("of", [jax.nn.initializers, ours], ids=lambda of: of.__name__)
def test_what_is_orthogonal_stays_so_in_other_places(of: Any) -> None:
    def make(key: Any) -> Any:
        return {
            "delta": of.delta_orthogonal()(key, (3, 4, 8)),
            "columns": of.orthogonal(column_axis=0)(key, (4, 8)),
            "many": jax.vmap(lambda key: of.orthogonal(2.0)(key, (8, 4)))(jax.random.split(key, 3)),
        }

    filled = initializing(make, seed=1)(KEY)
    np.testing.assert_allclose(filled["delta"][1] @ filled["delta"][1].T, np.eye(4), atol=1e-6)
    assert not filled["delta"][0].any()
    np.testing.assert_allclose(filled["columns"] @ filled["columns"].T, np.eye(4), atol=1e-6)
    for matrix in filled["many"]:
        np.testing.assert_allclose(matrix.T @ matrix, 4 * np.eye(4), atol=1e-5)
    spec = manifest_of(record(make, KEY), seed=1)["many"]
    assert (spec.shape, spec.fan_axes) == ((3, 8, 4), FanAxes(batch_axis=0))


def computed(key: Any) -> dict[str, Any]:
    """Return what no initializer of seedbed fills."""
    first, second = jax.random.split(key)
    large = (2000,)
    return {
        "exponential": jax.random.exponential(first, large),
        "laplace": jax.random.laplace(first, large),
        "mask": jax.random.bernoulli(first, 0.3, large),
        "decay": jnp.exp(-jnp.exp(jax.random.uniform(first, large, minval=-6.0, maxval=-5.0))),
        "sum": normal(first, large) + jax.random.uniform(second, large),
        "rows": normal(first, (40, 50)) * jnp.arange(1.0, 41.0)[:, None],
        "padded": normal(first, (40, 50)).at[0].set(0.0),
        "clipped": jnp.clip(normal(first, large), -1, 1),
        "complex": normal(first, large, jnp.complex64).real,
        "arange": jnp.arange(5),
        "eye": jnp.eye(4),
        "table": np.linspace(0, 1, 7, dtype="float32"),
        "nan": jnp.full((3,), jnp.nan),
        "negative zero": jnp.full((3,), -0.0),
        "step": jnp.zeros((), "int32"),
    }


def test_everything_else_is_computed_as_it_is_written() -> None:
    filled = initializing(computed, seed=5)(KEY)
    drawn, fixed = check_distributions(filled, [computed(key) for key in KEYS])
    assert fixed == {"arange", "eye", "table", "nan", "negative zero", "step"}
    assert len(drawn) == 9
    names = [spec.name for spec in manifest_of(record(computed, KEY), seed=5).tensors]
    assert {"decay#0", "clipped#0", "sum#0", "negative zero", "step"} <= set(names)
    assert digest(filled) == digest(initializing(jax.jit(computed), seed=5)(KEY))


def controlled(key: Any) -> dict[str, Any]:
    """Return what comes out of calls, loops and conditionals."""
    keys = jax.random.split(key, 8)
    large = (2000,)

    def body(carry: Any, key: Any) -> Any:
        carry = 0.5 * carry + normal(key, (500,))
        return carry, carry

    def scanned(key: Any, **arguments: Any) -> Any:
        return jax.lax.scan(body, jnp.zeros(500), jax.random.split(key, 4), **arguments)

    return {
        "activation": jax.nn.gelu(normal(keys[0], large)),
        "remat": jax.checkpoint(jnp.sin)(normal(keys[1], large)),
        "conditional": jax.lax.cond(True, jnp.negative, jnp.exp, normal(keys[2], large)),
        "carry": scanned(keys[3])[0],
        "backwards": scanned(keys[4], reverse=True)[1],
        "loop": jax.lax.fori_loop(0, 5, lambda _, x: 1.1 * x, normal(keys[5], large)),
        "while": jax.lax.while_loop(
            lambda state: state[0] < 3,
            lambda state: (state[0] + 1, 1.5 * state[1]),
            (0, normal(keys[6], large)),
        )[1],
        "mapped": jax.lax.map(lambda key: normal(key, (500,)), jax.random.split(keys[7], 4)),
    }


def test_calls_loops_and_conditionals_are_followed() -> None:
    filled = initializing(controlled, seed=2)(KEY)
    drawn, _ = check_distributions(filled, [controlled(key) for key in KEYS])
    assert drawn == set(filled)
    backwards = np.asarray(filled["backwards"])
    assert abs(np.corrcoef(backwards[0], backwards[1])[0, 1]) > 0.3
    assert abs(np.corrcoef(backwards[0], backwards[3])[0, 1]) < 0.3
    manifest = manifest_of(record(controlled, KEY), seed=2)
    assert manifest["mapped"].shape == (4, 500)
    assert getattr(manifest["loop"].initializer, "stddev", 0) == pytest.approx(1.1**5)


def test_distributions_that_are_moved_and_scaled_stay_one_tensor() -> None:
    def make(key: Any) -> Any:
        keys = jax.random.split(key, 4)
        return {
            "shifted": 1.0 + 2.0 * normal(keys[0], (6, 4)).T,
            "minus": 1.0 - jax.random.uniform(keys[1], (4,)) / 4.0,
            "negative": -0.5 * normal(keys[2], (2, 3)).reshape(6).astype("bfloat16"),
        }

    manifest = manifest_of(record(make, KEY), seed=1)
    assert manifest["shifted"].initializer == RandomNormalSpec(1.0, 2.0)
    assert manifest["shifted"].shape == (4, 6)
    assert manifest["negative"].initializer == RandomNormalSpec(0.0, 0.5)
    assert manifest["negative"].dtype is sb.Dtype.BFLOAT16
    assert manifest["minus#0"].initializer == RandomUniformSpec(0.0, 1.0)


def test_the_same_key_gives_the_same_numbers() -> None:
    dense = nn.Dense(4)
    x = jnp.ones((1, 8))

    def make() -> Any:
        return {
            "critic": dense.init(KEY, x),
            "target": dense.init(KEY, x),
            "other": dense.init(KEYS[1], x),
        }

    recording = record(make)
    filled = initialize(recording, seed=1)
    kernels = {name: np.asarray(each["params"]["kernel"]) for name, each in filled.items()}
    np.testing.assert_array_equal(kernels["critic"], kernels["target"])
    assert (kernels["other"] != kernels["critic"]).all()
    drawn = [
        spec.name for spec in manifest_of(recording, seed=1).tensors if spec.initializer.random
    ]
    assert drawn == ["critic/params/kernel", "other/params/kernel"]
    twice = initializing(
        lambda: {**make(), "twice": jax.tree.map(lambda leaf: 2 * leaf, dense.init(KEY, x))}, seed=1
    )()
    kernel = twice["critic"]["params"]["kernel"]
    np.testing.assert_array_equal(twice["twice"]["params"]["kernel"], 2 * kernel)


@pytest.mark.parametrize(
    ("arguments", "stacked"),
    [
        ({"variable_axes": {"params": 0}, "split_rngs": {"params": False}}, True),
        ({"variable_broadcast": "params", "split_rngs": {"params": False}}, False),
    ],
    ids=["one key for all layers", "one layer many times"],
)
def test_scanned_layers_with_one_key_are_equal(arguments: Any, stacked: bool) -> None:
    class Layer(nn.Module):  # type: ignore[misc]  # Any where Flax is not installed
        @nn.compact  # type: ignore[untyped-decorator]
        def __call__(self, x: Any, _: Any) -> Any:
            return nn.Dense(64)(x), None

    scanned = nn.scan(Layer, length=3, **arguments)
    params = initializing(scanned().init, seed=1)(KEY, jnp.ones((1, 64)), None)["params"]
    kernel = np.asarray(params["Dense_0"]["kernel"])
    assert kernel.shape == ((3, 64, 64) if stacked else (64, 64))
    assert kernel.std() == pytest.approx(1 / 8, rel=0.05)
    if stacked:
        np.testing.assert_array_equal(kernel, np.broadcast_to(kernel[0], kernel.shape))


def test_what_depends_on_data_is_computed_from_the_parameters() -> None:
    class Centered(nn.Module):  # type: ignore[misc]  # Any where Flax is not installed
        @nn.compact  # type: ignore[untyped-decorator]
        def __call__(self, x: Any) -> Any:
            x = nn.Dense(8)(x)
            return x + self.param("shift", lambda _: -x.mean(0))

    x = jnp.arange(12.0).reshape(3, 4)
    params = initializing(Centered().init, seed=1)(KEY, x)["params"]
    np.testing.assert_allclose(
        params["shift"], -(x @ params["Dense_0"]["kernel"]).mean(0), rtol=1e-5
    )
    with pytest.raises(sb.InvalidValueError, match=r'`arguments` must be.*\n    "params/shift"'):
        initializing(Centered().init, seed=1)(KEY, jax.ShapeDtypeStruct((3, 4), "float32"))


def test_a_function_that_was_traced_before_is_recorded_and_stays_as_it_is() -> None:
    init = jax.jit(nn.Dense(4).init)
    x = jnp.ones((1, 8))
    before = init(KEY, x)
    filled = initializing(init, seed=1)(KEY, x)
    jax.tree.map(np.testing.assert_array_equal, init(KEY, x), before)
    assert (np.asarray(filled["params"]["kernel"]) != before["params"]["kernel"]).any()
    assert digest(filled) == digest(initializing(nn.Dense(4).init, seed=1)(KEY, x))


@pytest.mark.parametrize(
    "key",
    [jax.random.PRNGKey(0), jax.random.key(0, impl="rbg"), jax.eval_shape(lambda: KEY)],
    ids=["raw", "rbg", "abstract"],
)
def test_any_key_will_do(key: Any) -> None:
    x = jax.ShapeDtypeStruct((1, 8), "float32")
    filled = initializing(nn.Dense(4).init, seed=1)(key, x)
    assert digest(filled) == digest(initializing(nn.Dense(4).init, seed=1)(KEY, x))


def test_a_distribution_that_is_not_recognized_is_drawn_by_what_it_is_made_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(draws._REFERENCES, "normal")
    filled = initializing(lambda key: normal(key, (5000,)), seed=1)
    assert [
        spec.initializer for spec in manifest_of(record(normal, KEY, (5,)), seed=1).tensors
    ] == [RandomUniformSpec(float(np.nextafter(np.float32(-1), np.float32(0))), 1.0)]
    check_distributions([filled(KEY)], [[normal(key, (5000,))] for key in KEYS])


def unknown(key: Any) -> dict[str, Any]:
    """Return leaves of which most draw in ways that seedbed does not know."""
    return {
        "bounds": jax.random.uniform(key, (3,), minval=jnp.arange(3.0), maxval=5.0),
        "while": jax.lax.while_loop(
            lambda state: state[0] < 2,
            lambda state: (state[0] + 1, normal(key, (3,))),
            (0, jnp.zeros(3)),
        )[1],
        "order": jax.random.permutation(key, 8),
        "gamma": jax.random.gamma(key, 2.0, (3,)),
        "layers": [{"choice": jax.random.randint(key, (4,), 0, 9)} for _ in range(3)],
        "kernel": normal(key, (4, 3)),
    }


def test_what_cannot_be_drawn_is_named_all_at_once_and_a_rule_can_fill_it() -> None:
    recording = record(unknown, KEY)
    with pytest.raises(sb.InvalidValueError) as caught:
        initialize(recording, seed=1)
    text = str(caught.value)
    for name in ("order", "gamma", "bounds", "while"):
        assert f'\n    "{name}": ...,' in text
    assert '\n    "layers/*/choice": ...,  # x3' in text
    assert "kernel" not in text
    rules = {"order": "ones", **dict.fromkeys(["gamma", "layers/*", "bounds", "while"], "zeros")}
    filled = initialize(recording, seed=1, rules=rules)
    assert filled["order"].dtype == "int32"
    expected = sb.RandomNormal(stddev=1.0, seed=1)((4, 3), name="kernel")
    np.testing.assert_array_equal(filled["kernel"], expected)


def test_rules_come_first_and_names_can_have_a_prefix() -> None:
    recording = record(nn.Dense(4).init, KEY, jnp.ones((1, 8)))
    filled = initialize(recording, seed=1, rules={"*/bias": "ones"}, prefix="net/", draw=2)
    assert (filled["params"]["bias"] == 1).all()
    spec = manifest_of(recording, seed=1, prefix="net/", draw=2)["net/params/kernel"]
    np.testing.assert_array_equal(filled["params"]["kernel"], sb.get_default_client().sample(spec))
    with pytest.raises(sb.InvalidValueError, match="match a name"):
        initialize(recording, seed=1, rules={"*/nothing": "ones"})


def test_a_copy_of_a_leaf_that_a_rule_fills_has_its_own_numbers() -> None:
    recording = record(lambda: {"a": normal(KEY, (3,)), "b": normal(KEY, (3,))})
    filled = initialize(recording, seed=1, rules={"a": "ones"})
    np.testing.assert_array_equal(filled["b"], sb.RandomNormal(stddev=1.0, seed=1)((3,), name="b"))


def test_an_optimizer_s_state_is_made_and_not_fetched(recorder: RecordingClient) -> None:
    def make(key: Any) -> Any:
        params = nn.Dense(4).init(key, jnp.ones((1, 8)))["params"]
        return {"params": params, "state": optax.adam(1e-3).init(params), "step": 0, "name": "adam"}

    state = initializing(make, seed=1, client=recorder)(KEY)
    assert [spec.name for spec, _ in recorder.parts] == ["params/kernel"]
    assert (state["step"], state["name"]) == (0, "adam")
    assert not state["state"][0].mu["kernel"].any()

    def both() -> Any:
        model = nnx.Linear(8, 4, rngs=nnx.Rngs(0))
        return model, nnx.Optimizer(model, optax.adam(1e-3), wrt=nnx.Param)

    model, optimizer = initializing(both, seed=1, client=recorder)()
    grads = jax.tree.map(jnp.ones_like, nnx.state(model, nnx.Param))
    optimizer.update(model, grads)
    assert optimizer.step[...] == 1


def test_equinox_has_its_own_numbers_in_its_own_layout() -> None:
    def make(key: Any) -> Any:
        return eqx.nn.MLP(16, 8, 64, 2, key=key)

    model = initializing(make, seed=1)(KEY)
    assert model(jnp.ones(16)).shape == (8,)
    drawn, _ = check_distributions(
        eqx.filter(model, eqx.is_array), [eqx.filter(make(key), eqx.is_array) for key in KEYS]
    )
    assert "layers/0/weight" in drawn


@pytest.mark.parametrize("kind", [AxisType.Auto, AxisType.Explicit], ids=str)
def test_out_shardings_inside_a_function_are_followed(kind: Any) -> None:
    mesh = mesh_of((2, 2), kind)

    def make(key: Any) -> Any:
        kernel = ours.lecun_normal()(key, (8, 4), "float32", P("x", "y"))
        plain = jax.nn.initializers.lecun_normal()(key, (8, 4))
        cut = NamedSharding(mesh, P("y"))
        if kind is AxisType.Auto:
            plain = jax.lax.with_sharding_constraint(plain, cut)
        else:
            plain = jax.sharding.reshard(plain, cut)
        return {"ours": kernel, "plain": plain}

    with jax.set_mesh(mesh):
        filled = initializing(make, seed=1)(KEY)
    assert filled["ours"].sharding.spec == P("x", "y")
    assert filled["plain"].sharding.is_equivalent_to(NamedSharding(mesh, P("y")), 2)
    expected = sb.LecunNormal(seed=1)((8, 4), name="ours")
    np.testing.assert_array_equal(filled["ours"], expected)
    np.testing.assert_allclose(
        filled["plain"], sb.LecunNormal(seed=1)((8, 4), name="plain"), rtol=1e-6
    )


def test_names_that_two_leaves_have_are_refused() -> None:
    with pytest.raises(sb.InvalidValueError, match=r"different names.*a/b"):
        record(lambda: {"a/b": jnp.ones(2), "a": {"b": jnp.ones(2)}})
