"""Tensors of every dtype and stride are filled in place; autograd sees only the version."""

import inspect
from typing import Any

import numpy as np
import pytest
import torch

import seedbed as sb
import seedbed.torch as sbt
from tests.frameworks.torch.recording import nan

DTYPES = [
    torch.float16,
    torch.bfloat16,
    torch.float32,
    torch.float64,
    torch.float8_e4m3fn,
    torch.float8_e5m2,
]
RANDOM: list[tuple[str, dict[str, Any]]] = [
    ("uniform_", {}),
    ("normal_", {}),
    ("trunc_normal_", {}),
    ("xavier_uniform_", {}),
    ("xavier_normal_", {}),
    ("kaiming_uniform_", {}),
    ("kaiming_normal_", {}),
    ("orthogonal_", {}),
    ("sparse_", {"sparsity": 0.3}),
]
FIXED: list[tuple[str, dict[str, Any]]] = [
    ("constant_", {"val": 0.5}),
    ("ones_", {}),
    ("zeros_", {}),
    ("eye_", {}),
]


def content(tensor: torch.Tensor) -> bytes:
    return bytes(tensor.detach().contiguous().reshape(-1).view(torch.uint8).numpy())


@pytest.mark.parametrize(("name", "parameters"), [*RANDOM, *FIXED], ids=str)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_every_floating_dtype_is_filled_with_float32_rounded_once(
    name: str, parameters: dict[str, Any], dtype: torch.dtype
) -> None:
    seed = {"seed": 3} if (name, parameters) in RANDOM else {}
    tensor = getattr(sbt, name)(nan((6, 5), dtype), **parameters, **seed)
    assert tensor.dtype is dtype
    if dtype is not torch.float64:
        wide = getattr(sbt, name)(nan((6, 5)), **parameters, **seed)
        # The bounds of a truncated normal are rounded to the dtype; no number is near them here.
        assert content(tensor) == content(wide.to(dtype))


@pytest.mark.parametrize(("name", "parameters"), RANDOM, ids=str)
def test_any_strides_get_the_numbers_of_their_indices(
    name: str, parameters: dict[str, Any]
) -> None:
    def filled(tensor: torch.Tensor) -> torch.Tensor:
        assert getattr(sbt, name)(tensor, **parameters, seed=4) is tensor
        return tensor

    expected = filled(nan((6, 4)))
    room = nan((13, 9))
    for tensor in (nan((4, 6)).t(), room[1:7, 3:7], room[1::2, ::2][:6, :4], nan((6, 4)).flip(0)):
        assert torch.equal(filled(tensor), expected)
    assert room[0].isnan().all()
    assert room[:, 8].isnan().all()


def test_memory_formats_do_not_matter() -> None:
    expected = sbt.kaiming_normal_(nan((4, 3, 5, 5)), seed=1)
    channels_last = nan((4, 3, 5, 5)).to(memory_format=torch.channels_last)
    assert torch.equal(sbt.kaiming_normal_(channels_last, seed=1), expected)
    assert channels_last.is_contiguous(memory_format=torch.channels_last)
    for name in ("orthogonal_", "dirac_"):
        seed = {"seed": 1} if name == "orthogonal_" else {}
        whole = getattr(sbt, name)(nan((4, 3, 5, 5)), **seed)
        assert torch.equal(getattr(sbt, name)(channels_last, **seed), whole)


def test_overlapping_memory_is_refused_as_in_torch() -> None:
    for module in (torch.nn.init, sbt):
        with pytest.raises(RuntimeError, match="more than one element of the written-to tensor"):
            module.uniform_(torch.empty(1, 3).expand(3, 3))


def test_scalars_and_vectors_are_filled() -> None:
    assert sbt.constant_(nan(()), 2.5).item() == 2.5
    assert 0 <= sbt.uniform_(nan(()), seed=1).item() < 1
    assert not sbt.normal_(nan((7,)), seed=1).isnan().any()


@pytest.mark.parametrize("dtype", [torch.int8, torch.int64, torch.uint8, torch.bool], ids=str)
def test_integers_take_what_is_not_random(dtype: torch.dtype) -> None:
    tensor = torch.full((3, 3), 1, dtype=dtype)
    assert torch.equal(sbt.zeros_(tensor), torch.zeros(3, 3, dtype=dtype))
    assert torch.equal(sbt.ones_(tensor), torch.ones(3, 3, dtype=dtype))
    assert torch.equal(sbt.constant_(tensor, 1), torch.ones(3, 3, dtype=dtype))


