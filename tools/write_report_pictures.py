"""Write the pictures of reports in docs/images: python -m tools.write_report_pictures.

They are what Chromium shows of two pages: a checkpoint with planted faults on a desk, and GPT-2
small on a phone in the dark.
"""

import base64
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray

import seedbed as sb
from tests.browser import Tab, browser

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
LAYERS, WIDTH, INNER, KEYS, WORDS = 33, 128, 352, 32, 2048


def main() -> int:
    """Rewrite the pictures and return the exit status."""
    with tempfile.TemporaryDirectory() as name, browser(Path(name)) as tab:
        checkpoint = Path(name) / "fault.safetensors"
        safetensors.numpy.save_file(_faulty(), checkpoint)
        fault = sb.report(checkpoint).save(Path(name) / "fault.html")
        tab.look_as(width=1120, height=900, scheme="light", factor=1.5)
        _photograph(tab, fault, IMAGES / "report-fault.png")
        phone = sb.report(ROOT / "examples" / "gpt2-small.yaml").save(Path(name) / "phone.html")
        tab.look_as(width=390, height=1000, scheme="dark", factor=2)
        _photograph(tab, phone, IMAGES / "report-phone.png")
    return 0


def _faulty() -> dict[str, NDArray[Any]]:
    """Return 300 tensors in the shape of a Llama, one of them too large, one with a NaN."""
    layer = {
        "self_attn.q_proj": (WIDTH, WIDTH),
        "self_attn.k_proj": (KEYS, WIDTH),
        "self_attn.v_proj": (KEYS, WIDTH),
        "self_attn.o_proj": (WIDTH, WIDTH),
        "mlp.gate_proj": (INNER, WIDTH),
        "mlp.up_proj": (INNER, WIDTH),
        "mlp.down_proj": (WIDTH, INNER),
        "input_layernorm": (WIDTH,),
        "post_attention_layernorm": (WIDTH,),
    }
    shapes: dict[str, tuple[int, ...]] = {
        "model.embed_tokens.weight": (WORDS, WIDTH),
        "model.norm.weight": (WIDTH,),
        "lm_head.weight": (WORDS, WIDTH),
    }
    for place in range(LAYERS):
        shapes |= {f"model.layers.{place}.{name}.weight": shape for name, shape in layer.items()}
    normal = sb.RandomNormal(stddev=0.02)
    manifest = sb.Manifest(
        sb.TensorSpec(name, shape, "float32", sb.Ones() if "norm" in name else normal, seed=1)
        for name, shape in shapes.items()
    )
    with sb.connect("embedded:") as client:
        arrays = client.sample_all(manifest)
    arrays["model.layers.17.mlp.down_proj.weight"] *= 3
    arrays["model.layers.5.self_attn.q_proj.weight"][1, 2] = np.nan
    return arrays


def _photograph(tab: Tab, page: Path, target: Path) -> None:
    """Write what the window shows of a page, not all of it."""
    tab.open(page.as_uri())
    picture = tab.call("Page.captureScreenshot")
    target.write_bytes(base64.b64decode(picture["data"]))


if __name__ == "__main__":
    sys.exit(main())
