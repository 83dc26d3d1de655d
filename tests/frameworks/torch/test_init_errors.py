"""torch's refusals are ours, with the same builtin exception, and name the argument."""

import math
import warnings
from typing import Any

import pytest
import torch

import seedbed as sb
import seedbed.torch as sbt

INT = torch.int32

CASES: list[tuple[str, tuple[int, ...], Any, dict[str, Any], type[Exception]]] = [
    ("uniform_", (3,), INT, {}, NotImplementedError),
    ("normal_", (3,), INT, {}, NotImplementedError),
    ("trunc_normal_", (3,), INT, {}, NotImplementedError),
    ("orthogonal_", (3, 3), INT, {}, NotImplementedError),
    ("sparse_", (3, 3), INT, {"sparsity": 0.1}, NotImplementedError),
    ("uniform_", (3,), None, {"a": 1, "b": 0}, RuntimeError),
    ("uniform_", (3,), None, {"a": math.nan}, RuntimeError),
    ("uniform_", (3,), None, {"b": 1e39}, RuntimeError),
    ("uniform_", (3,), None, {"a": "x"}, TypeError),
    ("uniform_", (3,), None, {"generator": 3}, TypeError),
    ("normal_", (3,), None, {"std": -1}, RuntimeError),
    ("normal_", (3,), None, {"std": math.nan}, RuntimeError),
    ("normal_", (3,), None, {"mean": "x"}, TypeError),
    ("xavier_uniform_", (3,), None, {}, ValueError),
    ("xavier_normal_", (), None, {}, ValueError),
    ("xavier_uniform_", (3, 3), None, {"gain": -1}, RuntimeError),
    ("xavier_normal_", (3, 3), None, {"gain": -1}, RuntimeError),
    ("xavier_normal_", (3, 3), None, {"gain": "x"}, TypeError),
    ("xavier_uniform_", (3, 3), INT, {}, NotImplementedError),
    ("kaiming_uniform_", (3,), None, {}, ValueError),
    ("kaiming_normal_", (3,), None, {}, ValueError),
    ("kaiming_uniform_", (3, 3), None, {"mode": "fan_avg"}, ValueError),
    ("kaiming_normal_", (3, 3), None, {"mode": "x"}, ValueError),
    ("kaiming_uniform_", (3, 3), None, {"nonlinearity": "gelu"}, ValueError),
    ("kaiming_normal_", (3, 3), None, {"a": "x"}, ValueError),
    ("kaiming_normal_", (3, 3), None, {"a": True}, ValueError),
    ("kaiming_normal_", (3, 3), INT, {}, NotImplementedError),
    ("orthogonal_", (3,), None, {}, ValueError),
    ("eye_", (3,), None, {}, ValueError),
    ("eye_", (3, 3, 3), None, {}, ValueError),
    ("dirac_", (3, 3), None, {}, ValueError),
    ("dirac_", (3, 3, 1, 1, 1, 1), None, {}, ValueError),
    ("dirac_", (3, 3, 3), None, {"groups": 2}, ValueError),
    ("sparse_", (3,), None, {"sparsity": 0.1}, ValueError),
    ("sparse_", (3, 3, 3), None, {"sparsity": 0.1}, ValueError),
    ("sparse_", (3, 3), None, {"sparsity": 0.1, "std": -1}, RuntimeError),
    ("sparse_", (3, 3), None, {"sparsity": "x"}, TypeError),
    ("constant_", (3,), None, {"val": "x"}, TypeError),
    ("constant_", (3,), torch.int8, {"val": 300}, RuntimeError),
    ("constant_", (3,), torch.float16, {"val": 1e6}, RuntimeError),
]


@pytest.mark.parametrize(("name", "shape", "dtype", "parameters", "kind"), CASES)
def test_the_exception_is_torchs(
    name: str, shape: tuple[int, ...], dtype: Any, parameters: dict[str, Any], kind: type[Exception]
) -> None:
    tensor = torch.zeros(shape, dtype=dtype or torch.float32)
    with pytest.raises(kind):
        getattr(torch.nn.init, name)(tensor.clone(), **parameters)
    state = torch.get_rng_state()
    with pytest.raises(kind) as caught:
        getattr(sbt, name)(tensor, **parameters)
    assert isinstance(caught.value, sb.SeedbedError)
    assert not tensor.any()
    # What is refused has drawn nothing.
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("uniform_", {"a": 1, "b": 0}, "`b` must be at least a (1.0). Received: 0.0"),
        ("normal_", {"std": -1}, "`std` must be 0 or more. Received: -1.0"),
        ("trunc_normal_", {"std": 0}, "`std` must be positive. Received: 0.0"),
        ("trunc_normal_", {"a": 2, "b": 1}, "`b` must be above a (2.0). Received: 1.0"),
        (
            "trunc_normal_",
            {"a": 5, "b": 6},
            "`a` must be at most 4.0 standard deviations. Received: 5.0",
        ),
        ("constant_", {"val": 1e39}, "`val` must be representable in float32. Received: 1e+39"),
        ("xavier_normal_", {"gain": -1}, "`gain` must be 0 or more. Received: -1.0"),
        ("sparse_", {"sparsity": 2}, "`sparsity` must be from 0 to 1. Received: 2.0"),
        ("dirac_", {"groups": 0}, "`groups` must be 1 or more. Received: 0"),
        (
            "normal_",
            {"seed": 2**64},
            "`seed` must be from -2**63 to 2**64 - 1. Received: 18446744073709551616",
        ),
        ("normal_", {"name": 3}, "`name` must be a string. Received: 3 (of type int)"),
        ("normal_", {"draw": -1}, "`draw` must be from 0 to 2**64 - 1. Received: -1"),
        ("normal_", {"client": 3}, "`client` must be a Client or None. Received: 3 (of type int)"),
        ("eye_", {"client": 3}, "`client` must be a Client or None. Received: 3 (of type int)"),
    ],
)
def test_an_error_names_torchs_argument(
    name: str, parameters: dict[str, Any], message: str
) -> None:
    with pytest.raises(sb.InvalidArgumentError) as caught:
        getattr(sbt, name)(torch.empty(3, 3), **parameters)
    assert str(caught.value) == message
    assert caught.value.field == message.split("`")[1]


