"""Whole modules: names and rules, the meta device, shared parameters, buffers, digests."""

import itertools
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import weight_norm
from torch.utils.checkpoint import checkpoint

import seedbed as sb
import seedbed.torch as sbt
from tests.forms_of_rules import FORMS
from tests.frameworks.torch.recording import RecordingClient, nan
from tests.servers import ServerProcess


class Tied(nn.Module):  # type: ignore[misc]  # torch is not installed where types are checked
    """An embedding whose weight is also the output's, a recurrent layer, and a buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(8, 4)
        self.rnn = nn.LSTM(4, 4)
        self.head = nn.Linear(4, 8)
        self.head.weight = self.embedding.weight
        self.register_buffer("positions", torch.arange(3.0))

    def forward(self, words: torch.Tensor) -> torch.Tensor:
        return self.head(self.rnn(self.embedding(words))[0])


def on_meta(kind: Any, *arguments: Any, **keywords: Any) -> Any:
    with torch.device("meta"):
        return kind(*arguments, **keywords)


def small() -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(4, 6), nn.LayerNorm(6), nn.Sequential(nn.Linear(6, 2, bias=False))
    )


POSITIONS = {"positions": lambda buffer: buffer.copy_(torch.arange(3.0))}


def test_a_parameter_is_what_its_name_says_whatever_else_there_is() -> None:
    whole = sbt.initialize_(small(), seed=5)
    alone = sbt.initialize_(nn.Linear(6, 2, bias=False), seed=5, prefix="2.0.")
    assert torch.equal(alone.weight, whole[2][0].weight)
    assert not torch.equal(
        sbt.initialize_(nn.Linear(6, 2, bias=False), seed=5).weight, alone.weight
    )
    for seed, draw in ((6, 0), (5, 1)):
        assert not torch.equal(
            sbt.initialize_(small(), seed=seed, draw=draw)[0].weight, whole[0].weight
        )


def test_the_module_comes_back_and_nothing_needs_a_gradient_for_it() -> None:
    module = small()
    before = dict(module.named_parameters())
    assert sbt.initialize_(module, seed=1) is module
    for name, parameter in module.named_parameters():
        assert parameter is before[name]
        assert parameter.requires_grad
        assert parameter.grad_fn is None


def test_the_default_generator_is_left_alone() -> None:
    state = torch.get_rng_state()
    module = small()
    torch.set_rng_state(state)
    sbt.initialize_(module, seed=1)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("form", FORMS, ids=FORMS)
def test_the_first_rule_that_matches_counts(form: str) -> None:
    rules = FORMS[form]({"2.*": sb.Constant(3.0), "*.weight": sb.Ones(), "0.bias": "zeros"})
    module = sbt.initialize_(small(), seed=1, rules=rules)
    assert (module[2][0].weight == 3).all()
    assert (module[0].weight == 1).all()
    assert (module[0].bias == 0).all()
    assert (module[1].bias == 0).all()


@pytest.mark.parametrize(
    "rule",
    [
        sb.XavierUniform(gain=2.0),
        {"class_name": "XavierUniform", "config": {"gain": 2.0}},
        sb.XavierUniform(gain=2.0).spec,
        sb.XavierUniform(gain=2.0, seed=99),
        sb.XavierUniform(gain=2.0, in_axis=1, out_axis=0),
    ],
    ids=["object", "dictionary", "spec", "object with a seed", "object with axes"],
)
def test_a_rules_fans_are_torchs_and_the_models_seed_counts(rule: Any) -> None:
    module = sbt.initialize_(nn.Conv2d(3, 5, 2, bias=False), seed=1, rules={"*": rule})
    expected = sbt.xavier_uniform_(nan((5, 3, 2, 2)), 2.0, seed=1, name="weight")
    assert torch.equal(module.weight, expected)


def test_a_rule_with_axes_of_its_own_keeps_them(client: RecordingClient) -> None:
    experts = nn.ParameterDict({"w": nn.Parameter(nan((3, 4, 5)))})
    sbt.initialize_(experts, seed=1, rules={"w": sb.Orthogonal(batch_axis=0)})
    for matrix in experts["w"].detach():
        assert torch.allclose(matrix @ matrix.T, torch.eye(4), atol=1e-6)
    sbt.initialize_(experts, seed=1, rules={"w": sb.HeNormal()})
    assert client.describe(client.specs[-1]).fan_in == 20


def test_a_rule_of_none_leaves_a_parameter_alone() -> None:
    module = small()
    kept = module[0].weight.clone()
    sbt.initialize_(module, seed=1, rules={"0.weight": None})
    assert torch.equal(module[0].weight, kept)


def test_patterns_tell_upper_from_lower_case() -> None:
    module = nn.ParameterDict(
        {"A": nn.Parameter(torch.zeros(1)), "a": nn.Parameter(torch.zeros(1))}
    )
    sbt.initialize_(module, seed=1, rules={"A": "ones", "?": None})
    assert (module["A"].item(), module["a"].item()) == (1, 0)


def test_parameters_without_a_rule_are_named_and_nothing_is_changed() -> None:
    module = nn.Sequential(
        nn.Linear(2, 2), weight_norm(nn.Linear(2, 2)), nn.ParameterList([torch.ones(3)])
    )
    before = sbt.digest(module)
    with pytest.raises(
        sb.InvalidValueError, match="`rules` must have a rule for each parameter"
    ) as caught:
        sbt.initialize_(module, seed=1)
    assert str(caught.value).split("\n    ")[1:] == ['"2.0": ...,  # (3,)']
    assert sbt.digest(module) == before
    sbt.initialize_(module, seed=1, rules={"1.param*": "ones", "2.*": "zeros"})
    assert module[2][0].tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seed": 1.5}, "`seed` must be an integer"),
        ({"seed": 2**64}, r"`seed` must be from -2\*\*63"),
        (
            {"rules": "*"},
            r"`rules` must be a mapping from patterns to initializers, or a list of \(pattern",
        ),
        (
            {"rules": [("*",)]},
            r"`rules\[0\]` must be \(pattern, initializer\) or {match: pattern, initializer: ...}",
        ),
        ({"rules": {"*": "glorot"}}, r"rules\['\*'\]: `initializer` must be one of"),
        (
            {"rules": {"*": lambda tensor: 3}},
            r"rules\['\*'\] of 0.weight: `initializer` must be a name",
        ),
        (
            {"rules": {"0.bias": sb.HeNormal()}},
            "0.bias: `shape` must be of two axes or more for an initializer with",
        ),
        (
            {"rules": {"0.weight": sb.Dirac()}},
            r"0.weight: `shape` must be a convolution kernel's for Dirac",
        ),
        ({"buffers": 3}, "`buffers` must be a mapping"),
        (
            {"buffers": [{"match": "*"}]},
            r"`buffers\[0\]` must be \(pattern, initializer\) or {match",
        ),
        ({"prefix": 3}, "`prefix` must be a string"),
        ({"draw": -1}, "`draw` must be from 0"),
        ({"client": "embedded:"}, "`client` must be a Client or None"),
    ],
    ids=str,
)
def test_wrong_arguments_are_refused_before_anything_is_changed(
    arguments: dict[str, Any], message: str
) -> None:
    module = on_meta(small)
    with pytest.raises(sb.InvalidArgumentError, match=message):
        sbt.initialize_(module, **{"seed": 1, **arguments})
    assert all(parameter.is_meta for parameter in module.parameters())


def test_what_is_no_module_is_refused() -> None:
    with pytest.raises(sb.InvalidTypeError, match=r"`module` must be a torch.nn.Module"):
        sbt.initialize_(torch.ones(3), seed=1)


def test_a_lazy_layer_must_know_its_shapes() -> None:
    module = nn.Sequential(nn.LazyLinear(3))
    with pytest.raises(sb.InvalidValueError, match=r'lazy layer.*Received: "0.weight"'):
        sbt.initialize_(module, seed=1)
    module(torch.ones(2, 4))
    expected = sbt.initialize_(nn.Sequential(nn.Linear(4, 3)), seed=1)
    assert sbt.digest(sbt.initialize_(module, seed=1)) == sbt.digest(expected)


def test_a_module_on_meta_gets_memory_and_the_same_content() -> None:
    ordinary = sbt.initialize_(Tied(), seed=3)
    module = sbt.initialize_(on_meta(Tied), seed=3, buffers=POSITIONS)
    assert sbt.digests(module) == sbt.digests(ordinary)
    assert {
        tensor.device.type for tensor in itertools.chain(module.parameters(), module.buffers())
    } == {"cpu"}
    assert all(parameter.requires_grad for parameter in module.parameters())
    words = torch.tensor([[1, 2, 3]])
    assert torch.equal(module(words), ordinary(words))
    module(words).sum().backward()


def test_shared_parameters_stay_shared_and_are_filled_once(client: RecordingClient) -> None:
    module = sbt.initialize_(on_meta(Tied), seed=3, buffers=POSITIONS)
    assert module.head.weight is module.embedding.weight
    names = [spec.name for spec in client.specs]
    assert "embedding.weight" in names
    assert "head.weight" not in names
    assert len(names) == len(set(names)) == 6
    # What torch's own to_empty does to a module of the same kind is what materializing here must
    # not do.
    split = on_meta(Tied).to_empty(device="cpu")
    assert split.head.weight is not split.embedding.weight


def test_only_what_is_on_meta_gets_memory() -> None:
    module = nn.Sequential(nn.Linear(2, 3), on_meta(nn.Linear, 3, 2))
    kept = module[0].weight
    sbt.initialize_(module, seed=1, rules={"0.weight": None})
    assert module[0].weight is kept
    assert not module[1].weight.is_meta


def test_frozen_parameters_stay_frozen() -> None:
    module = on_meta(small).requires_grad_(False)
    assert not any(
        parameter.requires_grad for parameter in sbt.initialize_(module, seed=1).parameters()
    )


class Own(nn.Module):  # type: ignore[misc]
    """Norms and a buffer that no layer of torch fills."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.ParameterDict({"gain": torch.ones(3)}) for _ in range(12))
        self.register_buffer("table", torch.ones(2))


