"""Code of odd kinds in a block of ``initializing``: it comes out as torch would run it."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import init
from torch.nn.utils.parametrizations import orthogonal, spectral_norm, weight_norm
from torch.nn.utils.parametrize import register_parametrization

import seedbed as sb
import seedbed.torch as sbt
from tests.frameworks.torch.recording import nan


class Two(nn.Module):  # type: ignore[misc]  # torch is not installed where types are checked
    """Two parameters of one shape."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Parameter(torch.full((6, 4), 7.0))
        self.b = nn.Parameter(torch.full((6, 4), 7.0))


def ran(code: Callable[[Any], object], **options: Any) -> Any:
    """Return two parameters after code."""
    module = Two()
    with sbt.initializing(module, seed=1, **options):
        code(module)
    return module


def normal(name: str, *shape: int) -> torch.Tensor:
    return sbt.normal_(nan(shape or (6, 4)), seed=1, name=name)


def test_what_was_copied_can_be_read_and_copied_again() -> None:
    def code(module: Two) -> None:
        made = torch.randn(6, 4)
        module.a.copy_(made)
        module.a.add_(1)
        module.b.copy_(made)
        made.zero_()

    module = ran(code)
    assert torch.equal(module.a, normal("a") + 1)
    assert torch.equal(module.b, normal("a"))


def test_what_was_copied_to_a_part_can_be_read() -> None:
    def code(module: Two) -> None:
        module.a.zero_()
        made = torch.randn(2, 4)
        module.a[2:4].copy_(made)
        module.b.zero_()
        module.b[:2].copy_(made * 2)

    module = ran(code)
    assert torch.equal(module.a[2:4], normal("a")[2:4])
    assert torch.equal(module.b[:2], normal("a")[2:4] * 2)


def test_what_was_copied_and_is_gone_needs_no_memory() -> None:
    def code(module: Two) -> None:
        storages = []
        for _ in range(3):
            made = torch.randn(6, 4)
            module.a.copy_(made)
            storages.append(torch.multiprocessing.reductions.StorageWeakRef(made.untyped_storage()))
            del made
        assert [storage.expired() for storage in storages] == [True, True, False]
        module.b.zero_()

    ran(code)


def exchanged(module: Two) -> None:
    init.normal_(module.a)
    init.normal_(module.b)
    module.a, module.b = module.b, module.a


def exchanged_data(module: Two) -> None:
    init.normal_(module.a)
    init.normal_(module.b)
    module.a.data, module.b.data = module.b.data, module.a.data


@pytest.mark.parametrize("code", [exchanged, exchanged_data])
def test_parameters_can_be_exchanged(code: Callable[[Any], object]) -> None:
    module = ran(code)
    assert torch.equal(module.a, normal("b"))
    assert torch.equal(module.b, normal("a"))


def test_memory_that_a_parameter_had_before_is_its_no_longer() -> None:
    def code(module: Two) -> None:
        module.b.zero_()
        for number in range(20):
            module.a.data = torch.full((6, 4), float(number))
            torch.empty(3, 4).normal_().sum()
            torch.empty(6, 4).zero_().sum()

    assert (ran(code).a == 19).all()


def test_data_can_have_another_dtype_and_shape() -> None:
    def code(module: Two) -> None:
        module.a.normal_()
        module.to(torch.bfloat16)
        module.b.data = torch.ones(3)

    module = ran(code)
    assert torch.equal(module.a, normal("a").bfloat16())
    assert torch.equal(module.b, torch.ones(3, dtype=torch.float32))


def test_kept_data_stay() -> None:
    class Replacing(Two):
        def init_weights(self) -> None:
            self.a.data = torch.zeros(6, 4)
            self.b.data = torch.zeros(6, 4)

    module = Replacing()
    module.a.requires_grad_(requires_grad=False)
    sbt.initialize_(module, seed=1)
    assert (module.a == 7).all()
    assert (module.b == 0).all()


