"""A module's own code with seedbed's numbers: what is filled, under which name, fetched when."""

import math
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import init
from torch.nn.utils.parametrizations import orthogonal, spectral_norm, weight_norm

import seedbed as sb
import seedbed.torch as sbt
from tests.frameworks.torch.recording import RecordingClient, nan

Code = Callable[[nn.Module], object]


def on_meta(make: Callable[[], nn.Module]) -> nn.Module:
    with torch.device("meta"):
        return make()


def holder(*shape: int, dtype: torch.dtype = torch.float32) -> nn.Module:
    """Return a module with one parameter, ``weight``, on meta."""
    module = nn.Module()
    module.weight = nn.Parameter(torch.empty(shape, dtype=dtype, device="meta"))
    return module


def filled(code: Code, *shape: int, **options: Any) -> torch.Tensor:
    """Return what code makes of a parameter."""
    module = holder(*shape)
    with sbt.initializing(module, seed=1, **options):
        code(module)
    return module.weight.detach()


def whole(function: Callable[..., torch.Tensor], *shape: int, **arguments: Any) -> torch.Tensor:
    return function(torch.empty(shape), **arguments, seed=1, name="weight")


@contextmanager
def calls_of(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[list[str]]]:
    """Collect the names that each call of sample_all asks for."""
    calls: list[list[str]] = []
    original = RecordingClient.sample_all

    def sample_all(self: RecordingClient, manifest: sb.Manifest, **arguments: Any) -> Any:
        calls.append(list(manifest))
        return original(self, manifest, **arguments)

    with monkeypatch.context() as patch:
        patch.setattr(RecordingClient, "sample_all", sample_all)
        yield calls


WHOLE: dict[str, tuple[Code, Any, dict[str, Any]]] = {
    "init.normal_": (
        lambda m: init.normal_(m.weight, 1.0, 2.0),
        sbt.normal_,
        {"mean": 1, "std": 2},
    ),
    "init.uniform_": (lambda m: init.uniform_(m.weight, 1, 2), sbt.uniform_, {"a": 1, "b": 2}),
    "init.trunc_normal_": (
        lambda m: init.trunc_normal_(m.weight, std=0.02, a=-0.06, b=0.06),
        sbt.trunc_normal_,
        {"std": 0.02, "a": -0.06, "b": 0.06},
    ),
    "init.xavier_uniform_": (
        lambda m: init.xavier_uniform_(m.weight, gain=2.0),
        sbt.xavier_uniform_,
        {"gain": 2.0},
    ),
    "init.xavier_normal_": (lambda m: init.xavier_normal_(m.weight), sbt.xavier_normal_, {}),
    "init.kaiming_uniform_": (
        lambda m: init.kaiming_uniform_(m.weight, math.sqrt(5)),
        sbt.kaiming_uniform_,
        {"a": math.sqrt(5)},
    ),
    "init.kaiming_normal_": (
        lambda m: init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity="relu"),
        sbt.kaiming_normal_,
        {"mode": "fan_out", "nonlinearity": "relu"},
    ),
    "init.orthogonal_": (lambda m: init.orthogonal_(m.weight, 2.0), sbt.orthogonal_, {"gain": 2.0}),
    "init.sparse_": (lambda m: init.sparse_(m.weight, 0.3), sbt.sparse_, {"sparsity": 0.3}),
    "init.eye_": (lambda m: init.eye_(m.weight), lambda t, **_: sbt.eye_(t), {}),
    "sbt.normal_": (lambda m: sbt.normal_(m.weight, std=3.0), sbt.normal_, {"std": 3.0}),
    "Tensor.normal_": (lambda m: m.weight.normal_(0, 3), sbt.normal_, {"std": 3}),
    "data.normal_": (lambda m: m.weight.data.normal_(std=3), sbt.normal_, {"std": 3}),
    "detach().uniform_": (lambda m: m.weight.detach().uniform_(), sbt.uniform_, {}),
    "a generator": (
        lambda m: m.weight.uniform_(generator=torch.Generator().manual_seed(5)),
        sbt.uniform_,
        {},
    ),
    "randn(out=)": (lambda m: torch.randn(6, 4, out=m.weight.data), sbt.normal_, {}),
    "a copy of randn": (lambda m: m.weight.copy_(torch.randn(6, 4)), sbt.normal_, {}),
    "a copy of rand_like": (lambda m: m.weight.copy_(torch.rand_like(m.weight)), sbt.uniform_, {}),
    "a copy of normal": (
        lambda m: m.weight.copy_(torch.empty(6, 4).normal_(2, 3)),
        sbt.normal_,
        {"mean": 2, "std": 3},
    ),
    "data = randn": (lambda m: setattr(m.weight, "data", torch.randn(6, 4)), sbt.normal_, {}),
    "a new parameter": (
        lambda m: setattr(m, "weight", nn.Parameter(torch.randn(6, 4))),
        sbt.normal_,
        {},
    ),
    "a view of all": (lambda m: m.weight.view(-1).normal_(), sbt.normal_, {}),
    "a transpose": (lambda m: m.weight.t().normal_(), sbt.normal_, {}),
    "row by row": (lambda m: [row.normal_() for row in m.weight], sbt.normal_, {}),
    "twice": (lambda m: (m.weight.normal_(), m.weight.uniform_()), sbt.uniform_, {}),
    "twice the same": (lambda m: (m.weight.normal_(), m.weight.normal_()), sbt.normal_, {}),
}