def test_one_error_lists_parameters_and_buffers_and_rules_that_match_nothing() -> None:
    with pytest.raises(sb.InvalidValueError) as caught:
        sbt.initialize_(on_meta(Own), seed=1, rules={"*.gian": "ones"}, buffers={"tabel": "ones"})
    assert [line for line in str(caught.value).splitlines() if line[0] == " "] == [
        '    "layers.*.gain": ...,  # x12 (3,)',
        "    '*.gian', perhaps meant: '*.gain'",
        '    "table": ...,  # (2,)',
        "    'tabel', perhaps meant: 'table'",
    ]
    module = sbt.initialize_(
        on_meta(Own), seed=1, rules={"layers.*.gain": "ones"}, buffers={"table": "zeros"}
    )
    assert module.layers[11]["gain"].tolist() == [1, 1, 1]


@pytest.mark.parametrize("part", [{"partial": True}, {"prefix": "net."}], ids=str)
def test_a_part_of_a_model_takes_the_rules_of_the_whole(part: dict[str, Any]) -> None:
    rules = {"*0.weight": "ones", "head.weight": "zeros"}
    with pytest.raises(sb.InvalidValueError, match=r"These match none[^\n]*\n    'head.weight'"):
        sbt.initialize_(small(), seed=1, rules=rules)
    with pytest.raises(sb.InvalidValueError, match=r"`buffers` must have patterns"):
        sbt.initialize_(small(), seed=1, buffers={"head.mask": "zeros"})
    module = sbt.initialize_(small(), seed=1, rules=rules, buffers={"head.mask": "zeros"}, **part)
    assert module[0].weight.min() == 1
    assert len(sbt.manifest_of(module, seed=1, rules=rules, **part)) > 1


