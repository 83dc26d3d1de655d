"""The import of seedbed.torch: its error without torch, what it loads, and its examples."""

import doctest
import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import seedbed as sb
import seedbed.torch as sbt

WITHOUT_TORCH = """
import importlib.util
find_spec = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name == "torch" else find_spec(name, *more)
import seedbed
try:
    import seedbed.torch
except seedbed.FrameworkNotInstalledError as error:
    print(error)
"""


def python(code: str) -> str:
    """Return what a fresh interpreter prints."""
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=600
    ).stdout


def test_without_torch_one_line_names_the_extra() -> None:
    assert (
        python(WITHOUT_TORCH) == "PyTorch is not installed (torch): pip install 'seedbed[torch]'\n"
    )


def test_seedbed_alone_does_not_load_torch() -> None:
    assert python("import sys, seedbed; print('torch' in sys.modules)") == "False\n"


def test_distributed_tensors_are_not_loaded_for_tensors_that_are_none() -> None:
    code = (
        "import sys, torch, seedbed.torch as sbt; sbt.normal_(torch.empty(3)); print(*sys.modules)"
    )
    assert {"torch.distributed.tensor", "torch.distributed.fsdp"}.isdisjoint(python(code).split())


@pytest.mark.parametrize(
    "name", ["", *(f".{info.name}" for info in pkgutil.iter_modules(sbt.__path__))]
)
def test_the_examples_of_docstrings_run(name: str) -> None:
    module = importlib.import_module(f"seedbed.torch{name}")
    public = {key: getattr(sb, key) for key in sb.__all__}
    names = {**public, **vars(module)}
    assert doctest.testmod(module, extraglobs=names, optionflags=doctest.ELLIPSIS).failed == 0
    assert module.__doc__


def test_the_python_of_the_document_runs_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    text = (Path(__file__).parents[3] / "docs" / "torch.md").read_text(encoding="utf-8")
    space: dict[str, Any] = {"__name__": "__main__"}
    blocks = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    for code in blocks:
        exec(code, space)
    assert len(blocks) == 5
    assert capsys.readouterr().out.startswith("xxh3_128:")
