"""Real models get the distributions that their own code gives them, without a rule."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
import transformers
from peft import LoraConfig, get_peft_model
from torch import nn
from torch.optim.swa_utils import AveragedModel

import seedbed as sb
import seedbed.torch as sbt
from tests.frameworks.torch.real_models import MODELS, loss_of, rows, tensors_of
from tests.frameworks.torch.recording import nan

# What libraries warn of in their own code is theirs.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


@pytest.fixture(autouse=True, scope="module")
def quiet() -> Iterator[None]:
    """Keep transformers from talking about sizes that nobody would train."""
    before = transformers.logging.get_verbosity()
    transformers.logging.set_verbosity_error()
    yield
    transformers.logging.set_verbosity(before)


def on_meta(make: Callable[[], Any]) -> Any:
    with torch.device("meta"):
        return make()


def wrong(make: Callable[[], nn.Module], ours: nn.Module) -> list[str]:
    """Return a line for each tensor that is not as the library's own."""
    return [
        f"{row.name} {row.shape}: {row.theirs} became {row.ours}"
        for row in rows(make, ours)
        if not row.is_right
    ]


@pytest.mark.parametrize("name", MODELS)
def test_a_model_of_transformers_is_as_its_own_code_makes_it(name: str) -> None:
    known = MODELS[name]
    torch.manual_seed(0)
    theirs = known.make()
    model = on_meta(known.make)
    with sbt.initializing(model, seed=5):
        model.init_weights()
    assert wrong(known.make, model) == []
    inputs = known.inputs(model)
    assert abs(loss_of(model, inputs) - loss_of(theirs, inputs)) < 0.1
    # The same without a block, and from a model that had other numbers before.
    digest = sbt.digest(model)
    assert sbt.digest(sbt.initialize_(on_meta(known.make), seed=5)) == digest
    assert sbt.digest(sbt.initialize_(theirs, seed=5)) == digest
    assert {
        name: [
            other for other, same in theirs.named_parameters(remove_duplicate=False) if same is p
        ]
        for name, p in theirs.named_parameters()
    } == {
        name: [other for other, same in model.named_parameters(remove_duplicate=False) if same is p]
        for name, p in model.named_parameters()
    }


def test_a_tied_models_first_loss_is_that_of_even_guesses() -> None:
    model = sbt.initialize_(on_meta(MODELS["Llama, tied"].make), seed=5)
    assert abs(loss_of(model, MODELS["Llama, tied"].inputs(model)) - math.log(500)) < 0.2


def test_what_a_constructor_alone_knows_is_an_error_and_not_a_guess() -> None:
    def make() -> Any:
        config = transformers.OpenAIGPTConfig(n_embd=32, n_layer=2, n_head=2, vocab_size=50)
        return transformers.OpenAIGPTLMHeadModel(config)

    model = on_meta(make)
    with pytest.raises(sb.InvalidValueError, match=r"transformer\.h\.\*\.attn\.c_attn\.weight"):
        sbt.initialize_(model, seed=1)
    sbt.initialize_(
        model,
        seed=1,
        rules={"*.c_*.weight": sb.RandomNormal(stddev=0.02), "*.c_*.bias": "zeros"},
    )


def test_what_was_loaded_stays() -> None:
    def make() -> Any:
        return MODELS["Llama"].make()

    model = make()
    # What from_pretrained does to a parameter that the checkpoint has.
    loaded = model.model.embed_tokens.weight
    loaded._is_hf_initialized = True
    before = loaded.detach().clone()
    sbt.initialize_(model, seed=1)
    assert torch.equal(loaded, before)
    fresh = sbt.initialize_(on_meta(make), seed=1)
    assert torch.equal(model.lm_head.weight, fresh.lm_head.weight)


LORAS = {
    "plain": LoraConfig(target_modules=["q_proj", "v_proj"], r=4),
    "gaussian": LoraConfig(target_modules="all-linear", r=4, init_lora_weights="gaussian"),
    "with an embedding": LoraConfig(target_modules=["embed_tokens", "q_proj"], r=4),
}


@pytest.mark.parametrize("name", LORAS)
def test_an_adapter_is_initialized_as_peft_does_and_its_base_keeps_its_content(name: str) -> None:
    def make() -> Any:
        return get_peft_model(MODELS["Llama"].make(), LORAS[name])

    model = make()
    base = {key: t.clone() for key, t in tensors_of(model).items() if "lora" not in key}
    sbt.initialize_(model, seed=5)
    assert all(torch.equal(tensors_of(model)[key], t) for key, t in base.items())
    assert [line for line in wrong(make, model) if "lora" in line] == []
    # All of it by seedbed: with the names of the plain model, the base has its content.
    whole = on_meta(make)
    with sbt.initializing(
        whole,
        seed=5,
        rename=lambda key: key.removeprefix("base_model.model.").replace(".base_layer", ""),
        untouched="defaults",
    ):
        base_model = whole.get_base_model()
        base_model.init_weights()
        for module in whole.modules():
            if hasattr(module, "reset_lora_parameters"):
                module.reset_lora_parameters("default", LORAS[name].init_lora_weights)
    plain = sbt.initialize_(on_meta(MODELS["Llama"].make), seed=5)
    assert torch.equal(
        whole.get_base_model().model.layers[0].self_attn.q_proj.base_layer.weight,
        plain.model.layers[0].self_attn.q_proj.weight,
    )


def test_an_average_has_its_models_content_by_its_names() -> None:
    model = sbt.initialize_(nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4)), seed=1)
    average = AveragedModel(nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4)))
    sbt.initialize_(
        average, seed=1, rename=lambda name: name.removeprefix("module."), buffers={"n_*": "zeros"}
    )
    for ours, theirs in zip(average.module.parameters(), model.parameters(), strict=True):
        assert torch.equal(ours, theirs)