@pytest.mark.parametrize("case", WHOLE)
def test_a_fill_is_seedbeds_under_the_parameters_name(case: str) -> None:
    code, function, arguments = WHOLE[case]
    state = torch.get_rng_state()
    assert torch.equal(filled(code, 6, 4), whole(function, 6, 4, **arguments))
    assert torch.equal(torch.get_rng_state(), state)


def test_the_draw_and_the_prefix_are_part_of_the_content() -> None:
    found = filled(lambda m: m.weight.normal_(), 6, 4, draw=2, prefix="layers.3.")
    assert torch.equal(found, sbt.normal_(nan((6, 4)), seed=1, draw=2, name="layers.3.weight"))


def test_names_can_be_others() -> None:
    expected = whole(sbt.normal_, 6, 4)
    for rename in ({"base.weight": "weight"}, lambda name: name.removeprefix("base.")):
        found = filled(lambda m: m.weight.normal_(), 6, 4, prefix="base.", rename=rename)
        assert torch.equal(found, expected)
    module = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    with pytest.raises(sb.InvalidValueError, match="`rename` must be one that leaves names diff"):
        sbt.initialize_(module, seed=1, rename=lambda name: name[1:])
    with pytest.raises(sb.InvalidTypeError, match="`rename` must be a function of a name"):
        sbt.initialize_(module, seed=1, rename="weight")  # type: ignore[arg-type]  # as a caller may


PARTS: dict[str, tuple[Code, Any]] = {
    "rows": (lambda m: m.weight[2:5].normal_(std=2), lambda w: w[2:5]),
    "one row": (lambda m: m.weight[3].normal_(std=2), lambda w: w[3]),
    "columns": (lambda m: m.weight[:, 1:3].normal_(std=2), lambda w: w[:, 1:3]),
    "a chunk": (lambda m: m.weight.chunk(3)[1].normal_(std=2), lambda w: w[2:4]),
    "heads": (
        lambda m: m.weight.view(3, 2, 4)[:, 1].normal_(std=2),
        lambda w: w.view(3, 2, 4)[:, 1],
    ),
    "every other row": (lambda m: m.weight[::2].normal_(std=2), lambda w: w[::2]),
}


@pytest.mark.parametrize("case", PARTS)
def test_a_part_gets_its_elements_by_their_places_in_the_whole(case: str) -> None:
    fill, part = PARTS[case]
    found = filled(lambda m: (m.weight.zero_(), fill(m)), 6, 4)
    expected = torch.zeros(6, 4)
    part(expected).copy_(part(whole(sbt.normal_, 6, 4, std=2)))
    assert torch.equal(found, expected)