def test_none_is_no_content_for_what_is_on_meta() -> None:
    with pytest.raises(
        sb.InvalidValueError,
        match=r'(?s)`rules` must have a rule for each parameter.*"0.weight"',
    ):
        sbt.initialize_(on_meta(small), seed=1, rules={"0.weight": None})
    with pytest.raises(
        sb.InvalidValueError,
        match=r'(?s)`buffers` must have a rule for each buffer.*"positions"',
    ):
        sbt.initialize_(on_meta(Tied), seed=1, buffers={"*": None})


def test_a_buffer_on_meta_that_no_rule_fills_is_an_error_that_names_it() -> None:
    module = on_meta(Tied)
    with pytest.raises(
        sb.InvalidValueError,
        match=r"(?s)on the meta device that the module's own code does not fill.*\"positions\"",
    ):
        sbt.initialize_(module, seed=1)
    assert all(parameter.is_meta for parameter in module.parameters())


def test_buffers_are_filled_by_initializers_or_functions() -> None:
    module = sbt.initialize_(
        on_meta(Tied), seed=1, buffers={"pos*": sb.Constant(7.0), "*": "zeros"}
    )
    assert module.positions.tolist() == [7, 7, 7]
    module = sbt.initialize_(on_meta(Tied), seed=1, buffers=POSITIONS)
    assert module.positions.tolist() == [0, 1, 2]


