"""The report of a module: that of its parameters, whatever they lie on."""

import pytest
import torch
import transformers
from torch import nn

import seedbed as sb
import seedbed.torch as sbt


def gpt2() -> nn.Module:
    config = transformers.GPT2Config(n_layer=6, n_embd=64, n_head=4, vocab_size=500, n_positions=32)
    with torch.device("meta"):
        model = transformers.GPT2LMHeadModel(config)
    return sbt.initialize_(model, seed=1, device="cpu")


def test_the_faults_of_a_real_model_are_found_and_nothing_else() -> None:
    model = gpt2()
    report = sbt.report(model)
    assert report.findings == ()
    assert report.model.facts["digest"] == str(sbt.digest(model))
    assert report.model.title == "GPT2LMHeadModel"
    with torch.no_grad():
        model.transformer.h[3].attn.c_proj.weight.mul_(3)
        model.transformer.h[1].mlp.c_fc.weight[5, 7] = torch.nan
    found = {finding.name: finding.text for finding in sbt.report(model).findings}
    assert sorted(found) == [
        "transformer.h.1.mlp.c_fc.weight",
        "transformer.h.3.attn.c_proj.weight",
    ]
    assert "1 element is NaN" in found["transformer.h.1.mlp.c_fc.weight"]
    assert "std is 3" in found["transformer.h.3.attn.c_proj.weight"].replace("2.9", "3")


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float8_e4m3fn])
def test_narrow_parameters_have_their_own_numbers(dtype: torch.dtype) -> None:
    layer = nn.Linear(16, 4, bias=False)
    layer.weight = nn.Parameter(torch.linspace(-2, 2, 64).reshape(4, 16).to(dtype), False)
    (figures,) = sbt.report(layer).model.tensors
    assert (figures.dtype, figures.shape) == (str(dtype).removeprefix("torch."), (4, 16))
    assert (figures.least, figures.largest) == (-2, 2)


def test_another_module_or_a_manifest_is_shown_beside_it() -> None:
    model, other = nn.Linear(8, 8), nn.Linear(8, 8)
    sbt.initialize_(model, seed=1)
    sbt.initialize_(other, seed=2)
    manifest = sbt.manifest_of(model, seed=1)
    for against, title, is_equal in ((other, "Linear", False), (manifest, "manifest", True)):
        report = sbt.report(model, against=against)
        assert report.other is not None
        assert report.other.title == title
        digests = [figures.facts["digest"] for figures in (report.model, report.other)]
        assert (digests[0] == digests[1]) is is_equal
        assert "<svg" in report.html


def test_what_it_was_filled_by_tells_a_fault_that_its_like_do_not_show() -> None:
    layer = nn.Linear(64, 64)
    sbt.initialize_(layer, seed=1)
    manifest = sbt.manifest_of(layer, seed=1)
    assert sbt.report(layer, manifest=manifest).findings == ()
    with torch.no_grad():
        layer.weight.mul_(1.5)
    assert sbt.report(layer).findings == ()
    (finding,) = sbt.report(layer, manifest=manifest).findings
    assert (finding.name, finding.text[:17]) == ("weight", "std is 1.48 times")


def test_a_parameter_on_meta_has_nothing_to_show() -> None:
    layer = nn.Linear(3, 3, device="meta")
    for call in (sbt.report, sbt.digests, sbt.digest):
        with pytest.raises(
            sb.InvalidValueError, match=r"`module` must be parameters that .*weight"
        ):
            call(layer)


def test_a_sparse_parameter_is_refused_by_name() -> None:
    layer = nn.ParameterDict({"w": nn.Parameter(torch.eye(3).to_sparse())})
    for call in (sbt.report, sbt.digest):
        with pytest.raises(sb.InvalidValueError, match=r'not sparse\. Received: "w"'):
            call(layer)


def test_arrays_are_shown_beside_it_and_tensors_refused_with_a_hint() -> None:
    layer = nn.Linear(3, 3)
    state = layer.state_dict()
    other = sbt.report(layer, against={name: each.numpy() for name, each in state.items()}).other
    assert other is not None
    assert other.facts["digest"] == str(sbt.digest(layer))
    hint = r"numpy array.*; seedbed\.torch\.report draws a live model"
    with pytest.raises(sb.InvalidTypeError, match=rf"(?s)`against\['weight'\]` must be a {hint}"):
        sbt.report(layer, against=state)
    with pytest.raises(sb.InvalidTypeError, match=r"; seedbed\.torch\.report draws a live model"):
        sb.report(gpt2())


def test_a_tied_parameter_is_shown_once() -> None:
    model = gpt2()
    names = [figures.name for figures in sbt.report(model).model.tensors]
    assert names == list(sbt.digests(model))
    assert "lm_head.weight" not in names


def test_a_dtype_without_numbers_is_refused_by_name() -> None:
    layer = nn.Linear(3, 3, dtype=torch.complex64)
    with pytest.raises(sb.InvalidValueError, match=r"`weight\.dtype` must be .*complex64"):
        sbt.report(layer)
