"""The help of the command line: on any terminal, and true."""

import argparse
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hatchling.build import build_wheel

import seedbed as sb
from seedbed.cli import main
from seedbed.cli.program import COMMANDS, command_line
from seedbed_server.cli import read_arguments

NAMES = [module.NAME for module in COMMANDS]


def commands() -> dict[str, argparse.ArgumentParser]:
    (choices,) = [a.choices for a in command_line()._actions if isinstance(a.choices, dict)]
    return choices


def help_of(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main([*words, "--help"]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("columns", [40, 60, 80, 200])
@pytest.mark.parametrize("words", [(), *[(name,) for name in NAMES]], ids=" ".join)
def test_a_help_fits_its_terminal(
    words: tuple[str, ...],
    columns: int,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    text = help_of(capsys, *words)
    assert max(map(len, text.splitlines())) <= columns
    assert "\x1b" not in text


def test_an_example_that_is_wrapped_is_still_one_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = []
    for columns in ("200", "40"):
        monkeypatch.setenv("COLUMNS", columns)
        joined = re.sub(r" \\\n +", " ", help_of(capsys))
        texts.append([line for line in joined.splitlines() if line.startswith("  seedbed ")])
    assert texts[0] == texts[1] != []


@pytest.mark.parametrize("name", NAMES)
def test_the_first_line_has_what_must_be_given(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    usage = help_of(capsys, name).splitlines()[0]
    for action in commands()[name]._actions:
        if action.required and action.option_strings:
            assert f"{action.option_strings[0]} {action.metavar}" in usage
        elif not action.option_strings:
            assert str(action.metavar) in usage


@pytest.mark.parametrize("name", NAMES)
def test_every_option_says_what_it_is_and_one_default_at_most(name: str) -> None:
    for action in commands()[name]._actions:
        text = str(action.help)
        assert not text.startswith("("), action.option_strings
        assert text.count("(default:") <= 1, action.option_strings
        assert not re.search(r"\) \(", text), action.option_strings


@pytest.mark.parametrize("axis", ["--in-axis", "--out-axis", "--batch-axis"])
def test_the_help_of_an_axis_writes_its_own_option(axis: str) -> None:
    (action,) = [a for a in commands()["sample"]._actions if axis in a.option_strings]
    assert set(re.findall(r"--[a-z]+-axis", str(action.help))) == {axis}


def test_both_programs_and_the_package_say_the_version(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--version"]) == 0
    with pytest.raises(SystemExit):
        read_arguments(["--version"], {})
    said = capsys.readouterr().out.splitlines()
    assert said == [f"seedbed {sb.__version__}", f"seedbed-server {sb.__version__}"]


def test_the_package_is_the_program() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "seedbed", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"seedbed {sb.__version__}\n"


def test_the_wheel_has_the_modules_of_the_entry_points(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])
    with zipfile.ZipFile(tmp_path / build_wheel(str(tmp_path))) as opened:
        assert {"seedbed_main.py", "seedbed_server_main.py"} <= set(opened.namelist())
        (entries,) = [name for name in opened.namelist() if name.endswith("entry_points.txt")]
        said = opened.read(entries).decode()
        assert "seedbed = seedbed_main:main" in said
        assert "seedbed-server = seedbed_server_main:main" in said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--dty", "float32"), "there is no option --dty; did you mean '--dtype'?"),
        (("--shap=3",), "there is no option --shap; did you mean '--shape'?"),
        (("-x",), "there is no option -x"),
        (("surplus",), 'there is one argument too many: "surplus"'),
    ],
)
def test_an_option_is_written_whole(
    words: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sample", "Ones", "--shape", "3", *words]) == 2
    said = capsys.readouterr().err
    assert said == f"seedbed: error: {message} (see seedbed sample --help)\n"


def test_an_option_before_the_command_is_told_its_place(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--target", "embedded:", "info"]) == 2
    assert "--target before the command; its options come after it" in capsys.readouterr().err
