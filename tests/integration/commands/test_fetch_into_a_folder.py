"""``seedbed fetch`` into a folder: files of a size, and their index."""

import json
from pathlib import Path
from typing import Any

import pytest

import seedbed as sb
from seedbed.checkpoints import open_tensors
from seedbed.cli import main, program
from tests.command_line import (
    NAMES,
    dead_address,
    error_line,
    printed_json,
    read_safetensors,
)

INDEX = "model.safetensors.index.json"


def read(folder: str) -> dict[str, Any]:
    """Return what the package finds in the files that the index names, or in the one file."""
    files = sorted(Path(folder).glob("*.safetensors"))
    index = Path(folder, INDEX)
    if index.exists():
        named = json.loads(index.read_text())["weight_map"]
        assert {name: file.name for file in files for name in read_safetensors(str(file))} == (
            named
        )
    assert [path.name for path in Path(folder).iterdir() if path.name.startswith(".")] == []
    return {name: array for file in files for name, array in read_safetensors(str(file)).items()}


@pytest.mark.parametrize(
    ("size", "files"), [(None, 1), ("1GiB", 1), ("100B", 3), ("1", 5)], ids=str
)
def test_it_holds_the_same_tensors_as_a_file(
    manifest: str, size: str | None, files: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fetch", manifest, "-o", "model.safetensors", "--json"]) == 0
    digest = printed_json(capsys)["model_digest"]
    limit = ["--max-shard-size", size] if size else []
    assert main(["fetch", manifest, "-o", "new/below", *limit, "--json"]) == 0
    report = printed_json(capsys)
    assert (report["model_digest"], report["files"]) == (digest, files)
    found, wanted = read("new/below"), read_safetensors("model.safetensors")
    assert {name: array.tobytes() for name, array in found.items()} == {
        name: array.tobytes() for name, array in wanted.items()
    }
    assert Path("new/below", INDEX).exists() == (files > 1)
    if files > 1:
        index = json.loads(Path("new/below", INDEX).read_text())
        assert index["metadata"] == {"total_size": report["size_bytes"]}
    for path in ("new/below", f"new/below/{INDEX}")[: 1 + (files > 1)]:
        assert main(["verify", path, manifest]) == 0
    shape_of = sb.Manifest.from_safetensors("new/below", {"*": "zeros"}, seed=1)
    assert sorted(shape_of) == sorted(NAMES)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("5GB", 5 * 10**9),
        ("5GiB", 5 * 2**30),
        ("5gb", 5 * 10**9),
        ("500 MB", 500 * 10**6),
        ("1.5kb", 1500),
        ("0.1GB", 10**8),
        ("2TiB", 2**41),
        ("7B", 7),
        ("1000", 1000),
    ],
)
def test_sizes_are_those_of_hugging_face(text: str, size: int) -> None:
    arguments = ["fetch", "m.yaml", "-o", "folder", "--max-shard-size", text]
    assert program.command_line().parse_args(arguments).max_shard_size == size


def test_weights_that_are_there_are_replaced_and_nothing_else(manifest: str) -> None:
    folder = Path("folder")
    folder.mkdir()
    for size in ("1", "1GB", "100B"):
        (folder / "config.json").write_text("{}")
        (folder / "pytorch_model.bin").write_text("other")
        arguments = ["fetch", manifest, "-o", "folder", "--max-shard-size", size]
        if size != "1":
            assert main(arguments) == 1
        assert main([*arguments, "--force"]) == 0
        assert sorted(read("folder")) == sorted(NAMES)
        assert main(["verify", "folder", manifest]) == 0
        assert (folder / "config.json").exists() and (folder / "pytorch_model.bin").exists()


@pytest.mark.parametrize("output", ["new/folder", "new/model.safetensors", "old"])
def test_a_failed_fetch_leaves_what_was_there_and_nothing_else(
    manifest: str, output: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("old").mkdir()
    Path("old/model.safetensors").write_bytes(b"old")
    limit = [] if output.endswith("rs") else ["--max-shard-size", "100B"]
    arguments = ["fetch", manifest, "-o", output, *limit, "--target", dead_address()]
    assert main([*arguments, "--patience-seconds", "0"]) == 1
    error_line(capsys)
    assert sorted(str(path) for path in Path().rglob("*")) == [
        "model.yaml",
        "old",
        "old/model.safetensors",
    ]
    assert Path("old/model.safetensors").read_bytes() == b"old"


def test_a_changed_tensor_of_any_file_differs(
    manifest: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fetch", manifest, "-o", "folder", "--max-shard-size", "1"]) == 0
    last = max(Path("folder").glob("*.safetensors"), key=lambda file: file.stat().st_size)
    (name,) = open_tensors(last)
    content = bytearray(last.read_bytes())
    content[-1] ^= 1
    last.write_bytes(content)
    capsys.readouterr()
    assert main(["verify", "folder", manifest, "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert [each["name"] for each in document["differences"]] == [name]
