"""Files that commands write: whole or not there, wherever they are to go, with their origin."""

import errno
import fcntl
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest
import safetensors.numpy

import seedbed as sb
from seedbed.cli import main

MANIFEST = """\
seedbed_manifest: 1
seed: 7
dtype: float32
tensors: {w: {shape: [64, 32], initializer: glorot_uniform}}
"""
SAMPLE = ("sample", "GlorotUniform", "--shape", "64,32", "--seed", "7", "--name", "w")
# Each writes one file; its name is the last argument.
WRITERS = {
    "sample": (*SAMPLE, "-o", "out.safetensors"),
    "npy": (*SAMPLE, "-o", "out.npy"),
    "plot": (*SAMPLE, "--plot", "out.png"),
    "fetch": ("fetch", "m.yaml", "-o", "out.safetensors"),
    "report": ("report", "m.yaml", "-o", "out.html"),
    "picture": ("report", "m.yaml", "-o", "out.png"),
}
FOLDER = ("fetch", "m.yaml", "--max-shard-size", "1", "-o", "folder")
LIMIT_BYTES = 512
writers = pytest.mark.parametrize("command", WRITERS.values(), ids=WRITERS.keys())


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to be in, with a manifest, and the embedded engine."""
    monkeypatch.delenv("SEEDBED_TARGET", raising=False)
    monkeypatch.chdir(tmp_path)
    Path("m.yaml").write_text(MANIFEST)
    return tmp_path


def files() -> list[str]:
    """Return all files' paths but the manifest's."""
    return sorted(str(path) for path in Path().rglob("*") if path.name != "m.yaml")


def refused(command: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> str:
    """Run a command that fails, and return its one line."""
    capsys.readouterr()
    assert main(list(command)) == 1
    out, error = capsys.readouterr()
    assert out == "" and error.startswith("seedbed: error: ") and error.count("\n") == 1
    assert "internal error" not in error
    return error


@pytest.mark.parametrize("part", [(), ("--shard", "1/4:0")], ids=["whole", "shard"])
def test_a_sampled_file_says_as_much_as_a_fetched_one(part: tuple[str, ...]) -> None:
    assert main([*SAMPLE, "-o", "sampled.safetensors", *part]) == 0
    assert main(["fetch", "m.yaml", "-o", "fetched.safetensors", *part]) == 0
    assert Path("sampled.safetensors").read_bytes() == Path("fetched.safetensors").read_bytes()


def test_a_sampled_slice_says_so_and_its_digest_is_that_of_the_file(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([*SAMPLE, "--slice", "1:3", "-o", "out.safetensors"]) == 0
    with safetensors.safe_open("out.safetensors", "numpy") as file:
        metadata = file.metadata()
    assert (metadata["slice"], metadata["seed"]) == ("1:3,0:32", "7")
    assert main(["inspect", "out.safetensors", "--digests"]) == 0
    assert f"{metadata['model_digest']} (computed)" in capsys.readouterr().out


@writers
def test_what_a_killed_run_left_is_swept(command: tuple[str, ...]) -> None:
    hidden = Path(f".{command[-1]}.part")
    hidden.mkdir()
    for name in ("lock", "journal", command[-1], "model.safetensors.index.json"):
        (hidden / name).write_bytes(b"left behind")
    assert main(list(command)) == 0
    assert files() == [command[-1]]


@writers
def test_a_hidden_link_leads_nowhere(
    command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("precious").mkdir()
    Path("precious/file").touch()
    Path(f".{command[-1]}.part").symlink_to("precious")
    assert "is a link" in refused(command, capsys)
    assert Path("precious/file").exists()


@writers
@pytest.mark.parametrize("name", ["lock", "out.safetensors", "journal"])
def test_a_link_in_the_hidden_folder_leads_nowhere(
    command: tuple[str, ...], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("precious").write_text("precious")
    hidden = Path(f".{command[-1]}.part")
    hidden.mkdir()
    (hidden / name).symlink_to("../precious")
    assert "is a link" in refused(command, capsys)
    assert Path("precious").read_text() == "precious"


def test_a_hidden_file_is_in_the_way(capsys: pytest.CaptureFixture[str]) -> None:
    Path(".out.safetensors.part").write_text("mine")
    assert ".part is no folder, and has to be removed" in refused(WRITERS["fetch"], capsys)
    assert Path(".out.safetensors.part").read_text() == "mine"


def test_a_hidden_folder_of_another_user_is_not_written_to(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(".out.safetensors.part").mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert "belongs to another user" in refused(WRITERS["fetch"], capsys)


@writers
def test_nothing_is_replaced_without_being_told(
    command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    Path(command[-1]).write_text("mine")
    assert "--force replaces it" in refused(command, capsys)
    assert files() == [command[-1]]
    assert Path(command[-1]).read_text() == "mine"
    assert main([*command[:-2], "--force", *command[-2:]]) == 0
    assert Path(command[-1]).read_bytes() != b"mine"


@pytest.mark.parametrize("output", ["fetch", "sample", "report"])
def test_what_appears_meanwhile_is_not_replaced(
    output: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = WRITERS[output]
    sample, sample_all = sb.Client.sample, sb.Client.sample_all

    def meanwhile(function: Any) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            Path(command[-1]).write_text("mine")
            return function(*arguments, **options)

        return call

    monkeypatch.setattr(sb.Client, "sample", meanwhile(sample))
    monkeypatch.setattr(sb.Client, "sample_all", meanwhile(sample_all))
    assert "--force replaces it" in refused(command, capsys)
    assert Path(command[-1]).read_text() == "mine"


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        (("fetch", "m.yaml", "-o", "loop.safetensors"), 1, "is a loop of links"),
        ((*SAMPLE, "-o", "loop.safetensors"), 1, "is a loop of links"),
        ((*SAMPLE, "--force"), 2, "--force goes with --output or --plot"),
        (("report", "m.yaml", "--against", "", "-o", "a.html"), 2, "`against` must be"),
        (("report", "a", "--manifest", "", "-o", "a.html"), 2, "must have a name. Received: ''"),
        (("report", "-", "--against", "-", "-o", "a.html"), 2, "standard input can be one of"),
        (("inspect", ""), 2, "`path` must be"),
        (("digest", ""), 2, "Received: ''"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_line(
    command: tuple[str, ...], code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("loop.safetensors").symlink_to("loop.safetensors")
    assert main(list(command)) == code
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
    assert "internal error" not in error


def test_a_name_that_ends_in_a_slash_is_a_folder() -> None:
    assert main(["fetch", "m.yaml", "-o", "model.safetensors/"]) == 0
    assert files() == ["model.safetensors", "model.safetensors/model.safetensors"]


@contextmanager
def full_disk() -> Iterator[None]:
    """Let no file become longer than some bytes."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT_BYTES, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize("command", [*WRITERS.values(), FOLDER], ids=[*WRITERS, "folder"])