def test_other_buffers_stay_as_they_are() -> None:
    module = Tied()
    module.positions.fill_(5)
    sbt.initialize_(module, seed=1, rules={"*": "zeros"})
    assert module.positions.tolist() == [5, 5, 5]


def test_rules_for_parameters_do_not_touch_buffers() -> None:
    module = sbt.initialize_(on_meta(nn.BatchNorm1d, 3), seed=1, rules={"*": sb.Constant(9.0)})
    assert module.running_mean.tolist() == [0, 0, 0]
    assert module.weight.tolist() == [9, 9, 9]


def test_wrappers_do_not_change_names() -> None:
    from torch.distributed.algorithms._checkpoint.checkpoint_wrapper import checkpoint_wrapper

    plain = sbt.digests(sbt.initialize_(small(), seed=1))
    wrapped = small()
    wrapped[2] = checkpoint_wrapper(wrapped[2], checkpoint_fn=checkpoint)
    assert any("_checkpoint_wrapped_module" in name for name, _ in wrapped.named_parameters())
    # Without the compiler's own back end, which warns about deprecations in torch; nothing is
    # compiled here.
    compiled = torch.compile(small(), backend="eager")
    assert any("_orig_mod" in name for name, _ in compiled.named_parameters())
    parallel = nn.DataParallel(small())
    parallel_compiled = torch.compile(nn.DataParallel(small()), backend="eager")
    compiled_parallel = nn.DataParallel(torch.compile(small(), backend="eager"))
    for module in (wrapped, compiled, parallel, parallel_compiled, compiled_parallel):
        assert sbt.digests(sbt.initialize_(module, seed=1)) == plain


@pytest.mark.parametrize("device", ["cudaa", "meta", torch.device("meta"), 1.5], ids=repr)
def test_a_device_that_gives_no_memory_is_refused_by_its_name(device: Any) -> None:
    module = on_meta(small)
    with pytest.raises(sb.InvalidValueError, match=r"`device` must be .* Received: "):
        sbt.initialize_(module, seed=1, device=device)
    assert all(parameter.is_meta for parameter in module.parameters())


