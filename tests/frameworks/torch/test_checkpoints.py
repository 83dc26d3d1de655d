"""transformers loads the folders that seedbed fetches, and seedbed reads those that it saves."""

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

import seedbed as sb
from seedbed.cli import main

RULES: dict[str, Any] = {
    "*.ln_*.weight": "ones",
    "*.bias": "zeros",
    "*": sb.RandomNormal(stddev=0.02),
}


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing ask a hub."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture
def model() -> Any:
    """A GPT-2 of two layers, with torch's numbers."""
    config = transformers.GPT2Config(vocab_size=100, n_positions=16, n_embd=8, n_layer=2, n_head=2)
    return transformers.GPT2LMHeadModel(config)


@pytest.mark.parametrize(("size", "files"), [("5GB", 1), ("2KB", 6)])
def test_a_model_goes_from_save_pretrained_to_a_fetch_and_back(
    model: Any, tmp_path: Path, size: str, files: int
) -> None:
    saved, fetched = tmp_path / "saved", tmp_path / "fetched"
    model.save_pretrained(saved, max_shard_size=size)
    manifest = sb.Manifest.from_safetensors(saved, RULES, seed=7)
    assert set(manifest) == {name for name in model.state_dict() if name != "lm_head.weight"}
    manifest.save(tmp_path / "model.yaml")
    arguments = ["fetch", str(tmp_path / "model.yaml"), "-o", str(fetched)]
    assert main([*arguments, "--max-shard-size", size]) == 0
    assert len(list(fetched.glob("*.safetensors"))) == files

    model.config.save_pretrained(fetched)
    loaded, report = transformers.GPT2LMHeadModel.from_pretrained(
        fetched, local_files_only=True, output_loading_info=True
    )
    assert not any(report.values()), report
    tensors = loaded.state_dict()
    for name, array in sb.connect("embedded:").sample_all(manifest).items():
        assert torch.equal(tensors[name], torch.from_numpy(array)), name
    assert tensors["lm_head.weight"] is not None and loaded.lm_head.weight is (
        loaded.transformer.wte.weight
    )
