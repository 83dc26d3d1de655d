"""A checkpoint is held against the manifest that it was filled by."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

import seedbed as sb
from seedbed.cli import main

MANIFEST = sb.Manifest(
    [
        sb.TensorSpec("norm", (64,), "float32", "ones"),
        sb.TensorSpec("w", (64, 128), "float32", sb.HeNormal(), seed=1),
    ]
)


def arrays() -> dict[str, Any]:
    with sb.connect("embedded:") as client:
        return client.sample_all(MANIFEST)


def test_it_has_the_manifests_rules_and_exact_figures() -> None:
    own = sb.report(MANIFEST)
    report = sb.report(arrays(), manifest=MANIFEST)
    assert report.findings == ()
    for each, wanted in zip(report.model.tensors, own.model.tensors, strict=True):
        figures = ("rule", "seed", "draw", "fan_in", "exact", "mean", "std", "mean_z", "std_z")
        for name in figures:
            assert getattr(each, name) == getattr(wanted, name), name
    assert "HeNormal" in report.html


def test_a_scale_that_nothing_else_tells_is_found(tmp_path: Path, capsys: Any) -> None:
    wrong = arrays()
    wrong["w"] *= np.float32(1.5)
    assert sb.report(wrong).findings == ()
    (finding,) = sb.report(wrong, manifest=MANIFEST).findings
    assert finding.name == "w"
    checkpoint, manifest, page = (tmp_path / name for name in ("m.safetensors", "m.yaml", "m.html"))
    save_file(wrong, checkpoint)
    MANIFEST.save(manifest)
    assert sb.report(checkpoint, manifest=str(manifest)).findings == (finding,)
    assert main(["report", str(checkpoint), "--manifest", str(manifest), "-o", str(page)]) == 0
    assert "w: std is 1.48 times the exact" in capsys.readouterr().out


def test_tensors_that_the_manifest_lacks_or_has_in_other_shapes_have_no_rule() -> None:
    model: Any = {"w": np.ones((64, 128), np.float32), "norm": np.ones((3,)), "more": np.ones(9)}
    found = sb.report(model, manifest=MANIFEST)
    assert [bool(each.rule) for each in found.model.tensors] == [True, False, False]
    assert found.model.facts["manifest"] == "norm in other shapes there; more not there"
    del model["norm"], model["more"]
    assert sb.report(model, manifest=MANIFEST).model.facts["manifest"] == "norm there only"
    assert [each.name for each in found.findings] == ["w"]


@pytest.mark.parametrize(
    ("subject", "manifest", "words"),
    [
        (MANIFEST, MANIFEST, "`manifest` must be nothing where the subject is a manifest itself"),
        ("m.yaml", MANIFEST, "`manifest` must be nothing where the subject is a manifest itself"),
        ({"w": np.ones(3)}, 3, "`manifest` must be a Manifest or the path of its file"),
        (
            {"w": np.ones(3)},
            MANIFEST,
            "`manifest` must be one that has tensors of the model, such as w, in the same shapes",
        ),
    ],
)
def test_a_manifest_that_cannot_be_the_models_is_refused(
    subject: Any, manifest: Any, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    MANIFEST.save("m.yaml")
    with pytest.raises(sb.InvalidArgumentError, match=re.escape(words)):
        sb.report(subject, manifest=manifest)
