"""``seedbed verify``: whether a file is what a manifest says."""

import json
from pathlib import Path

import pytest

from seedbed.cli import main
from tests.command_line import MANIFEST, error_line, read_safetensors
from tests.servers import ServerProcess


@pytest.fixture
def file(manifest: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["fetch", manifest, "-o", "model.safetensors"]) == 0
    capsys.readouterr()
    return "model.safetensors"


@pytest.fixture
def part(manifest: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["fetch", manifest, "-o", "part.safetensors", "--shard", "1/2"]) == 0
    capsys.readouterr()
    return "part.safetensors"


def differences(
    file: str, manifest: str, capsys: pytest.CaptureFixture[str]
) -> list[tuple[str, str]]:
    """Return the tensors that differ and how, and check that text and exit code agree."""
    assert main(["verify", file, manifest, "--json"]) == 1
    printed = capsys.readouterr()
    document = json.loads(printed.out)
    assert not document["equal"]
    assert printed.err.startswith("seedbed: error: ") and printed.err.count("\n") == 1
    found = [(each["name"], each["difference"]) for each in document["differences"]]
    assert main(["verify", file, manifest]) == 1
    text = capsys.readouterr().out
    assert all(name in text and difference in text for name, difference in found)
    return found


def test_an_unchanged_file_is_equal(
    server: ServerProcess, file: str, manifest: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for target in ("embedded:", server.address):
        assert main(["verify", file, manifest, "--target", target]) == 0
        assert "5 tensors, all equal" in capsys.readouterr().out


def test_a_shard_is_equal_to_the_same_shard_only(
    part: str, manifest: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", part, manifest, "--shard", "1/2"]) == 0
    assert main(["verify", part, manifest, "--shard", "0/2"]) == 1
    said = "it was fetched with --shard 1/2:0: verify it likewise"
    assert said in error_line(capsys)
    assert main(["verify", part, manifest]) == 1
    printed = capsys.readouterr()
    assert "shape 5,6 in the file, 10,6 in the manifest" in printed.out
    assert said in printed.err


def test_a_whole_file_held_against_a_shard_says_that_it_is_whole(
    file: str, manifest: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", file, manifest, "--shard", "0/2"]) == 1
    assert "it was fetched without --shard: verify it likewise" in error_line(capsys)


def test_a_changed_bit_names_the_tensor(
    file: str, manifest: str, capsys: pytest.CaptureFixture[str]
) -> None:
    content = bytearray(Path(file).read_bytes())
    kernel = read_safetensors(file)["dense.kernel"].tobytes()
    content[content.index(kernel) + 5] ^= 1
    Path(file).write_bytes(content)
    assert differences(file, manifest, capsys) == [("dense.kernel", "different")]


def test_missing_and_extra_tensors_are_named(
    file: str, manifest: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("other.yaml").write_text(
        MANIFEST.replace("  dense.bias: [4]", "  more.bias: [4]"), encoding="utf-8"
    )
    found = differences(file, "other.yaml", capsys)
    assert sorted(found) == [("dense.bias", "extra"), ("more.bias", "missing")]


def test_another_dtype_and_another_seed_are_named(
    file: str, manifest: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = MANIFEST.replace("bfloat16", "float16").replace("seed: 3", "seed: 4")
    Path("other.yaml").write_text(text, encoding="utf-8")
    found = differences(file, "other.yaml", capsys)
    assert found == [("embedding", "different"), ("dense.kernel", "different")]
