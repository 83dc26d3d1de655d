"""``seedbed completion`` prints what the package has; examples are there to begin with."""

from pathlib import Path

import pytest

from seedbed.cli import main
from seedbed.cli.completion import SHELLS
from tools.write_completions import scripts


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_is_that_of_todays_options(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    printed = capsys.readouterr().out
    (written,) = [text for path, text in scripts().items() if path.suffix == f".{shell}"]
    assert printed == written


def test_an_example_is_a_manifest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["example"]) == 0
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert "gpt2-small" in names
    for name in names:
        assert main(["example", name]) == 0
        (tmp_path / "m.yaml").write_text(capsys.readouterr().out)
        assert main(["describe", str(tmp_path / "m.yaml")]) == 0
        capsys.readouterr()
    assert main(["example", "gpt2-smal"]) == 2
    assert "did you mean 'gpt2-small'?" in capsys.readouterr().err
