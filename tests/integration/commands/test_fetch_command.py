"""``seedbed fetch`` into a file, from a server and from the embedded engine."""

import subprocess
import sys
from pathlib import Path

import pytest

import seedbed as sb
from seedbed.cli import main
from tests.command_line import NAMES, dead_address, error_line, printed_json, read_safetensors
from tests.servers import ServerProcess


@pytest.mark.parametrize("shard", [None, "0/3", "2/3:0", "1/2:1"])
def test_a_server_and_the_embedded_engine_write_the_same_file(
    server: ServerProcess,
    manifest: str,
    shard: str | None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    part = ("--shard", shard) if shard else ()
    digests = []
    for target, file in (
        ("embedded:", "here.safetensors"),
        (server.address, "there.safetensors"),
    ):
        assert main(["fetch", manifest, "-o", file, *part, "--target", target, "--json"]) == 0
        document = printed_json(capsys)
        assert document["tensors"] == len(NAMES)
        digests.append(document["model_digest"])
    assert digests[0] == digests[1]
    assert Path("here.safetensors").read_bytes() == Path("there.safetensors").read_bytes()
    assert main(["digest", manifest, *part, "--json"]) == 0
    assert printed_json(capsys)["model_digest"] == digests[0]


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        ("SEEDBED digest - < MANIFEST", 0, ""),
        ("SEEDBED describe - < MANIFEST", 0, ""),
        ("cat MANIFEST | SEEDBED fetch - -o m.safetensors", 0, ""),
        (
            "SEEDBED fetch MANIFEST -o m.safetensors;SEEDBED verify m.safetensors - < MANIFEST",
            0,
            "",
        ),
        ("SEEDBED digest - < /dev/null", 1, "seedbed: error: standard input is no file\n"),
    ],
)
def test_a_manifest_comes_from_standard_input(
    manifest: str, command: str, code: int, words: str
) -> None:
    line = command.replace("MANIFEST", manifest).replace("SEEDBED", f"{sys.executable} -m seedbed")
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (code, words)


def test_the_safetensors_package_reads_what_the_sdk_gives(
    server: ServerProcess, manifest: str
) -> None:
    assert main(["fetch", manifest, "-o", "model.safetensors", "--target", server.address]) == 0
    tensors = read_safetensors("model.safetensors")
    with sb.connect("embedded:") as client:
        wanted = client.sample_all(sb.Manifest.load(manifest))
    assert sorted(tensors) == sorted(NAMES)
    for name, array in wanted.items():
        assert (tensors[name].shape, tensors[name].dtype) == (array.shape, array.dtype)
        assert tensors[name].tobytes() == array.tobytes()


def test_a_tensor_without_the_axis_of_the_shard_comes_whole(manifest: str) -> None:
    assert main(["fetch", manifest, "-o", "part.safetensors", "--shard", "1/2:1"]) == 0
    shapes = {name: array.shape for name, array in read_safetensors("part.safetensors").items()}
    assert shapes["embedding"] == (10, 3) and shapes["dense.kernel"] == (6, 2)
    assert shapes["dense.bias"] == (4,) and shapes["scale"] == ()


def test_a_file_that_exists_is_replaced_by_force_alone(
    manifest: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("model.safetensors").write_bytes(b"old")
    assert main(["fetch", manifest, "-o", "model.safetensors"]) == 1
    assert "model.safetensors exists: --force replaces it" in error_line(capsys)
    assert Path("model.safetensors").read_bytes() == b"old"
    assert main(["fetch", manifest, "-o", "model.safetensors", "--force"]) == 0
    assert sorted(read_safetensors("model.safetensors")) == sorted(NAMES)


def test_a_failed_fetch_leaves_the_old_file_and_nothing_else(
    manifest: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("model.safetensors").write_bytes(b"old")
    target = ["--target", dead_address(), "--force"]
    arguments = ["fetch", manifest, "-o", "model.safetensors", *target]
    assert main([*arguments, "--patience-seconds", "0"]) == 1
    error_line(capsys)
    assert Path("model.safetensors").read_bytes() == b"old"
    assert sorted(path.name for path in Path().iterdir()) == ["model.safetensors", "model.yaml"]