@pytest.mark.parametrize("name", ["calculate_gain", "kaiming_normal_"])
@pytest.mark.parametrize("nonlinearity", ["gelu", "", 3])
def test_an_unknown_nonlinearity_is_a_value_error(name: str, nonlinearity: Any) -> None:
    arguments: tuple[Any, ...] = () if name == "calculate_gain" else (torch.empty(3, 3),)
    for module in (torch.nn.init, sbt):
        with pytest.raises(ValueError, match="nonlinearity"):
            getattr(module, name)(*arguments, nonlinearity=nonlinearity)


@pytest.mark.parametrize("param", ["x", True])
def test_a_slope_that_is_no_number_is_a_value_error(param: Any) -> None:
    for module in (torch.nn.init, sbt):
        with pytest.raises(ValueError, match="number"):
            module.calculate_gain("leaky_relu", param)


@pytest.mark.parametrize(
    "name", ["uniform_", "eye_", "orthogonal_", "kaiming_uniform_", "trunc_normal_", "constant_"]
)
def test_what_is_no_tensor_is_a_type_error(name: str) -> None:
    arguments = {"val": 1} if name == "constant_" else {}
    with pytest.raises(
        sb.InvalidTypeError, match=r"`tensor` must be a torch.Tensor. Received: \[1.0, 2.0\]"
    ):
        getattr(sbt, name)([1.0, 2.0], **arguments)


@pytest.mark.parametrize(
    "name", ["uniform_", "trunc_normal_", "ones_", "orthogonal_", "xavier_normal_", "eye_"]
)
def test_a_meta_tensor_is_an_error_that_says_what_to_do(name: str) -> None:
    tensor = torch.empty(3, 3, device="meta")
    with pytest.raises(
        sb.InvalidValueError, match="`tensor` must be on a device with memory: to_empty"
    ):
        getattr(sbt, name)(tensor)


def test_numbers_that_torch_would_change_silently_are_refused() -> None:
    assert torch.nn.init.constant_(torch.empty(1, dtype=INT), 2.7).item() == 2
    with pytest.raises(RuntimeError, match="`val` must be representable in int32"):
        sbt.constant_(torch.empty(1, dtype=INT), 2.7)


def test_a_sparse_tensor_is_refused() -> None:
    with pytest.raises(sb.InvalidValueError, match="`tensor` must be dense"):
        sbt.uniform_(torch.eye(3).to_sparse(), seed=1)


def test_a_complex_tensor_is_refused() -> None:
    with pytest.raises(NotImplementedError, match="`dtype` must be one of float16"):
        sbt.normal_(torch.empty(3, dtype=torch.complex64))


@pytest.mark.parametrize("name", ["kaiming_uniform_", "kaiming_normal_"])
def test_a_zero_size_tensor_is_warned_about_as_in_torch(name: str) -> None:
    for module in (torch.nn.init, sbt):
        with pytest.warns(
            UserWarning, match="Initializing zero-element tensors is a no-op"
        ) as caught:
            assert getattr(module, name)(torch.empty(0, 3)).shape == (0, 3)
        assert caught[0].filename == __file__


@pytest.mark.parametrize(
    "name", ["xavier_uniform_", "xavier_normal_", "uniform_", "orthogonal_", "eye_", "zeros_"]
)
@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
def test_a_zero_size_tensor_comes_back_as_it_is(name: str, shape: tuple[int, ...]) -> None:
    # torch's xavier functions divide by zero where both fans are.
    tensor = torch.empty(shape)
    assert getattr(sbt, name)(tensor) is tensor


def test_bounds_far_from_the_mean_need_no_warning() -> None:
    tensor = torch.empty(1000)
    with pytest.warns(UserWarning, match="more than 2 std"):
        torch.nn.init.trunc_normal_(tensor, 0.0, 1.0, 2.5, 3.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sbt.trunc_normal_(tensor, 0.0, 1.0, 2.5, 3.0)
    assert tensor.min() >= 2.5
    assert tensor.max() <= 3.0