def test_one_call_fetches_all_straight_into_the_parameters(
    client: RecordingClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[dict[str, Any]] = []
    original = RecordingClient.sample_all

    def sample_all(self: RecordingClient, manifest: sb.Manifest, **arguments: Any) -> Any:
        calls.append(arguments["out"])
        return original(self, manifest, **arguments)

    monkeypatch.setattr(RecordingClient, "sample_all", sample_all)
    module = sbt.initialize_(small(), seed=1)
    (outs,) = calls
    # A constant needs no fetch.
    assert set(outs) == {"0.weight", "0.bias", "2.0.weight"}
    for name, array in outs.items():
        assert array.ctypes.data == module.get_parameter(name).data_ptr()


def test_staging_memory_is_bounded(
    client: RecordingClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seedbed.torch.fills.STAGED_BYTES", 200)
    module = nn.ParameterList([nn.Parameter(nan((4, 6)).t()) for _ in range(5)])
    rounds: list[int] = []
    original = RecordingClient.sample_all

    def sample_all(self: RecordingClient, manifest: sb.Manifest, **arguments: Any) -> Any:
        rounds.append(len(manifest))
        return original(self, manifest, **arguments)

    monkeypatch.setattr(RecordingClient, "sample_all", sample_all)
    sbt.initialize_(module, seed=1, rules={"*": sb.RandomNormal()})
    assert rounds == [2, 2, 1]
    for name, parameter in module.named_parameters():
        assert torch.equal(parameter, sbt.normal_(nan((6, 4)), std=0.05, seed=1, name=name))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64], ids=str)
def test_a_models_dtype_is_kept(dtype: torch.dtype) -> None:
    module = sbt.initialize_(on_meta(small).to(dtype), seed=1)
    assert {parameter.dtype for parameter in module.parameters()} == {dtype}
    if dtype is not torch.float64:
        wide = sbt.initialize_(small(), seed=1)
        assert torch.equal(module[0].weight, wide[0].weight.to(dtype))


def test_the_manifest_says_what_would_be_filled_and_its_digests_what_was(
    client: RecordingClient, tmp_path: Path
) -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Linear(4, 5))
    rules = {"0.weight": sb.Orthogonal(gain=2.0)}
    manifest = sbt.manifest_of(on_meta(lambda: model.to("meta")), seed=3, rules=rules)
    assert manifest["0.weight"].shape == (4, 27)
    filled = sbt.initialize_(model, seed=3, rules=rules)
    assert client.digest_all(manifest) == sbt.digests(filled)
    assert sb.digest_of(client.digest_all(manifest)) == sbt.digest(filled)
    assert sbt.digest(filled).size_bytes == manifest.size_bytes
    manifest.save(tmp_path / "model.yaml")
    assert sb.Manifest.load(tmp_path / "model.yaml") == manifest


def test_a_manifest_needs_nothing_to_be_said_about_buffers() -> None:
    assert len(sbt.manifest_of(on_meta(Tied), seed=1)) == 6


def test_a_digest_changes_with_any_bit_and_any_name() -> None:
    module = sbt.initialize_(small(), seed=1)
    before = sbt.digest(module)
    digests = sbt.digests(module)
    with torch.no_grad():
        module[1].bias[3] = 1e-30
    assert sbt.digest(module) != before
    assert {name for name, digest in sbt.digests(module).items() if digest != digests[name]} == {
        "1.bias"
    }
    assert sb.digest_of({"a": digests["0.bias"]}) != sb.digest_of({"b": digests["0.bias"]})
    assert sb.digest_of(dict(reversed(digests.items()))) == before


