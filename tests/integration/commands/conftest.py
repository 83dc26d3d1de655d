"""Fixtures of the tests of single commands."""

from pathlib import Path

import pytest

from tests.command_line import MANIFEST


@pytest.fixture(autouse=True)
def embedded_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Run in a folder of its own, with the embedded engine as the default target."""
    monkeypatch.delenv("SEEDBED_TARGET", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def manifest() -> str:
    """The path of a small manifest."""
    Path("model.yaml").write_text(MANIFEST, encoding="utf-8")
    return "model.yaml"
