"""seedbed.jax.initializers has jax.nn.initializers' names, parameters, defaults and calls."""

import inspect

import jax
import jax.nn.initializers as theirs
import pytest

import seedbed.jax
from seedbed.jax import initializers as ours

NAMES = sorted(name for name in vars(theirs) if not name.startswith("_") and name != "annotations")
FACTORIES = [name for name in NAMES if name not in ("Initializer", "ones", "zeros")]
CALL = {"uniform": (), "variance_scaling": (1.0, "fan_in", "normal"), "constant": (3.0,)}


def parameters(function: object) -> dict[str, object]:
    """Return the names and the defaults of a function's parameters."""
    assert callable(function)
    return {name: each.default for name, each in inspect.signature(function).parameters.items()}


def test_every_name_of_jax_is_there() -> None:
    assert set(NAMES) == set(ours.__all__) <= set(seedbed.jax.__all__)
    assert all(getattr(seedbed.jax, name) is getattr(ours, name) for name in NAMES)


@pytest.mark.parametrize("name", FACTORIES)
def test_a_factory_has_the_parameters_and_defaults_of_jax(name: str) -> None:
    mine = parameters(getattr(ours, name))
    if name != "constant":
        assert mine.pop("client") is None
        assert (
            inspect.signature(getattr(ours, name)).parameters["client"].kind
            is inspect.Parameter.KEYWORD_ONLY
        )
    assert list(mine.items()) == list(parameters(getattr(theirs, name)).items())


@pytest.mark.parametrize("name", ["ones", "zeros", *FACTORIES])
def test_an_initializer_is_called_as_that_of_jax(name: str) -> None:
    mine, other = getattr(ours, name), getattr(theirs, name)
    if name in FACTORIES:
        mine, other = mine(*CALL.get(name, ())), other(*CALL.get(name, ()))
    assert list(parameters(mine).items()) == list(parameters(other).items())
    assert isinstance(mine, jax.nn.initializers.Initializer)


@pytest.mark.parametrize(("alias", "name"), [("xavier", "glorot"), ("kaiming", "he")])
@pytest.mark.parametrize("kind", ["normal", "uniform"])
def test_an_alias_is_the_same_function(alias: str, name: str, kind: str) -> None:
    assert getattr(ours, f"{alias}_{kind}") is getattr(ours, f"{name}_{kind}")


def test_a_factory_s_dtype_holds_where_a_call_says_none() -> None:
    key = jax.random.key(0)
    for module in (ours, theirs):
        init = module.normal(dtype="bfloat16")
        assert init(key, (2,)).dtype == "bfloat16"
        assert init(key, (2,), "float16").dtype == "float16"
        assert init(key, (2,), None).dtype == "float32", (
            "None is the default of JAX, not of the factory"
        )