def test_a_server_gives_the_same_and_sends_each_byte_once(server: ServerProcess) -> None:
    def small() -> nn.Module:
        return nn.Sequential(nn.Linear(4, 6), nn.Linear(6, 2, bias=False))

    expected = sbt.digest(sbt.initialize_(small(), seed=1))
    before = server.metric("seedbed_bytes_served_total")
    with sb.connect(server.address) as remote:
        module = sbt.initialize_(on_meta(small), seed=1, client=remote, timeout_seconds=60)
        assert sbt.digest(module) == expected
        assert server.metric("seedbed_bytes_served_total") - before == expected.size_bytes
        module = sbt.initialize_(on_meta(small), seed=1, client=remote, local=True)
        assert sbt.digest(module) == expected
        assert server.metric("seedbed_bytes_served_total") - before == expected.size_bytes


def test_a_call_that_fails_says_so() -> None:
    with sb.connect("127.0.0.1:1") as nobody, pytest.raises(sb.UnavailableError):
        sbt.initialize_(small(), seed=1, client=nobody)
    with sb.connect("127.0.0.1:1") as nobody, pytest.raises(ConnectionError):
        sbt.normal_(torch.empty(3), seed=1, client=nobody)


class Block(nn.Module):  # type: ignore[misc]  # torch is not installed where types are checked
    """A layer whose depth decides how it is initialized."""

    def __init__(self) -> None:
        super().__init__()
        self.w, self.norm = nn.Linear(4, 4, bias=False), nn.LayerNorm(4)


def test_a_rule_can_be_a_function_of_the_parameter() -> None:
    seen: list[Any] = []

    def scaled(p: Any) -> sb.RandomNormal:
        seen.append((p.name, tuple(p.shape), p.layer, type(p.module).__name__))
        return sb.RandomNormal(stddev=0.02 / (p.layer + 1))

    def blocks() -> nn.Module:
        return nn.Sequential(Block(), Block())

    for made in (blocks(), on_meta(blocks)):
        seen.clear()
        module = sbt.initialize_(made, seed=1, rules={"*.w.weight": scaled})
        assert seen == [
            ("0.w.weight", (4, 4), 0, "Linear"),
            ("1.w.weight", (4, 4), 1, "Linear"),
        ]
        expected = sbt.normal_(nan((4, 4)), std=0.01, seed=1, name="1.w.weight")
        assert torch.equal(module[1].w.weight, expected)


@pytest.mark.parametrize(
    ("fill", "expected"),
    [
        (lambda w: w.copy_(torch.arange(16.0).view(4, 4)), torch.arange(16.0).view(4, 4)),
        (lambda w: w.zero_().fill_diagonal_(3), 3 * torch.eye(4)),
        (nn.init.eye_, torch.eye(4)),
        (nn.init.orthogonal_, None),
        (sbt.orthogonal_, None),
        (lambda w: [nn.init.orthogonal_(w), None][1], None),
    ],
    ids=["copy", "diagonal", "torch's own", "torch's random", "ours", "returns nothing"],
)
def test_a_rule_can_be_a_function_that_fills(fill: Any, expected: torch.Tensor | None) -> None:
    if expected is None:
        expected = sbt.orthogonal_(nan((4, 4)), seed=1, name="weight")
    for module in (nn.Linear(4, 4), on_meta(nn.Linear, 4, 4)):
        sbt.initialize_(module, seed=1, rules={"weight": fill})
        assert torch.equal(module.weight, expected)


def test_a_function_that_neither_fills_nor_says_what_does_is_an_error() -> None:
    module = on_meta(nn.Linear, 4, 4)
    with pytest.raises(sb.InvalidValueError, match=r'"weight": \.\.\.'):
        sbt.initialize_(module, seed=1, rules={"weight": lambda w: w})
    assert module.weight.is_meta


def test_frozen_parameters_with_content_stay_as_they_are() -> None:
    module = small()
    module[0].requires_grad_(False)
    kept = module[0].weight.clone(), module[0].bias.clone()
    sbt.initialize_(module, seed=1)
    assert torch.equal(module[0].weight, kept[0])
    assert torch.equal(module[0].bias, kept[1])
    assert torch.equal(module[2][0].weight, sbt.initialize_(small(), seed=1)[2][0].weight)
    sbt.initialize_(module, seed=1, rules={"0.weight": "ones"})
    assert (module[0].weight == 1).all()
    assert torch.equal(module[0].bias, kept[1])


