"""The examples and the Python of docs/mlx.md run; MLX is asked for by name."""

import doctest
import importlib
import math
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import seedbed as sb
import seedbed.mlx

ROOT = Path(__file__).parents[3]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Return how a Python program ended."""
    return subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, check=False, timeout=600
    )


def example_manifest() -> sb.Manifest:
    """Return the tensors of the example's network."""
    specs = []
    for name, inputs, outputs in (("layers.0", 32, 64), ("layers.2", 64, 4)):
        normal = sb.RandomNormal(stddev=2**0.5 / math.sqrt(inputs), seed=42)
        specs.append(sb.TensorSpec(f"{name}.weight", (outputs, inputs), "float32", normal))
        specs.append(sb.TensorSpec(f"{name}.bias", (outputs,), "float32", sb.Zeros()))
    return sb.Manifest(specs)


def test_the_example_prints_the_digest_of_its_manifest() -> None:
    done = run(str(ROOT / "examples" / "mlx_layers.py"))
    assert done.returncode == 0, done.stdout + done.stderr
    digest, orthogonal, output = done.stdout.splitlines()
    assert digest == "4 parameters, digest xxh3_128:c60a4ae4574eb926664531bbe7c5076e:9488"
    stated = sb.digest_of(sb.connect("embedded:").digest_all(example_manifest()))
    assert digest == f"4 parameters, digest {stated}"
    assert float(orthogonal.removeprefix("orthogonal to ")) < 1e-6
    assert output == "output (2, 4)"


def test_the_python_of_the_document_runs() -> None:
    blocks = BLOCK.findall((ROOT / "docs" / "mlx.md").read_text(encoding="utf-8"))
    assert len(blocks) == 5
    for code in blocks:
        # Where MLX is missing, the blocks that import it are passed over: each is complete.
        assert re.search(r"^import mlx\.core as mx$", code, re.MULTILINE)
        exec(compile(code, "docs/mlx.md", "exec"), {"__name__": "__main__"})


@pytest.mark.parametrize("name", [info.name for info in pkgutil.iter_modules(seedbed.mlx.__path__)])
def test_the_examples_of_docstrings_run(name: str) -> None:
    module = importlib.import_module(f"seedbed.mlx.{name}")
    public = {key: getattr(sb, key) for key in sb.__all__}
    assert doctest.testmod(module, extraglobs={**public, **vars(module)}).failed == 0
    assert module.__doc__


def test_a_missing_mlx_is_one_line_that_names_the_extra() -> None:
    done = run("-c", "import sys; sys.modules['mlx'] = None; import seedbed.mlx")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith(
        "MLX is not installed (mlx): pip install 'seedbed[mlx]'"
    )
