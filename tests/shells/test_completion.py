"""What ``seedbed completion`` prints makes bash, zsh and fish complete a line."""

from pathlib import Path

import pytest

from seedbed.cli import main
from tests.shells.shells import Terminal, asked_of_fish

# What is typed, and the word that completes it.
CASES = {
    "a command": ("seedbed fe", "fetch"),
    "a global option": ("seedbed --vers", "--version"),
    "an option": ("seedbed fetch m.yaml --fo", "--force"),
    "an option with a value": ("seedbed fetch --sha", "--shard"),
    "an initializer": ("seedbed sample GlorotU", "GlorotUniform"),
    "an initializer after an option": ("seedbed sample --shape 3 GlorotU", "GlorotUniform"),
    "a dtype": ("seedbed sample Zeros --dtype bf", "bfloat16"),
    "a dtype after =": ("seedbed sample Zeros --dtype=bf", "--dtype=bfloat16"),
    "an algorithm": ("seedbed digest m.yaml --algorithm sh", "sha256"),
    "an example": ("seedbed example gpt", "gpt2-small"),
    "a shell": ("seedbed completion z", "zsh"),
    "a manifest": ("seedbed fetch exist", "existing.yaml"),
    "a second file": ("seedbed verify m.safetensors exist", "existing.yaml"),
    "a folder": ("seedbed report m.yaml --against fold", "folder/"),
    "a name with a blank": ("seedbed fetch two", r"two\ words.yaml"),
    "the rest of a name with a blank": (r"seedbed fetch two\ w", r"two\ words.yaml"),
    "a file for an option": ("seedbed fetch m.yaml -o exist", "existing.yaml"),
    "a file after =": ("seedbed fetch m.yaml --output=exist", "--output=existing.yaml"),
    "a manifest or an initializer: a manifest": ("seedbed describe exist", "existing.yaml"),
    "a manifest or an initializer: an initializer": ("seedbed describe GlorotU", "GlorotUniform"),
    "a file after a parameter": ("seedbed describe --param stddev=1 exist", "existing.yaml"),
    "a file after a shard": ("seedbed describe --shard 1/4:0 exist", "existing.yaml"),
    "a file after a target": ("seedbed fetch --target embedded: exist", "existing.yaml"),
}
FREE = ["seedbed fetch --shard ", "seedbed sample Zeros --slice ", "seedbed info --target "]
"""Lines whose next word only the user knows."""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The folder of a user without files."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with something to complete."""
    folder = tmp_path / "work"
    (folder / "folder").mkdir(parents=True)
    (folder / "existing.yaml").touch()
    (folder / "two words.yaml").touch()
    return folder


def script(shell: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Return what ``seedbed completion`` prints."""
    assert main(["completion", shell]) == 0
    return capsys.readouterr().out


def opened(shell: str, home: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> Terminal:
    """Return a terminal that has loaded the script."""
    return Terminal(shell, home=home, folder=folder, script=script(shell, capsys))


@pytest.mark.parametrize("shell", ["bash", "zsh"])
@pytest.mark.parametrize(("line", "word"), CASES.values(), ids=CASES)
def test_the_tabulator_key_completes(
    shell: str, line: str, word: str, home: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = opened(shell, home, folder, capsys)
    completed = terminal.completed(line)
    before = line.removesuffix(r"two\ w").removesuffix(line.rsplit(maxsplit=1)[-1])
    # zsh puts a = after an option with a value, and takes it back before a blank.
    assert completed.rstrip(" =") == before + word, terminal.text


@pytest.mark.parametrize(("line", "word"), CASES.values(), ids=CASES)
def test_fish_has_one_candidate(
    line: str, word: str, home: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = asked_of_fish(line, home=home, folder=folder, script=script("fish", capsys))
    candidates = [each.split("\t")[0] for each in printed.splitlines()]
    assert candidates == [word.replace("\\", "")]


@pytest.mark.parametrize("shell", ["bash", "zsh"])
@pytest.mark.parametrize("line", FREE)
def test_where_only_the_user_knows_nothing_happens(
    shell: str, line: str, home: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = opened(shell, home, folder, capsys)
    assert terminal.completed(line) == line
    assert "not found" not in terminal.text


def test_fish_shows_what_each_command_does_in_a_line(
    home: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = asked_of_fish("seedbed ", home=home, folder=folder, script=script("fish", capsys))
    assert "info\tsay what does the work: version, device, limits\n" in printed
    assert max(map(len, printed.splitlines())) < 100