def test_a_tied_padding_row_is_zero_whichever_layer_comes_first() -> None:
    for first in (0, 1):
        embedding, head = nn.Embedding(5, 4, padding_idx=2), nn.Linear(4, 5, bias=False)
        head.weight = embedding.weight
        module = nn.Sequential(*([embedding, head] if first == 0 else [head, embedding]))
        sbt.initialize_(module, seed=1)
        assert (embedding.weight == 0).all(1).tolist() == [row == 2 for row in range(5)]


def test_a_rule_for_another_name_of_a_shared_parameter_is_no_error() -> None:
    sbt.initialize_(Tied(), seed=1, rules={"head.weight": "zeros"})


class Placeholder(nn.Parameter):  # type: ignore[misc]  # likewise
    """A parameter whose content is elsewhere."""


def test_placeholders_of_parameters_that_are_elsewhere_are_refused() -> None:
    for kind in (Placeholder, nn.Parameter):
        module = nn.Module()
        module.weight = kind(torch.empty(0))
        if kind is nn.Parameter:
            sbt.initialize_(module, seed=1, rules={"*": "zeros"})
            module.weight.ds_shape = (3, 4)
        with pytest.raises(sb.InvalidValueError, match=r"GatheredParameters.*weight, an empty"):
            sbt.initialize_(module, seed=1, rules={"*": "zeros"})


class WholeModel(nn.Module):  # type: ignore[misc]  # likewise
    """Initializes all that is inside, as torchtitan's models do."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([Block(), Block()])

    def init_weights(self, std: float = 0.02) -> None:
        for depth, layer in enumerate(self.layers):
            nn.init.trunc_normal_(layer.w.weight, std=std / (depth + 1), a=-1, b=1)


class AppliedModel(nn.Module):  # type: ignore[misc]  # likewise
    """Initializes module by module, as many models do."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([Block(), Block()])

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.02)


class NeedsArguments(nn.Module):  # type: ignore[misc]  # likewise
    """Initializes itself, if it is told how."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(4, 4)

    def init_weights(self, std: float) -> None:
        nn.init.normal_(self.inner.weight, std=std)

    def set_weights(self, weights: list[torch.Tensor]) -> None:
        """Do what has nothing to do with initialization."""


def test_what_the_classes_bring_decides() -> None:
    module = sbt.initialize_(on_meta(WholeModel), seed=1)
    name = "layers.1.w.weight"
    expected = sbt.trunc_normal_(nan((4, 4)), std=0.01, a=-1, b=1, seed=1, name=name)
    assert torch.equal(module.layers[1].w.weight, expected)
    assert (module.layers[1].norm.weight == 1).all()
    module = sbt.initialize_(on_meta(lambda: nn.Sequential(AppliedModel())), seed=1)
    expected = sbt.normal_(nan((4, 4)), std=0.02, seed=1, name="0." + name)
    assert torch.equal(module[0].layers[1].w.weight, expected)
    with pytest.raises(sb.InvalidValueError, match=r'called without arguments.*"0: init_weights"'):
        sbt.initialize_(nn.Sequential(NeedsArguments()), seed=1)
    sbt.initialize_(nn.Sequential(NeedsArguments()), seed=1, rules={"*": "zeros"})


def test_a_manifest_changes_nothing_and_knows_what_the_code_does(client: RecordingClient) -> None:
    module = on_meta(WholeModel)
    manifest = sbt.manifest_of(module, seed=1)
    assert all(parameter.is_meta for parameter in module.parameters())
    assert client.digest_all(manifest) == sbt.digests(sbt.initialize_(module, seed=1))
    before = sbt.digest(module)
    assert sbt.manifest_of(module, seed=1) == manifest
    assert sbt.digest(module) == before
