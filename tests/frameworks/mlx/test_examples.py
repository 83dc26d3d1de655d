"""The example and the Python of docs/mlx.md run; MLX is asked for by name."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Return how a Python program ended."""
    return subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False, timeout=100)


def test_the_example_prints_the_same_digest_each_time() -> None:
    done = run(str(ROOT / "examples" / "mlx_layers.py"))
    assert done.returncode == 0, done.stdout + done.stderr
    digest, orthogonal, output = done.stdout.splitlines()
    assert digest == "4 parameters, digest xxh3_128:b16f354796dc64b90ffc0d1a5fb07324:9488"
    assert float(orthogonal.removeprefix("orthogonal to ")) < 1e-6
    assert output == "output (2, 4)"


def test_the_python_of_the_document_runs() -> None:
    blocks = BLOCK.findall((ROOT / "docs" / "mlx.md").read_text(encoding="utf-8"))
    assert len(blocks) == 3
    for code in blocks:
        # Where MLX is missing, the blocks that import it are passed over: each is complete.
        assert re.search(r"^import mlx\.core as mx$", code, re.MULTILINE)
        exec(compile(code, "docs/mlx.md", "exec"), {"__name__": "__main__"})


def test_a_missing_mlx_is_one_line_that_names_the_extra() -> None:
    done = run("-c", "import sys; sys.modules['mlx'] = None; import seedbed.mlx")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith("MLX is not installed (mlx): pip install 'seedbed[mlx]'")
