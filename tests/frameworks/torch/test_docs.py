"""The guides that show PyTorch run."""

import re
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).parents[3] / "docs"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", ["how-to/migrate.md", "how-to/ci.md"])
def test_the_python_of_a_guide_runs_and_so_do_its_tests(page: str) -> None:
    space: dict[str, Any] = {"__name__": "__main__"}
    blocks = BLOCK.findall((DOCS / page).read_text(encoding="utf-8"))
    assert any("import torch" in code for code in blocks)
    for code in blocks:
        exec(code, space)
    for name in [each for each in space if each.startswith("test_")]:
        space[name]()