class Attention(nn.Module):  # type: ignore[misc]  # torch is not installed where types are checked
    """As in torchtitan's Llama."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.wq, self.wk, self.wv, self.wo = (nn.Linear(dim, dim, bias=False) for _ in range(4))

    def init_weights(self, init_std: float) -> None:
        for linear in (self.wq, self.wk, self.wv):
            nn.init.trunc_normal_(linear.weight, mean=0.0, std=0.02)
        nn.init.trunc_normal_(self.wo.weight, mean=0.0, std=init_std)


class TitanBlock(nn.Module):  # type: ignore[misc]  # likewise
    """A layer whose depth scales its projections."""

    def __init__(self, layer_id: int, dim: int) -> None:
        super().__init__()
        self.attention = Attention(dim)
        self.attention_norm = nn.RMSNorm(dim)
        self.weight_init_std = 0.02 / (2 * (layer_id + 1)) ** 0.5

    def init_weights(self) -> None:
        self.attention_norm.reset_parameters()
        self.attention.init_weights(self.weight_init_std)


class Titan(nn.Module):  # type: ignore[misc]  # likewise
    """A transformer of torchtitan's kind: layers by number, a table of angles, a cut-off output."""

    def __init__(self, dim: int = 64, layers: int = 4) -> None:
        super().__init__()
        self.tok_embeddings = nn.Embedding(300, dim)
        self.register_buffer("freqs_cis", self.angles(), persistent=False)
        self.layers = nn.ModuleDict({str(n): TitanBlock(n, dim) for n in range(layers)})
        self.norm = nn.RMSNorm(dim)
        self.output = nn.Linear(dim, 300, bias=False)

    def angles(self) -> torch.Tensor:
        return torch.polar(torch.ones(8, 4), torch.outer(torch.arange(8.0), torch.arange(4.0)))

    def init_weights(self, buffer_device: torch.device | None = None) -> None:
        with torch.device(buffer_device or "cpu"):
            self.freqs_cis = self.angles()
        if self.tok_embeddings is not None:
            nn.init.normal_(self.tok_embeddings.weight)
        for layer in self.layers.values():
            layer.init_weights()
        if self.norm is not None:
            self.norm.reset_parameters()
        if self.output is not None:
            bound = 3 / 64**0.5
            nn.init.trunc_normal_(self.output.weight, std=64**-0.5, a=-bound, b=bound)


def test_a_model_of_torchtitans_kind_is_what_its_code_says() -> None:
    model = on_meta(Titan)
    with sbt.initializing(model, seed=5) as recorded:
        model.init_weights()
    assert torch.equal(model.freqs_cis, model.angles())
    expected = sbt.trunc_normal_(
        nan((64, 64)), std=0.02 / 8**0.5, seed=5, name="layers.3.attention.wo.weight"
    )
    assert torch.equal(model.layers["3"].attention.wo.weight, expected)
    digests = sbt.digests(model)
    assert sbt.digests(sbt.initialize_(on_meta(Titan), seed=5)) == digests
    assert sb.connect("embedded:").digest_all(recorded.manifest) == digests


def test_the_stages_of_a_pipeline_are_the_whole() -> None:
    whole = sbt.initialize_(on_meta(Titan), seed=5)
    digests: dict[str, sb.Digest] = {}
    for first, last in ((0, 1), (2, 3)):
        stage = on_meta(Titan)
        for n in set(range(4)) - set(range(first, last + 1)):
            del stage.layers[str(n)]
        if first:
            stage.tok_embeddings = None
        if last < 3:
            stage.norm = stage.output = None
        with sbt.initializing(stage, seed=5):
            stage.init_weights()
        assert not digests.keys() & sbt.digests(stage).keys()
        digests |= sbt.digests(stage)
    assert digests == sbt.digests(whole)


def timm_trunc_normal_(tensor: torch.Tensor, std: float) -> torch.Tensor:
    """Do as timm does, whose function is not torch's."""

    def cdf(x: float) -> float:
        return (1 + math.erf(x / math.sqrt(2))) / 2

    low, high = 2 * cdf(-2 / std) - 1, 2 * cdf(2 / std) - 1
    with torch.no_grad():
        tensor.uniform_(low, high)
        tensor.erfinv_()
        tensor.mul_(std * math.sqrt(2.0)).add_(0.0)
        return tensor.clamp_(min=-2, max=2)


class TimmBlock(nn.Module):  # type: ignore[misc]  # likewise
    """Layers with truncated normals, a zero gamma and a small scale, as vision models have them."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 32, 3, bias=False), nn.BatchNorm2d(32)
        self.fc = nn.Linear(32, 64)
        self.gamma = nn.Parameter(torch.empty(64))
        self.cls_token = nn.Parameter(torch.empty(1, 1, 64))

    def init_weights(self, mode: str = "") -> None:
        nn.init.kaiming_normal_(self.conv.weight, mode="fan_out", nonlinearity="relu")
        nn.init.zeros_(self.norm.weight)
        timm_trunc_normal_(self.fc.weight, std=0.02)
        nn.init.zeros_(self.fc.bias)
        self.gamma.data.fill_(1e-6)
        nn.init.normal_(self.cls_token, std=0.02)


def test_layers_of_timms_kind_are_what_their_code_says() -> None:
    def make() -> nn.Module:
        block = TimmBlock()
        block.init_weights()
        return block

    model = sbt.initialize_(on_meta(TimmBlock), seed=5)
    assert wrong(make, model) == []
    assert (model.norm.weight == 0).all()