def test_a_parts_fans_are_its_own() -> None:
    def code(module: nn.Module) -> None:
        for part in module.weight.chunk(3):
            init.xavier_uniform_(part)

    limit = math.sqrt(6 / (4 + 4))
    expected = whole(sbt.uniform_, 12, 4, a=-limit, b=limit)
    assert torch.allclose(filled(code, 12, 4), expected, rtol=1e-6)


def test_experts_in_a_loop_are_one_fetch(monkeypatch: pytest.MonkeyPatch) -> None:
    with calls_of(monkeypatch) as calls:
        found = filled(lambda m: [init.normal_(each, std=2.0) for each in m.weight], 8, 6, 4)
    assert calls == [["weight"]]
    assert torch.equal(found, whole(sbt.normal_, 8, 6, 4, std=2.0))


def test_a_part_that_is_a_matrix_of_its_own_is_named_by_its_place() -> None:
    found = filled(lambda m: [init.orthogonal_(each) for each in m.weight], 3, 4, 4)
    for each in found:
        assert torch.allclose(each @ each.T, torch.eye(4), atol=1e-5)
    assert not torch.equal(found[0], found[1])
    assert torch.equal(found[1], sbt.orthogonal_(nan((4, 4)), seed=1, name="weight[1:2,0:4,0:4]"))


def test_what_is_no_combination_of_indices_is_refused() -> None:
    with pytest.raises(sb.InvalidValueError, match="`weight` must be filled whole, or as a slice"):
        filled(lambda m: m.weight.diagonal().normal_(), 4, 4)


def test_the_padding_row_is_zero() -> None:
    def code(module: nn.Module) -> None:
        init.normal_(module.weight)
        init.zeros_(module.weight[2])

    expected = whole(sbt.normal_, 6, 4)
    expected[2] = 0
    assert torch.equal(filled(code, 6, 4), expected)


def test_many_fills_are_one_fetch(monkeypatch: pytest.MonkeyPatch) -> None:
    def code(module: nn.Module) -> None:
        for layer in module:
            init.normal_(layer.weight)
            layer.weight.data *= 0.5
            init.uniform_(layer.bias)
            layer.weight[0].zero_()
            init.trunc_normal_(layer.weight)

    module = on_meta(lambda: nn.Sequential(*(nn.Linear(4, 3) for _ in range(5))))
    with calls_of(monkeypatch) as calls, sbt.initializing(module, seed=1):
        code(module)
    (names,) = calls
    assert sorted(names) == sorted(name for name, _ in module.named_parameters())


READS: dict[str, Callable[[torch.Tensor], object]] = {
    "sum": lambda w: w.sum().item(),
    "numpy": lambda w: float(w.detach().numpy()[0, 0]),
    "tolist": lambda w: w.tolist()[0][0],
    "array": lambda w: float(np.asarray(w.detach())[0, 0]),
    "data_ptr": lambda w: w.data_ptr(),
    "pickle": pickle.dumps,
    "a view's norm": lambda w: w[1:].norm().item(),
    "if": lambda w: 1 if (w > 0).any() else 0,
}


