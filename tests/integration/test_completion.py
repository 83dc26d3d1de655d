"""Shells complete what ``seedbed completion`` prints for them; examples are there to begin with."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from seedbed.cli import main
from seedbed.cli.completion import SHELLS
from tools.write_completions import scripts

BIN = Path(sys.executable).parent
COMPLETED = {
    "fe": "fetch",
    "sample GlorotU": "GlorotUniform",
    "fetch m.yaml --fo": "--force",
    "sample Zeros --dtype bf": "bfloat16",
    "describe exist": "existing.yaml",
}
BASH = """
source <(seedbed completion bash)
COMP_WORDS=(seedbed $1) COMP_CWORD=$(set -- $1; echo $#)
_shtab_seedbed
echo "${COMPREPLY[@]}"
"""


@pytest.mark.parametrize("words", COMPLETED)
def test_bash_completes(words: str, tmp_path: Path) -> None:
    (tmp_path / "existing.yaml").touch()
    done = subprocess.run(
        ["bash", "-c", BASH, "bash", words],
        env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [COMPLETED[words]], done.stderr


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_is_that_of_todays_options(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    printed = capsys.readouterr().out
    (written,) = [text for path, text in scripts().items() if path.suffix == f".{shell}"]
    assert printed == written
    if program := shutil.which(shell):
        subprocess.run([program, "-n"], input=printed, text=True, check=True)


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
