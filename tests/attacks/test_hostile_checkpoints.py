"""Commands that read a checkpoint that lies end with one line that names file and fault."""

import json
import os
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from seedbed.cli import main
from tests.attacks.test_hostile_safetensors import HOSTILE, a_file, one

INDEX = "model.safetensors.index.json"
MANIFEST = "seedbed_manifest: 1\ntensors: {w: {shape: [2], dtype: float32, initializer: zeros}}\n"
COMMANDS: dict[str, tuple[str, ...]] = {
    "inspect": ("inspect", "{}"),
    "digests": ("inspect", "{}", "--digests"),
    "verify": ("verify", "{}", "good.yaml"),
    "report": ("report", "{}", "-o", "out.html"),
    "against": ("report", "good.yaml", "--against", "{}", "-o", "out.html"),
}
commands = pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS.keys())
# The others read a file in the same ways.
SOME = [COMMANDS[name] for name in ("inspect", "verify", "report")]
MAX_BYTES = 16 * 2**20


def mapped(file: Any, name: str = "w") -> bytes:
    """Return an index that says that one tensor is in this file."""
    return json.dumps({"weight_map": {name: file}}).encode()


OUTSIDE = "is no safetensors file of the same folder"
# What an index may say, and what the error then says; the name of the index unless a file's.
INDEXES: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "JSONDecodeError"),
    "no JSON": (b"hello", "JSONDecodeError"),
    "no UTF-8": (b"\xff\xfe{}", "UnicodeDecodeError"),
    "a list": (b"[]", "TypeError"),
    "no map": (b"{}", "weight_map"),
    "a list as its map": (b'{"weight_map": []}', "AttributeError"),
    "a number as its map": (b'{"weight_map": 3}', "AttributeError"),
    "a number as a file": (mapped(3), f"3 {OUTSIDE}"),
    "a list as a file": (mapped(["good.safetensors"]), OUTSIDE),
    "a name twice": (
        b'{"weight_map": {"w": "a.safetensors", "w": "b.safetensors"}}',
        "a key stands twice",
    ),
    "half a surrogate pair": (mapped("a.safetensors", "\ud800"), "UnicodeEncodeError"),
    "a file of half a surrogate pair": (mapped("\ud800.safetensors"), "UnicodeEncodeError"),
    "a file with a NUL": (mapped("a\0.safetensors"), OUTSIDE),
    "passwords": (mapped("../../etc/passwd"), OUTSIDE),
    "passwords from the root": (mapped("/etc/passwd"), OUTSIDE),
    "a file of the folder above": (mapped("../good.safetensors"), OUTSIDE),
    "a file at an absolute place": (mapped("/good.safetensors"), OUTSIDE),
    "a file of another system's folder": (mapped("..\\good.safetensors"), OUTSIDE),
    "a file of another format": (mapped("good.bin"), OUTSIDE),
    "a missing file": (mapped("missing.safetensors"), "missing.safetensors: No such file"),
    "a file of a long name": (mapped("x" * 5000 + ".safetensors"), "File name too long"),
    "a line break": (mapped("a\nb.safetensors"), "a b.safetensors: No such file"),
    "a file that is a folder": (mapped("folder.safetensors"), "folder.safetensors: Is a directory"),
    "a file that is a pipe": (mapped("pipe.safetensors"), "no regular file"),
    "a file that is a device": (mapped("device.safetensors"), "no regular file"),
    "a file without the tensor": (mapped("good.safetensors", "v"), "all that its index says"),
    "a file that lies": (mapped("bad.safetensors"), "bad.safetensors"),
    "deep lists": (b"[" * 100_000, "RecursionError"),
    "many digits": (b'{"weight_map": %s}' % (b"9" * 5000), "ValueError"),
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to be in, with files that an index may name."""
    monkeypatch.delenv("SEEDBED_TARGET", raising=False)
    monkeypatch.chdir(tmp_path)
    Path("good.yaml").write_text(MANIFEST)
    Path("model").mkdir()
    Path("model/good.safetensors").write_bytes(a_file(one()))
    Path("model/bad.safetensors").write_bytes(a_file(one(dtype="F33")))
    Path("model/folder.safetensors").mkdir()
    Path("model/device.safetensors").symlink_to("/dev/zero")
    os.mkfifo("model/pipe.safetensors")
    return tmp_path


def refused(
    command: tuple[str, ...], path: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> str:
    """Run a command on a path, and return the one line that it fails with."""
    before = sorted(folder.rglob("*"))
    code = main([word.format(path) for word in command])
    out, error = capsys.readouterr()
    assert code in {1, 2} and out == "", (code, out, error)
    assert error.startswith("seedbed: error: ") and error.count("\n") == 1, error
    assert error.rstrip("\n").isprintable() and "internal error" not in error, error
    assert sorted(folder.rglob("*")) == before, "something was left behind"
    return error


@pytest.mark.parametrize("command", SOME, ids=lambda command: command[0])
@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_file_that_lies_is_named_with_its_fault(
    data: bytes, command: tuple[str, ...], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("hostile.safetensors").write_bytes(data)
    error = refused(command, "hostile.safetensors", folder, capsys)
    assert "hostile.safetensors: `file` must be a safetensors file. Received: " in error
    assert len(error) < 500


@commands
@pytest.mark.parametrize(("data", "fault"), INDEXES.values(), ids=INDEXES.keys())
def test_an_index_that_lies_is_named_with_its_fault(
    data: bytes,
    fault: str,
    command: tuple[str, ...],
    folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("model", INDEX).write_bytes(data)
    tracemalloc.start()
    try:
        error = refused(command, "model", folder, capsys)
        largest = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "model/" in error and fault in error
    assert "root:" not in error
    assert largest < MAX_BYTES


@commands
def test_an_index_larger_than_any_is_not_read(
    command: tuple[str, ...], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Path("model", INDEX).open("wb") as file:
        file.truncate(2**40)
    error = refused(command, "model", folder, capsys)
    assert f"model/{INDEX}: `index` must be of at most" in error


@commands
@pytest.mark.parametrize("name", [INDEX, "model.safetensors"])
def test_a_pipe_is_not_waited_for(
    name: str, command: tuple[str, ...], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo(Path("model", name))
    assert f"model/{name}" in refused(command, f"model/{name}", folder, capsys)


def test_texts_of_a_file_do_not_reach_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    escape = "\x1b[2J"
    texts = {f"key{escape}": f"text\n{escape}", "model_digest": escape}
    header = {f"w{escape}": one()["w"], "__metadata__": texts}
    Path("escapes.safetensors").write_bytes(a_file(header))
    assert main(["inspect", "escapes.safetensors"]) == 0
    assert main(["inspect", "escapes.safetensors", "--digests"]) == 1
    assert main(["verify", "escapes.safetensors", "good.yaml"]) == 1
    printed = capsys.readouterr()
    assert escape not in printed.out + printed.err