def test_a_full_disk_is_told_with_the_files_name_and_leaves_nothing(
    command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*SAMPLE, "-o", "warm.npy"]) == 0  # kernels that are kept are files as well
    Path("warm.npy").unlink()
    with full_disk():
        error = refused(command, capsys)
    assert f"{command[-1]}" in error and "File too large" in error
    assert files() == []
    assert main(list(command)) == 0


@writers
@pytest.mark.parametrize("kind", ["folder", "pipe", "device", "no folder"])
def test_what_is_no_place_for_a_file_is_refused_and_stays(
    command: tuple[str, ...], kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    output = Path(command[-1])
    match kind:
        case "folder":
            output.mkdir()
            if command[0] == "fetch":  # which then is meant
                assert main(list(command)) == 0
                assert files() == [str(output), f"{output}/model.safetensors"]
                return
        case "pipe":
            os.mkfifo(output)
        case "device":
            output.symlink_to(os.devnull)
        case _:
            output.symlink_to("missing/file")
    error = refused(command, capsys)
    assert ("is no folder" if kind == "no folder" else "exists and is no file") in error
    assert files() == [str(output)]


@writers
def test_a_link_to_no_file_yet_is_written_through(command: tuple[str, ...]) -> None:
    Path("there").mkdir()
    target = Path("there", "real" + Path(command[-1]).suffix)
    Path(command[-1]).symlink_to(target)
    assert main(list(command)) == 0
    assert files() == sorted([command[-1], "there", str(target)])
    assert Path(command[-1]).is_symlink() and target.stat().st_size > 0


@pytest.mark.parametrize("name", ["sample", "npy", "plot", "fetch"])
def test_a_name_with_a_line_break_is_a_name(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    output = f"a\nb[1]{Path(WRITERS[name][-1]).suffix}"
    assert main([*WRITERS[name][:-1], output]) == 0
    assert files() == [output]
    commands = [["inspect", output], ["verify", output, "m.yaml"]]
    for command in commands if output.endswith("rs") else []:
        assert main(command) == 0
    lines = capsys.readouterr().out.splitlines()
    assert not [line for line in lines if line.startswith("b[1]")]


@writers
def test_a_file_system_without_locks_is_written_to(
    command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    def flock(file: object, operation: int) -> None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(fcntl, "flock", flock)
    assert main(list(command)) == 0
    assert files() == [command[-1]]


@writers
def test_an_interrupt_before_the_lock_is_had_leaves_nothing(
    command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, calls = fcntl.flock, []

    def flock(file: IO[str], operation: int) -> None:
        calls.append(file)
        if len(calls) == 1:
            raise KeyboardInterrupt
        lock(file, operation)

    monkeypatch.setattr(fcntl, "flock", flock)
    assert main(list(command)) == 130
    assert files() == []


def test_a_refused_hidden_folder_is_left_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    hidden = Path(".out.safetensors.part")
    hidden.mkdir()
    (hidden / "lock").symlink_to("../made")
    assert "is a link" in refused(WRITERS["fetch"], capsys)
    assert (hidden / "lock").is_symlink() and not Path("made").exists()


def test_a_part_of_a_model_says_nothing_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    Path("m.yaml").write_text(MANIFEST.replace("}}", "}, v: {shape: [9], initializer: ones}}"))
    assert main(list(FOLDER)) == 0
    first = Path("folder/model-00001-of-00002.safetensors")
    assert main(["inspect", str(first), "--digests"]) == 0
    assert main(["inspect", "folder", "--digests"]) == 0
    content = bytearray(first.read_bytes())
    content[-1] ^= 1
    first.write_bytes(content)
    assert main(["inspect", "folder", "--digests"]) == 1


def test_a_report_writes_no_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    array = np.arange(9.0)
    tensors = {"a\x1b[31m": array, "b\x1b[31m": array}
    safetensors.numpy.save_file(tensors, "x.safetensors", {"key\x1b[2J": "\x1b"})
    assert main(["report", "x.safetensors", "-o", "x.html"]) == 0
    out = capsys.readouterr().out
    assert "key\\x1b[2J" in out and "same content as a\\x1b" in out and "\x1b" not in out


def test_without_streams_the_files_are_still_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", None)
    assert main([*SAMPLE, "-o", "out.safetensors"]) == 1  # the report has no place to go
    assert files() == ["out.safetensors"]