@pytest.mark.parametrize("is_contiguous", [True, False])
def test_a_parameter_is_filled_without_a_gradient_and_autograd_learns_of_it(
    is_contiguous: bool,
) -> None:
    parameter = torch.nn.Parameter(torch.ones(3, 4) if is_contiguous else torch.ones(4, 3).t())
    doubled = parameter * parameter
    version = parameter._version
    assert sbt.normal_(parameter, seed=1) is parameter
    assert parameter.requires_grad and parameter.is_leaf and parameter.grad_fn is None
    assert parameter._version > version
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        doubled.sum().backward()


def test_a_view_fills_its_base() -> None:
    base = nan((4, 6))
    sbt.uniform_(base[1], seed=1)
    assert not base[1].isnan().any()
    assert base[0].isnan().all()


def test_an_inference_tensor_is_filled() -> None:
    with torch.inference_mode():
        tensor = nan((3, 3))
    with torch.inference_mode():
        assert not sbt.normal_(tensor, seed=1).isnan().any()


def test_the_numbers_are_those_of_any_other_way_to_ask() -> None:
    axes = sb.FanAxes(in_axis=1, out_axis=0)
    spec = sb.TensorSpec(
        "w", (6, 4, 3), "bfloat16", sb.KaimingNormal(a=0.2, seed=9), draw=2, fan_axes=axes
    )
    expected = sb.get_default_client().sample(spec)
    ours = sbt.kaiming_normal_(nan((6, 4, 3), torch.bfloat16), 0.2, seed=9, name="w", draw=2)
    assert content(ours) == expected.tobytes()
    matrix = sb.get_default_client().sample(
        sb.TensorSpec("", (6, 12), "float32", sb.Orthogonal(seed=9))
    )
    assert np.array_equal(sbt.orthogonal_(nan((6, 4, 3)), seed=9).reshape(6, 12).numpy(), matrix)


@pytest.mark.parametrize(
    "name", sorted(name for name in torch.nn.init.__all__ if name.endswith("_"))
)
def test_the_parameters_and_defaults_are_torchs(name: str) -> None:
    theirs = list(inspect.signature(getattr(torch.nn.init, name)).parameters.values())
    ours = list(inspect.signature(getattr(sbt, name)).parameters.values())
    assert [(p.name, p.default) for p in ours[: len(theirs)]] == [
        (p.name, p.default) for p in theirs
    ]
    more = ours[len(theirs) :]
    assert {p.kind for p in more} == {inspect.Parameter.KEYWORD_ONLY}
    assert [p.name for p in more] == (
        ["seed", "name", "draw", "client"] if "generator" in str(theirs) else ["client"]
    )


def test_every_function_of_torch_is_there() -> None:
    current = {name for name in torch.nn.init.__all__ if name.endswith("_")} | {"calculate_gain"}
    assert current <= set(sbt.__all__)
    assert list(sbt.__all__) == sorted(sbt.__all__)
    signature = inspect.signature(torch.nn.init.calculate_gain)
    assert list(inspect.signature(sbt.calculate_gain).parameters) == list(signature.parameters)


DEPRECATED = [
    name.removesuffix("_")
    for name in (*dict(RANDOM), *dict(FIXED), "dirac_")
    if name not in ("trunc_normal_", "ones_", "zeros_")
]
ARGUMENTS: dict[str, tuple[Any, ...]] = {"constant": (2.0,), "sparse": (0.3,)}


def test_there_are_eleven_deprecated_names() -> None:
    assert len(DEPRECATED) == 11


@pytest.mark.parametrize("name", DEPRECATED)
def test_the_deprecated_names_warn_and_do_the_same(name: str) -> None:
    shape = (4, 4, 3) if name == "dirac" else (4, 4)
    seed = {} if name in ("constant", "dirac", "eye") else {"seed": 3}
    with pytest.warns(FutureWarning, match=f"`seedbed.torch.{name}` is deprecated.*use {name}_"):
        found = getattr(sbt, name)(nan(shape), *ARGUMENTS.get(name, ()), **seed)
    expected = getattr(sbt, name + "_")(nan(shape), *ARGUMENTS.get(name, ()), **seed)
    assert torch.equal(found, expected)
    with pytest.warns(FutureWarning):
        getattr(torch.nn.init, name)(nan(shape), *ARGUMENTS.get(name, ()))


# The compiler's own parts are deprecated in places.
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.parametrize("name", ["normal_", "xavier_uniform_", "zeros_"])
def test_torch_compile_runs_what_fills_as_it_is(name: str) -> None:
    seed = {} if name == "zeros_" else {"seed": 3}

    def fill(tensor: torch.Tensor) -> torch.Tensor:
        doubled = tensor * 2
        getattr(sbt, name)(doubled, **seed)
        return doubled + 1

    found = torch.compile(fill, backend="eager")(torch.ones(4, 3))
    assert torch.equal(found, fill(torch.ones(4, 3)))