def test_parameters_may_share_one_buffer() -> None:
    # As those of an LSTM do on a GPU.
    plain = sbt.initialize_(nn.LSTM(4, 3, 2), seed=1)
    flat = nn.LSTM(4, 3, 2)
    values = nn.utils.parameters_to_vector(flat.parameters()).detach()
    nn.utils.vector_to_parameters(values, flat.parameters())
    assert flat.weight_hh_l0.untyped_storage().data_ptr() == values.data_ptr()
    sbt.initialize_(flat, seed=1)
    assert sbt.digests(flat) == sbt.digests(plain)
    with sbt.initializing(flat, seed=1):
        flat.reset_parameters()
        values.mul_(2)
    assert torch.equal(flat.weight_hh_l1, plain.weight_hh_l1 * 2)


IN_PLACE: dict[str, Callable[[torch.Tensor], object]] = {
    "an axis is added": lambda w: w.unsqueeze_(0)[0, 1].zero_(),
    "a transpose": lambda w: w.t_()[1].zero_(),
    "apply_": lambda w: w.apply_(lambda value: value + 1),
    "map_": lambda w: w.map_(torch.ones(6, 4), lambda one, other: one + other),
    "numpy": lambda w: w.numpy().__setitem__(0, 5),
    "other bits": lambda w: w.view(torch.uint8)[0, :4].zero_(),
    "signs": lambda w: w.view(torch.int32).bitwise_and_(0x7FFFFFFF),
}


@pytest.mark.parametrize("case", IN_PLACE)
def test_what_changes_a_tensor_past_its_elements_is_in_its_order(case: str) -> None:
    def code(module: Two) -> None:
        module.a.normal_()
        IN_PLACE[case](module.a.data)
        module.b.zero_()

    expected = normal("a")
    IN_PLACE[case](expected.data)
    assert torch.equal(ran(code).a, expected)


def test_printing_shows_the_content() -> None:
    def code(module: Two) -> None:
        module.a.normal_()
        module.b.normal_()
        assert repr(module.a.detach()) == repr(normal("a"))
        assert f"{module.b[0, 0]:.3f}" == f"{normal('b')[0, 0]:.3f}"

    ran(code)


@pytest.mark.parametrize("value", [float("inf"), -float("inf"), float("nan"), -0.0])
def test_constants_can_be_any_number(value: float) -> None:
    module = ran(lambda module: [each.fill_(value) for each in module.parameters()])
    assert str(module.a[0, 0].item()) == str(value)


def test_normal_numbers_go_straight_to_a_parameter() -> None:
    def code(module: Two) -> None:
        module.a.uniform_()
        torch.normal(1.0, 2.0, (6, 4), out=module.a.data)
        module.b.uniform_()
        torch.normal(torch.zeros(6, 4), 2.0, out=module.b.data)

    module = ran(code)
    assert torch.equal(module.a, sbt.normal_(nan((6, 4)), 1.0, 2.0, seed=1, name="a"))
    assert torch.equal(module.b, normal("#0") * 2)


def test_whole_numbers_can_be_drawn_at_random() -> None:
    module = nn.Module()
    module.number = nn.Parameter(torch.empty(6, dtype=torch.int64), requires_grad=False)
    with sbt.initializing(module, seed=1):
        module.number.copy_(torch.rand(6) * 10)
        module.number.copy_(torch.rand(6))
    assert (module.number == 0).all()


def test_tensors_that_are_not_the_modules_are_filled_as_well() -> None:
    def code(module: Two) -> None:
        module.a.normal_()
        module.b.normal_()
        module.noise = [torch.randn(6, 4)]

    assert torch.equal(ran(code).noise[0], normal("#0"))


