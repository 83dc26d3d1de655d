"""Everything in backend/ holds on TensorFlow, JAX and PyTorch, in a process for each."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SUITE = sorted(Path(__file__).with_name("backend").glob("check_*.py"))
BACKENDS = ("tensorflow", "jax", "torch")
RUN_SECONDS = 900


def run(backend: str, *command: str) -> str:
    """Return what a Python command prints on a backend."""
    finished = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={**os.environ, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        check=False,
        timeout=RUN_SECONDS,
    )
    assert finished.returncode == 0, finished.stdout[-6000:] + finished.stderr[-3000:]
    return finished.stdout


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_suite_passes_on(backend: str) -> None:
    printed = run(backend, "-m", "pytest", "-q", *map(str, SUITE))
    summary = re.search(r"^(\d+) passed in", printed, re.MULTILINE)
    assert summary, f"something was skipped or left out:\n{printed[-3000:]}"
    assert int(summary[1]) > 200


def test_real_models_have_the_distributions_of_their_own_code() -> None:
    suite = Path(__file__).with_name("check_real_models.py")
    printed = run("torch", "-m", "pytest", "-q", str(suite))
    assert re.search(r"^22 passed in", printed, re.MULTILINE), printed[-3000:]


def test_the_example_prints_the_same_digest_on_each_backend() -> None:
    printed = [run(backend, "examples/keras_model.py") for backend in BACKENDS]
    digests = [re.findall(r"xxh3_128:[0-9a-f]{32}:\d+", text) for text in printed]
    assert len(digests[0]) == 1, printed[0]
    assert digests[0] == digests[1] == digests[2]
    assert [backend in text for backend, text in zip(BACKENDS, printed, strict=True)] == [True] * 3


def test_the_python_of_the_document_runs() -> None:
    printed = run("jax", "-m", "pytest", "-q", "tests/test_docs_examples.py", "-k", "docs/keras.md")
    assert re.search(r"^1 passed", printed, re.MULTILINE), printed


def test_the_tutorial_prints_its_digest_on_each_backend(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "tutorials" / "keras.md").read_text(encoding="utf-8")
    program, layer = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    (digest,) = set(re.findall(r"xxh3_128:[0-9a-f]{32}:\d+", page))
    (tmp_path / "model.py").write_text(program + layer)
    for backend in BACKENDS:
        assert f"{backend}: {digest}\n" in run(backend, str(tmp_path / "model.py"))


def test_a_missing_keras_is_one_line_that_names_the_extra() -> None:
    code = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name == "keras":
            raise ModuleNotFoundError("No module named 'keras'", name="keras")
from importlib import util
find = util.find_spec
import seedbed.frameworks
seedbed.frameworks.find_spec = lambda name: None if name == "keras" else find(name)
try:
    import seedbed.keras
except ImportError as error:
    print(type(error).__name__, error)
assert "keras" not in sys.modules
"""
    said = run("jax", "-c", code)
    remedy = "pip install 'seedbed[keras]', and one of its backends: tensorflow, jax or torch"
    assert said == f"FrameworkNotInstalledError Keras 3 is not installed (keras): {remedy}\n"