@pytest.mark.parametrize("case", READS)
def test_what_reads_a_value_finds_it_there(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def code(module: nn.Module) -> None:
        init.normal_(module.weight)
        assert calls == []
        READS[case](module.weight)
        assert calls == [["weight"]]

    with calls_of(monkeypatch) as calls:
        found = filled(code, 6, 4)
    assert calls == [["weight"]]
    assert torch.equal(found, whole(sbt.normal_, 6, 4))


def test_what_is_computed_in_place_is_in_its_order() -> None:
    def code(module: nn.Module) -> None:
        w = module.weight
        init.normal_(w)
        w.mul_(2).add_(1)
        w[0] = 7
        w.clamp_(-1, 8)

    expected = whole(sbt.normal_, 6, 4).mul_(2).add_(1)
    expected[0] = 7
    assert torch.equal(filled(code, 6, 4), expected.clamp_(-1, 8))


def test_what_is_computed_from_random_numbers_is_right() -> None:
    def code(module: nn.Module) -> None:
        module.weight.copy_(torch.log(torch.rand(6, 4) * 15 + 1))

    found = filled(code, 6, 4)
    uniform = sbt.uniform_(torch.empty(6, 4), seed=1, name="#0")
    assert torch.equal(found, torch.log(uniform * 15 + 1))


class Steps(nn.Module):  # type: ignore[misc]  # torch is not installed where types are checked
    """Computes its parameter from random numbers of its own, as Mamba does."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = nn.Parameter(torch.empty(8))
        self.scale = nn.Parameter(torch.empty(8))

    def reset_parameters(self) -> None:
        self.steps.copy_(torch.exp(torch.rand(8)))
        self.scale.copy_(torch.exp(torch.rand(8)))


def test_temporaries_are_named_by_the_module_that_makes_them() -> None:
    whole_model = on_meta(lambda: nn.Sequential(Steps(), nn.Sequential(Steps(), Steps())))
    sbt.initialize_(whole_model, seed=1)
    stage = on_meta(lambda: nn.Sequential(Steps(), Steps()))
    with sbt.initializing(stage, seed=1, prefix="1."):
        stage.apply(lambda module: getattr(module, "reset_parameters", lambda: None)())
    assert sbt.digests(stage, prefix="1.").items() <= sbt.digests(whole_model).items()
    assert len({str(each) for each in sbt.digests(whole_model).values()}) == 6
    expected = sbt.uniform_(torch.empty(8), seed=1, name="1.0#1").exp()
    assert torch.equal(whole_model[1][0].scale, expected)


def test_normal_with_tensors_for_mean_and_deviation() -> None:
    mean, std = torch.arange(4.0), torch.arange(4.0) + 1

    def code(module: nn.Module) -> None:
        module.weight.copy_(torch.normal(mean, std) + torch.normal(0.0, 2.0, (4,)))

    first, second = (sbt.normal_(torch.empty(4), seed=1, name=f"#{n}") for n in range(2))
    assert torch.allclose(filled(code, 4), first * std + mean + second * 2.0)


REFUSED: dict[str, Callable[[nn.Module], object]] = {
    "bernoulli_": lambda m: m.weight.bernoulli_(0.5),
    "exponential_": lambda m: m.weight.exponential_(),
    "randperm": lambda m: torch.randperm(4),
    "randint": lambda m: torch.randint(0, 4, (2,)),
    "dropout": lambda m: nn.functional.dropout(torch.ones(4)),
    "multinomial": lambda m: torch.multinomial(torch.ones(4), 1),
}


@pytest.mark.parametrize("case", REFUSED)
def test_random_numbers_that_seedbed_does_not_have_are_an_error(case: str) -> None:
    with pytest.raises(sb.InvalidValueError, match="must be one whose numbers seedbed has"):
        filled(REFUSED[case], 4, 4)


def test_what_nothing_fills_is_an_error_that_lists_it() -> None:
    def make() -> nn.Module:
        module = nn.Sequential(*(nn.LayerNorm(3) for _ in range(4)), nn.Linear(3, 2))
        module.register_buffer("table", torch.empty(5))
        return module

    module = on_meta(make)
    with pytest.raises(sb.InvalidValueError) as caught, sbt.initializing(module, seed=1):
        init.normal_(module[4].weight)
    text = str(caught.value)
    assert sorted(text.split("\n    ")[1:]) == [
        '"*.bias": ...,  # x5 (3,) (2,)',
        '"0.weight": ...,  # (3,)',
        '"1.weight": ...,  # (3,)',
        '"2.weight": ...,  # (3,)',
        '"3.weight": ...,  # (3,)',
        '"table": ...,  # (5,)',
    ]
    # Nothing seems to have content that has none.
    assert all(tensor.is_meta for tensor in (*module.parameters(), *module.buffers()))


def test_what_is_filled_in_part_is_not_filled() -> None:
    with pytest.raises(sb.InvalidValueError, match=r'"weight": \.\.\.,  # \(6, 4\)'):
        filled(lambda m: m.weight[:5].normal_(), 6, 4)
    filled(lambda m: (m.weight[:5].normal_(), m.weight[4:].zero_()), 6, 4)


def test_untouched_parameters_can_stay_or_get_their_layers_defaults() -> None:
    def code(module: nn.Module) -> None:
        init.normal_(module[0].weight)

    def make() -> nn.Sequential:
        return nn.Sequential(nn.Linear(3, 3), nn.LayerNorm(3))

    module = make()
    with pytest.raises(sb.InvalidValueError, match=r"1\.weight"), sbt.initializing(module, seed=1):
        code(module)
    kept = module[0].bias.clone()
    with sbt.initializing(module, seed=1, untouched="keep"):
        code(module)
    assert torch.equal(module[0].bias, kept)
    with (
        pytest.raises(sb.InvalidValueError, match=r"\*.weight"),
        sbt.initializing(on_meta(make), seed=1, untouched="keep"),
    ):
        pass
    module = on_meta(make)
    with sbt.initializing(module, seed=1, untouched="defaults"):
        code(module)
    assert torch.equal(module[0].weight, sbt.normal_(nan((3, 3)), seed=1, name="0.weight"))
    assert torch.equal(module[0].bias, sbt.initialize_(make(), seed=1)[0].bias)
    with (
        pytest.raises(sb.InvalidValueError, match="`untouched` must be one of error, keep, def"),
        sbt.initializing(module, seed=1, untouched="zeros"),  # type: ignore[arg-type]  # likewise
    ):
        pass


def test_an_error_in_the_code_comes_through_and_leaves_torch_as_it_was() -> None:
    module = on_meta(lambda: nn.Linear(3, 3))
    with pytest.raises(ZeroDivisionError), sbt.initializing(module, seed=1):
        init.normal_(module.weight, std=1 / 0)
    assert module.weight.is_meta
    torch.manual_seed(0)
    first = init.orthogonal_(torch.empty(3, 3))
    torch.manual_seed(0)
    assert torch.equal(init.orthogonal_(torch.empty(3, 3)), first)
    assert torch.randperm(3).shape == (3,)


def test_the_record_says_what_was_done(client: RecordingClient) -> None:
    def make() -> nn.Module:
        module = nn.Sequential(nn.Linear(4, 3), nn.Embedding(5, 4, padding_idx=1), nn.LayerNorm(4))
        module.steps = nn.Parameter(torch.empty(4))
        module.register_buffer("table", torch.empty(3))
        return module

    module = on_meta(make)
    with sbt.initializing(module, seed=1, untouched="defaults") as recorded:
        module.steps.copy_(torch.arange(4.0))
        module.table.copy_(torch.arange(3.0))
        init.orthogonal_(module[0].weight)
        with pytest.raises(sb.SeedbedError, match="has not ended"):
            _ = recorded.manifest
    assert recorded.computed == ["steps", "table"]
    assert recorded.patched == ["1.weight"]
    digests = sbt.digests(module)
    stated = client.digest_all(recorded.manifest)
    assert {name for name in stated if stated[name] == digests[name]} == {
        "0.weight",
        "0.bias",
        "2.weight",
        "2.bias",
    }
    again = on_meta(make)
    sbt.initialize_(
        again,
        seed=1,
        rules={**recorded.rules, "steps": lambda p: p.copy_(torch.arange(4.0))},
        buffers={"table": "zeros"},
    )
    assert sbt.digests(again) == digests


@pytest.mark.parametrize("value", [math.inf, math.nan, -math.inf])
def test_a_constant_that_seedbed_does_not_have_is_torchs(value: float) -> None:
    found = filled(lambda m: m.weight.fill_(value), 3)
    assert torch.equal(found.nan_to_num(0.5), torch.full((3,), value).nan_to_num(0.5))


def test_a_negative_zero_is_in_no_manifest() -> None:
    module = holder(3)
    with sbt.initializing(module, seed=1) as recorded:
        module.weight.fill_(-0.0)
    assert torch.signbit(module.weight).all()
    assert recorded.computed == ["weight"]


def test_a_refused_operation_names_the_module_that_draws() -> None:
    class Drawing(nn.Linear):  # type: ignore[misc]  # torch is not installed where types are checked
        def reset_parameters(self) -> None:
            self.weight.data.bernoulli_(0.5)

    module = on_meta(lambda: nn.ModuleList([nn.Linear(2, 2), Drawing(2, 2)]))
    with pytest.raises(sb.InvalidValueError, match=r"aten\.bernoulli_\.float, drawn by 1"):
        sbt.initialize_(module, seed=1)


def test_a_dtype_that_seedbed_does_not_have_can_be_constant() -> None:
    module = holder(3, dtype=torch.complex64)
    with sbt.initializing(module, seed=1) as recorded:
        init.ones_(module.weight)
    assert module.weight.tolist() == [1, 1, 1]
    assert recorded.computed == ["weight"]


def test_tied_weights_stay_tied(monkeypatch: pytest.MonkeyPatch) -> None:
    def make() -> nn.Module:
        module = nn.Sequential(nn.Embedding(6, 4), nn.Linear(4, 6, bias=False))
        module[1].weight = module[0].weight
        return module

    module = on_meta(make)
    with calls_of(monkeypatch) as calls, sbt.initializing(module, seed=1):
        for layer in module:
            layer.reset_parameters()
    assert module[1].weight is module[0].weight
    assert calls == [["0.weight"]]
    late = on_meta(lambda: nn.Sequential(nn.Embedding(6, 4), nn.Linear(4, 6, bias=False)))
    with calls_of(monkeypatch) as calls, sbt.initializing(late, seed=1):
        init.normal_(late[0].weight)
        init.normal_(late[1].weight)
        late[1].weight = late[0].weight
    assert late[1].weight is late[0].weight
    assert calls == [["0.weight"]]


PARAMETRIZED: dict[str, Callable[[], nn.Module]] = {
    "weight_norm": lambda: weight_norm(nn.Linear(4, 6)),
    "spectral_norm": lambda: spectral_norm(nn.Conv1d(4, 6, 3)),
    "orthogonal": lambda: orthogonal(nn.Linear(4, 6)),
    "householder": lambda: orthogonal(nn.Linear(6, 6), orthogonal_map="householder"),
    "cayley": lambda: orthogonal(nn.Linear(6, 6), orthogonal_map="cayley"),
    "plain orthogonal": lambda: orthogonal(nn.Linear(4, 4), use_trivialization=False),
}


@pytest.mark.parametrize("name", PARAMETRIZED)
def test_a_parametrized_layer_is_what_its_reset_and_parametrization_make(name: str) -> None:
    first, second = PARAMETRIZED[name](), PARAMETRIZED[name]()
    for module in (first, second):
        with sbt.initializing(module, seed=1):
            module.reset_parameters()
    states = [module.state_dict() for module in (first, second)]
    for key, tensor in states[0].items():
        assert torch.equal(tensor, states[1][key]), key
        assert torch.isfinite(tensor).all()
    for module in (first, second):
        before = sbt.digest(module)
        assert sbt.digest(module) == before
        assert sbt.digest(sbt.initialize_(module, seed=1)) == before
        buffers = dict(module.named_buffers())
        assert all(torch.equal(buffers[key], states[0][key]) for key in buffers)
    plain = nn.Linear(4, 6) if name == "weight_norm" else None
    if plain is not None:
        sbt.initialize_(plain, seed=1)
        assert torch.allclose(first.weight, plain.weight, atol=1e-6)


@pytest.mark.parametrize("name", ["weight_norm", "spectral_norm"])
def test_a_parametrized_layer_on_meta_is_the_same(name: str) -> None:
    ordinary = sbt.initialize_(PARAMETRIZED[name](), seed=1)
    module = sbt.initialize_(on_meta(PARAMETRIZED[name]), seed=1)
    for key, tensor in ordinary.state_dict().items():
        assert torch.equal(tensor, module.state_dict()[key]), key


def test_what_torch_forgets_is_said() -> None:
    module = weight_norm(nn.Linear(4, 6))
    expected = sbt.digest(sbt.initialize_(weight_norm(nn.Linear(4, 6)), seed=1))
    with sbt.initializing(module, seed=1):
        with pytest.warns(UserWarning, match="weight is parametrized, so that torch forgets"):
            init.normal_(module.weight, std=3.0)
        init.uniform_(module.bias, -0.5, 0.5)
    assert sbt.digest(module) == expected
    with pytest.raises(sb.InvalidValueError, match="`tensor` must be a parameter"):
        sbt.normal_(module.weight, seed=1)
    sbt.normal_(module.bias[1:], seed=1)


def test_originals_can_be_filled_themselves() -> None:
    module = on_meta(lambda: weight_norm(nn.Linear(4, 6)))
    originals = module.parametrizations.weight
    with sbt.initializing(module, seed=1, untouched="defaults"):
        init.ones_(originals.original0)
        init.normal_(module.parametrizations.weight.original1)
    assert (module.parametrizations.weight.original0 == 1).all()
    name = "parametrizations.weight.original1"
    expected = sbt.normal_(nan((6, 4)), seed=1, name=name)
    assert torch.equal(module.parametrizations.weight.original1, expected)


def test_dtypes_are_kept(client: RecordingClient) -> None:
    for dtype in (torch.bfloat16, torch.float16, torch.float64):
        module = holder(6, 4, dtype=dtype)
        with sbt.initializing(module, seed=1):
            module.weight.copy_(torch.randn(6, 4))
        expected = sbt.normal_(torch.empty(6, 4, dtype=dtype), seed=1, name="weight")
        assert torch.equal(module.weight, expected)


def test_other_threads_draw_their_own() -> None:
    import threading

    found: list[torch.Tensor] = []

    def other() -> None:
        found.append(init.orthogonal_(torch.empty(3, 3)))

    def code(module: nn.Module) -> None:
        init.orthogonal_(module.weight)
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()

    ours = filled(code, 3, 3)
    assert torch.equal(ours, whole(sbt.orthogonal_, 3, 3))
    assert not torch.equal(found[0], ours)


class Deep(nn.Module):  # type: ignore[misc]  # torch is not installed where types are checked
    """Initializes its layers in loops of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleDict({str(n): nn.Linear(4, 4, bias=False) for n in range(4)})
        self.heads = nn.ModuleDict({str(n): nn.Linear(4, 4, bias=False) for n in range(2)})

    def init_weights(self) -> None:
        for block in self.blocks.values():
            block.weight.copy_(torch.randn(4, 4) * 0.02)
        for head in self.heads.values():
            head.weight.copy_(torch.rand(4, 4) * 0.02)


def test_a_loop_over_layers_names_what_it_draws_by_the_layer() -> None:
    whole_model = sbt.initialize_(on_meta(Deep), seed=1)
    stage = on_meta(Deep)
    for n in "01":
        del stage.blocks[n]
    del stage.heads["0"]
    sbt.initialize_(stage, seed=1)
    assert sbt.digests(stage).items() <= sbt.digests(whole_model).items()
    expected = sbt.normal_(torch.empty(4, 4), seed=1, name="blocks.3#0") * 0.02
    assert torch.equal(stage.blocks["3"].weight, expected)
    expected = sbt.uniform_(torch.empty(4, 4), seed=1, name="heads.1#0") * 0.02
    assert torch.equal(stage.heads["1"].weight, expected)