class Steps(nn.Module):  # type: ignore[misc]  # likewise
    """Computes its parameter from random numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = nn.Parameter(torch.empty(8))

    def reset_parameters(self) -> None:
        self.steps.copy_(torch.exp(torch.rand(8)))


def test_what_a_part_of_a_model_computes_is_what_the_whole_does() -> None:
    whole = sbt.initialize_(nn.Sequential(Steps(), Steps()), seed=1)
    part = sbt.initialize_(Steps(), seed=1, prefix="1.")
    assert torch.equal(part.steps, whole[1].steps)
    names = {"module.0.steps": "0.steps", "module.1.steps": "1.steps"}
    for rename in (lambda name: name.removeprefix("module."), names, names.__getitem__):
        average = nn.Module()
        average.module = nn.Sequential(Steps(), Steps())
        sbt.initialize_(average, seed=1, rename=rename)
        assert torch.equal(average.module[1].steps, whole[1].steps)


def test_code_can_read_what_rules_fill() -> None:
    class Copying(Two):
        def _init_weights(self) -> None:
            self.b.copy_(self.a)

    module = sbt.initialize_(Copying(), seed=1, rules={"a": sb.RandomNormal(stddev=1.0)})
    assert torch.equal(module.a, normal("a"))
    assert torch.equal(module.b, module.a)


def test_an_orthogonal_weight_of_a_recurrent_layer_has_one_base() -> None:
    def make() -> nn.Module:
        return orthogonal(nn.RNN(4, 4), "weight_hh_l0")

    first, second = (sbt.initialize_(make(), seed=1).state_dict() for _ in range(2))
    assert "parametrizations.weight_hh_l0.0.base" in first
    assert all(torch.equal(tensor, second[name]) for name, tensor in first.items())


class Scaled(nn.Module):  # type: ignore[misc]  # likewise
    """A parametrization with a parameter of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(4))

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        return weight * self.scale[:, None]

    def right_inverse(self, weight: torch.Tensor) -> torch.Tensor:
        return weight / self.scale[:, None]


def test_a_parametrization_s_own_parameters_follow_from_nothing() -> None:
    def make() -> nn.Module:
        layer = nn.Linear(4, 4)
        register_parametrization(layer, "weight", Scaled())
        return layer

    with torch.device("meta"):
        module = make()
    with pytest.raises(sb.InvalidValueError, match=r"weight\.0\.scale"):
        sbt.initialize_(module, seed=1)
    sbt.initialize_(module, seed=1, rules={"*.scale": sb.Constant(2.0)})
    assert torch.equal(module.weight, sbt.initialize_(nn.Linear(4, 4), seed=1).weight)


def test_parametrizations_that_cannot_be_followed_are_refused() -> None:
    with torch.device("meta"):
        module = orthogonal(nn.Linear(4, 6))
    with pytest.raises(sb.InvalidValueError, match="`weight` must be parametrized where it has"):
        sbt.initialize_(module, seed=1)
    with pytest.raises(sb.InvalidValueError, match="`weight` must be parametrized by spectral_no"):
        sbt.initialize_(spectral_norm(weight_norm(nn.Linear(4, 6))), seed=1)


def test_copies_of_a_parametrized_layer_work_in_a_block() -> None:
    module = weight_norm(nn.Linear(4, 6))
    other = copy.deepcopy(module)
    expected = other.weight.detach().clone()
    with sbt.initializing(module, seed=1):
        module.reset_parameters()
        assert torch.equal(other.weight, expected)


def test_parts_of_a_tensor_with_its_elements_elsewhere_are_its_parts() -> None:
    def code(module: nn.Module) -> None:
        for parameter in module.parameters():
            init.zeros_(parameter)
        module.weight[1:3, :2].normal_()
        init.trunc_normal_(module.weight[4:])
        module.weight[0].copy_(torch.randn(4, 3, 3))

    digests = []
    for memory_format in (torch.contiguous_format, torch.channels_last):
        module = nn.Conv2d(4, 6, 3).to(memory_format=memory_format)
        with sbt.initializing(module, seed=1):
            code(module)
        digests.append(sbt.digest(module))
    assert digests[0] == digests[1]


def test_a_model_can_be_emptied_in_the_block() -> None:
    def make() -> nn.Sequential:
        with torch.device("meta"):
            return nn.Sequential(
                nn.Embedding(5, 4, padding_idx=1), nn.Linear(4, 4), nn.LayerNorm(4)
            )

    module = make()
    with sbt.initializing(module, seed=1):
        module.to_empty(device="cpu")
        for layer in module:
            layer.reset_parameters()
    assert sbt.digests(module) == sbt.digests(sbt.initialize_(make(), seed=1))


def test_functions_with_a_seed_of_their_own_fill_in_a_block() -> None:
    module = ran(
        lambda module: [sbt.normal_(each, seed=5, name="x") for each in (module.a, module.b)]
    )
    assert torch.equal(module.a, sbt.normal_(nan((6, 4)), seed=5, name="x"))
    assert torch.equal(module.b, module.a)
