"""The command line, on the embedded engine and a real server: output, files, exit codes."""

import hashlib
import json
import re
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors
import xxhash
from numpy.typing import NDArray

import seedbed as sb
from seedbed.checkpoints import open_tensors
from seedbed.cli import main, program
from tests.servers import ServerProcess, server_process

PROGRAM = str(Path(sys.executable).with_name("seedbed"))
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
RUN_SECONDS = 120
SAMPLE = ("sample", "GlorotUniform", "--shape", "64,32", "--seed", "7")

MANIFEST = """\
seedbed_manifest: 1
numerics: seedbed-1
seed: 11
dtype: float32
rules:
  - match: "*.bias"
    initializer: zeros
  - match: "*"
    initializer: {class_name: RandomNormal, config: {stddev: 0.02}}
tensors:
  embedding: {shape: [10, 6], dtype: bfloat16}
  dense.kernel: {shape: [6, 4], initializer: glorot_uniform, seed: 3}
  dense.bias: [4]
  scale: {shape: [], initializer: ones}
  empty: [0, 3]
"""
NAMES = ["embedding", "dense.kernel", "dense.bias", "scale", "empty"]


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


def read_safetensors(path: str) -> dict[str, NDArray[Any]]:
    """Return the tensors of a file as the safetensors package reads them."""
    with safetensors.safe_open(path, framework="np") as file:
        # It is no mapping.
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def printed_json(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Return the one JSON object that standard output must be."""
    document = json.loads(capsys.readouterr().out)
    assert isinstance(document, dict)
    return document


def embedded_sample(spec: sb.TensorSpec, **arguments: Any) -> NDArray[Any]:
    """Return the tensor as the SDK gives it."""
    with sb.connect("embedded:") as client:
        array: NDArray[Any] = client.sample(spec, **arguments)
    return array


def saved_by_sample(*arguments: str) -> NDArray[Any]:
    """Return the array of an .npy file that ``seedbed sample`` writes."""
    assert main(["sample", *arguments, "-o", "saved.npy", "--force"]) == 0
    array: NDArray[Any] = np.load("saved.npy")
    return array


def dead_address() -> str:
    """Return an address where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def error_line(capsys: pytest.CaptureFixture[str]) -> str:
    """Return the one line that standard error must be."""
    error = capsys.readouterr().err
    assert error.startswith("seedbed: error: ") and error.count("\n") == 1, error
    return error


class TestSample:
    def test_text_has_fans_distribution_moments_and_digest(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["sample", "HeNormal", "--shape", "64,32", "--seed", "7", "--name", "w"]) == 0
        text = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
        array = embedded_sample(sb.TensorSpec("w", (64, 32), "float32", sb.HeNormal(seed=7)))
        assert text["name"] == "w"
        assert text["initializer"] == "HeNormal()"
        assert text["seed"] == "7, draw 0"
        assert text["shape"] == "64,32"
        assert text["fans"] == "in 64, out 32"
        assert "stddev 0.2009" in text["distribution"] and "truncated" in text["distribution"]
        assert text["mean"].endswith("(exact 0)")
        # Sqrt(2 / 64): the truncation is made good.
        assert text["std"].endswith("(exact 0.1767767)")
        assert float(text["min"]) == pytest.approx(array.min(), rel=1e-6)
        assert float(text["max"]) == pytest.approx(array.max(), rel=1e-6)
        assert text["digest"] == str(sb.digest_bytes(array.tobytes()))

    def test_json_is_one_object_with_the_same_figures(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main([*SAMPLE, "--json"]) == 0
        document = printed_json(capsys)
        array = embedded_sample(sb.TensorSpec("", (64, 32), "float32", sb.GlorotUniform(seed=7)))
        assert document["digest"] == str(sb.digest_bytes(array.tobytes()))
        assert document["description"]["fan_in"] == 64 and document["description"]["fan_out"] == 32
        assert document["description"]["maxval"] == pytest.approx(0.25)
        assert document["moments"]["mean"] == pytest.approx(array.mean(dtype=np.float64), abs=1e-12)
        assert document["moments"]["std"] == pytest.approx(array.std(dtype=np.float64))
        assert (
            document["moments"]["min"] == array.min() and document["moments"]["max"] == array.max()
        )

    def test_json_of_an_infinite_bound_is_still_strict(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def refuse(constant: str) -> None:
            raise AssertionError(constant)

        assert main(["sample", "RandomNormal", "--shape", "8", "--json"]) == 0
        json.loads(capsys.readouterr().out, parse_constant=refuse)

    @pytest.mark.parametrize("shape", ["()", "0,3", "1"])
    def test_scalars_and_empty_tensors_are_sampled_and_saved(self, shape: str) -> None:
        dimensions = tuple(int(text) for text in shape.strip("()").split(",") if text)
        assert saved_by_sample("Ones", "--shape", shape).shape == dimensions
        assert main(["sample", "Ones", "--shape", shape, "-o", "saved.safetensors"]) == 0
        assert read_safetensors("saved.safetensors")["tensor"].shape == dimensions

    @pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
    def test_an_npy_file_holds_the_tensor_of_the_sdk(self, dtype: str) -> None:
        array = saved_by_sample(
            "GlorotUniform", "--shape", "64,32", "--seed", "7", "--dtype", dtype
        )
        wanted = embedded_sample(sb.TensorSpec("", (64, 32), dtype, sb.GlorotUniform(seed=7)))
        assert array.dtype == wanted.dtype and array.shape == wanted.shape
        assert array.tobytes() == wanted.tobytes()

    @pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
    def test_a_safetensors_file_holds_the_tensor_of_the_sdk(self, dtype: str) -> None:
        assert main([*SAMPLE, "--name", "w", "--dtype", dtype, "-o", "w.safetensors"]) == 0
        wanted = embedded_sample(sb.TensorSpec("w", (64, 32), dtype, sb.GlorotUniform(seed=7)))
        tensors = read_safetensors("w.safetensors")
        assert list(tensors) == ["w"]
        assert tensors["w"].shape == wanted.shape and tensors["w"].dtype == wanted.dtype
        assert tensors["w"].tobytes() == wanted.tobytes()

    @pytest.mark.parametrize("dtype", ["float8_e4m3fn", "float8_e5m2"])
    def test_a_safetensors_file_holds_float8_too(self, dtype: str) -> None:
        # The package's numpy side has no float8; that our files are its files is shown beside
        # safetensors_file.
        assert main([*SAMPLE, "--name", "w", "--dtype", dtype, "-o", "w.safetensors"]) == 0
        wanted = embedded_sample(sb.TensorSpec("w", (64, 32), dtype, sb.GlorotUniform(seed=7)))
        found = open_tensors("w.safetensors")["w"]
        assert (found.shape, found.dtype) == (wanted.shape, wanted.dtype)
        assert found.tobytes() == wanted.tobytes()

    @pytest.mark.parametrize("dtype", ["bfloat16", "float8_e4m3fn", "float8_e5m2"])
    def test_what_npy_does_not_have_is_refused_and_leaves_no_file(
        self, capsys: pytest.CaptureFixture[str], dtype: str
    ) -> None:
        assert main([*SAMPLE, "--dtype", dtype, "-o", "w.npy"]) == 2
        assert f"the .npy format has no {dtype}" in error_line(capsys)
        assert list(Path().iterdir()) == []

    def test_the_parameters_of_a_gain_reach_the_initializer(self) -> None:
        parameters = (
            "--param",
            "a=0.2",
            "--param",
            "mode=fan_out",
            "--param",
            "nonlinearity=leaky_relu",
        )
        axes = ("--in-axis", "1", "--out-axis", "0")
        array = saved_by_sample(
            "kaiming_normal", "--shape", "30,20", *parameters, *axes, "--seed", "3"
        )
        initializer = sb.KaimingNormal(0.2, "fan_out", seed=3, in_axis=1, out_axis=0)
        assert np.array_equal(
            array, embedded_sample(sb.TensorSpec("", (30, 20), "float32", initializer))
        )

    def test_a_slice_is_that_part_of_the_whole(self) -> None:
        arguments = ("GlorotUniform", "--shape", "64,32", "--seed", "7")
        whole = saved_by_sample(*arguments)
        assert np.array_equal(saved_by_sample(*arguments, "--slice", "3:9,5:7"), whole[3:9, 5:7])
        assert np.array_equal(saved_by_sample(*arguments, "--slice", "60:"), whole[60:])
        assert np.array_equal(saved_by_sample(*arguments, "--slice", ":,:4"), whole[:, :4])

    def test_shards_put_together_are_the_whole(self) -> None:
        arguments = ("GlorotUniform", "--shape", "64,32", "--seed", "7")
        whole = saved_by_sample(*arguments)
        rows = [saved_by_sample(*arguments, "--shard", f"{index}/4") for index in range(4)]
        columns = [saved_by_sample(*arguments, "--shard", f"{index}/4:-1") for index in range(4)]
        assert np.array_equal(np.concatenate(rows), whole)
        assert np.array_equal(np.concatenate(columns, axis=1), whole)

    def test_parameters_seed_and_draw_reach_the_initializer(self) -> None:
        parameters = ("--param", "mean=3", "--param", "stddev=0.5")
        array = saved_by_sample(
            "RandomNormal", "--shape", "100", *parameters, "--seed", "0x10", "--draw", "2"
        )
        spec = sb.TensorSpec(
            "", (100,), "float32", sb.RandomNormal(mean=3, stddev=0.5), seed=16, draw=2
        )
        assert np.array_equal(array, embedded_sample(spec))

    @pytest.mark.parametrize(
        "arguments",
        [
            SAMPLE,
            (*SAMPLE, "--dtype", "bfloat16"),
            (*SAMPLE, "--dtype", "float8_e4m3fn"),
            (
                "sample",
                "RandomNormal",
                "--shape",
                "1000",
                "--param",
                "stddev=300",
                "--dtype",
                "float8_e5m2",
            ),
            ("sample", "TruncatedNormal", "--shape", "1000", "--name", "$w_1 \u2713\n"),
            ("sample", "Zeros", "--shape", "0"),
            ("sample", "Ones", "--shape", "()"),
            ("sample", "Orthogonal", "--shape", "16,16"),
        ],
    )
    def test_a_plot_is_a_png_picture(self, arguments: tuple[str, ...]) -> None:
        assert main([*arguments, "--plot", "picture.png"]) == 0
        picture = Path("picture.png").read_bytes()
        assert picture.startswith(PNG_SIGNATURE) and picture.endswith(b"IEND\xaeB`\x82")
        width, height = (int.from_bytes(picture[at : at + 4], "big") for at in (16, 20))
        assert width > 100 and height > 100
        assert [path.name for path in Path().iterdir()] == ["picture.png"]

    def test_a_server_gives_the_same_as_the_embedded_engine(
        self, server: ServerProcess, capsys: pytest.CaptureFixture[str]
    ) -> None:
        documents = []
        for target in ("embedded:", server.address):
            assert main([*SAMPLE, "--json", "--target", target]) == 0
            documents.append(printed_json(capsys))
        for document in documents:
            del document["target"], document["description"]["chunk_count"]
        assert documents[0] == documents[1]


class TestFetch:
    @pytest.mark.parametrize("shard", [None, "0/3", "2/3:0", "1/2:1"])
    def test_a_server_and_the_embedded_engine_write_the_same_file(
        self,
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
        self, manifest: str, command: str, code: int, words: str
    ) -> None:
        line = command.replace("MANIFEST", manifest).replace(
            "SEEDBED", f"{sys.executable} -m seedbed"
        )
        done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (code, words)

    def test_the_safetensors_package_reads_what_the_sdk_gives(
        self, server: ServerProcess, manifest: str
    ) -> None:
        assert main(["fetch", manifest, "-o", "model.safetensors", "--target", server.address]) == 0
        tensors = read_safetensors("model.safetensors")
        with sb.connect("embedded:") as client:
            wanted = client.sample_all(sb.Manifest.load(manifest))
        assert sorted(tensors) == sorted(NAMES)
        for name, array in wanted.items():
            assert (tensors[name].shape, tensors[name].dtype) == (array.shape, array.dtype)
            assert tensors[name].tobytes() == array.tobytes()

    def test_a_tensor_without_the_axis_of_the_shard_comes_whole(self, manifest: str) -> None:
        assert main(["fetch", manifest, "-o", "part.safetensors", "--shard", "1/2:1"]) == 0
        shapes = {name: array.shape for name, array in read_safetensors("part.safetensors").items()}
        assert shapes["embedding"] == (10, 3) and shapes["dense.kernel"] == (6, 2)
        assert shapes["dense.bias"] == (4,) and shapes["scale"] == ()

    def test_a_file_that_exists_is_replaced_by_force_alone(
        self, manifest: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        Path("model.safetensors").write_bytes(b"old")
        assert main(["fetch", manifest, "-o", "model.safetensors"]) == 1
        assert "model.safetensors exists: --force replaces it" in error_line(capsys)
        assert Path("model.safetensors").read_bytes() == b"old"
        assert main(["fetch", manifest, "-o", "model.safetensors", "--force"]) == 0
        assert sorted(read_safetensors("model.safetensors")) == sorted(NAMES)

    def test_a_failed_fetch_leaves_the_old_file_and_nothing_else(
        self, manifest: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        Path("model.safetensors").write_bytes(b"old")
        target = ["--target", dead_address(), "--force"]
        arguments = ["fetch", manifest, "-o", "model.safetensors", *target]
        assert main([*arguments, "--patience-seconds", "0"]) == 1
        error_line(capsys)
        assert Path("model.safetensors").read_bytes() == b"old"
        assert sorted(path.name for path in Path().iterdir()) == ["model.safetensors", "model.yaml"]


class TestFetchIntoAFolder:
    INDEX = "model.safetensors.index.json"

    def read(self, folder: str) -> dict[str, Any]:
        """Return what the package finds in the files that the index names, or in the one file."""
        files = sorted(Path(folder).glob("*.safetensors"))
        index = Path(folder, self.INDEX)
        if index.exists():
            named = json.loads(index.read_text())["weight_map"]
            assert {name: file.name for file in files for name in read_safetensors(str(file))} == (
                named
            )
        assert [path.name for path in Path(folder).iterdir() if path.name.startswith(".")] == []
        return {
            name: array for file in files for name, array in read_safetensors(str(file)).items()
        }

    @pytest.mark.parametrize(
        ("size", "files"), [(None, 1), ("1GiB", 1), ("100B", 3), ("1", 5)], ids=str
    )
    def test_it_holds_the_same_tensors_as_a_file(
        self, manifest: str, size: str | None, files: int, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["fetch", manifest, "-o", "model.safetensors", "--json"]) == 0
        digest = printed_json(capsys)["model_digest"]
        limit = ["--max-shard-size", size] if size else []
        assert main(["fetch", manifest, "-o", "new/below", *limit, "--json"]) == 0
        report = printed_json(capsys)
        assert (report["model_digest"], report["files"]) == (digest, files)
        found, wanted = self.read("new/below"), read_safetensors("model.safetensors")
        assert {name: array.tobytes() for name, array in found.items()} == {
            name: array.tobytes() for name, array in wanted.items()
        }
        assert Path("new/below", self.INDEX).exists() == (files > 1)
        if files > 1:
            index = json.loads(Path("new/below", self.INDEX).read_text())
            assert index["metadata"] == {"total_size": report["size_bytes"]}
        for path in ("new/below", f"new/below/{self.INDEX}")[: 1 + (files > 1)]:
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
    def test_sizes_are_those_of_hugging_face(self, text: str, size: int) -> None:
        arguments = ["fetch", "m.yaml", "-o", "folder", "--max-shard-size", text]
        assert program.command_line().parse_args(arguments).max_shard_size == size

    def test_weights_that_are_there_are_replaced_and_nothing_else(self, manifest: str) -> None:
        folder = Path("folder")
        folder.mkdir()
        for size in ("1", "1GB", "100B"):
            (folder / "config.json").write_text("{}")
            (folder / "pytorch_model.bin").write_text("other")
            arguments = ["fetch", manifest, "-o", "folder", "--max-shard-size", size]
            if size != "1":
                assert main(arguments) == 1
            assert main([*arguments, "--force"]) == 0
            assert sorted(self.read("folder")) == sorted(NAMES)
            assert main(["verify", "folder", manifest]) == 0
            assert (folder / "config.json").exists() and (folder / "pytorch_model.bin").exists()

    @pytest.mark.parametrize("output", ["new/folder", "new/model.safetensors", "old"])
    def test_a_failed_fetch_leaves_what_was_there_and_nothing_else(
        self, manifest: str, output: str, capsys: pytest.CaptureFixture[str]
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
        self, manifest: str, capsys: pytest.CaptureFixture[str]
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


class TestDescribe:
    def test_an_initializer_is_described_with_its_figures(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert (
            main(["describe", "GlorotUniform", "--shape", "3,3,64,32", "--dtype", "bfloat16"]) == 0
        )
        text = capsys.readouterr().out
        assert "in 576, out 288" in text
        assert "36,864 (36.0 KiB)" in text
        assert "uniform on [" in text

    def test_a_manifest_is_described_with_its_total(
        self, manifest: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["describe", manifest]) == 0
        text = capsys.readouterr().out
        assert all(name in text for name in NAMES)
        assert "5 tensors, 89 numbers, 236 bytes" in text
        assert main(["describe", manifest, "--json"]) == 0
        document = printed_json(capsys)
        assert [tensor["name"] for tensor in document["tensors"]] == NAMES
        assert document["total"] == {"tensors": 5, "elements": 89, "size_bytes": 236}

    def test_each_error_of_a_manifest_is_a_line(self, capsys: pytest.CaptureFixture[str]) -> None:
        Path("m.yaml").write_text(
            "seedbed_manifest: 1\nsede: 1\ndtype: float32\ntensors:\n  w: [-1]\n"
        )
        assert main(["describe", "m.yaml"]) == 2
        first, second = capsys.readouterr().err.splitlines()
        assert first.startswith("seedbed: error: m.yaml:2: `sede` must be a key of a manifest: ")
        assert first.endswith("; did you mean 'seed'?")
        assert second.startswith(
            "seedbed: error: m.yaml:5: tensors.w: `shape[0]` must be 0 or more"
        )

    def test_a_tensor_too_large_for_any_memory_is_described(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["describe", "GlorotUniform", "--shape", "1048576,1048576", "--json"]) == 0
        assert printed_json(capsys)["tensors"][0]["size_bytes"] == 2**42


class TestDigest:
    def test_sha256_is_that_of_the_bytes(
        self, server: ServerProcess, capsys: pytest.CaptureFixture[str]
    ) -> None:
        array = embedded_sample(sb.TensorSpec("", (64, 32), "float32", sb.GlorotUniform(seed=7)))
        arguments = ("digest", *SAMPLE[1:], "--algorithm", "sha256")
        wanted = f"sha256:{hashlib.sha256(array.tobytes()).hexdigest()}:{array.nbytes}\n"
        for target in ("embedded:", server.address):
            assert main([*arguments, "--target", target]) == 0
            assert capsys.readouterr().out == wanted

    @pytest.mark.parametrize("algorithm", ["xxh3_128", "sha256"])
    def test_a_model_has_one_digest_wherever_it_is_asked_for(
        self, manifest: str, algorithm: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["digest", manifest, "--algorithm", algorithm, "--json"]) == 0
        document = printed_json(capsys)
        assert list(document["tensors"]) == NAMES
        with sb.connect("embedded:") as client:
            digests = client.digest_all(sb.Manifest.load(manifest), algorithm=algorithm)
        assert document["model_digest"] == str(sb.digest_of(digests))
        # As docs/protocol.md says.
        lines = "".join(f"{name}\0{document['tensors'][name]}\n" for name in sorted(NAMES)).encode()
        hashed = xxhash.xxh3_128 if algorithm == "xxh3_128" else hashlib.sha256
        size_bytes = sum(each.size_bytes for each in digests.values())
        wanted = f"{algorithm}:{hashed(lines).hexdigest()}:{size_bytes}"
        assert document["model_digest"] == wanted
        assert main(["digest", manifest, "--algorithm", algorithm]) == 0
        assert wanted in capsys.readouterr().out.splitlines()[-1]


class TestVerify:
    @pytest.fixture
    def file(self, manifest: str, capsys: pytest.CaptureFixture[str]) -> str:
        assert main(["fetch", manifest, "-o", "model.safetensors"]) == 0
        capsys.readouterr()
        return "model.safetensors"

    @pytest.fixture
    def part(self, manifest: str, capsys: pytest.CaptureFixture[str]) -> str:
        assert main(["fetch", manifest, "-o", "part.safetensors", "--shard", "1/2"]) == 0
        capsys.readouterr()
        return "part.safetensors"

    def differences(
        self, file: str, manifest: str, capsys: pytest.CaptureFixture[str]
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
        self, server: ServerProcess, file: str, manifest: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for target in ("embedded:", server.address):
            assert main(["verify", file, manifest, "--target", target]) == 0
            assert "5 tensors, all equal" in capsys.readouterr().out

    def test_a_shard_is_equal_to_the_same_shard_only(
        self, part: str, manifest: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["verify", part, manifest, "--shard", "1/2"]) == 0
        assert main(["verify", part, manifest, "--shard", "0/2"]) == 1
        assert main(["verify", part, manifest]) == 1
        assert "shape 5,6 in the file, 10,6 in the manifest" in capsys.readouterr().out

    def test_a_changed_bit_names_the_tensor(
        self, file: str, manifest: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        content = bytearray(Path(file).read_bytes())
        kernel = read_safetensors(file)["dense.kernel"].tobytes()
        content[content.index(kernel) + 5] ^= 1
        Path(file).write_bytes(content)
        assert self.differences(file, manifest, capsys) == [("dense.kernel", "different")]

    def test_missing_and_extra_tensors_are_named(
        self, file: str, manifest: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        Path("other.yaml").write_text(
            MANIFEST.replace("  dense.bias: [4]", "  more.bias: [4]"), encoding="utf-8"
        )
        found = self.differences(file, "other.yaml", capsys)
        assert sorted(found) == [("dense.bias", "extra"), ("more.bias", "missing")]

    def test_another_dtype_and_another_seed_are_named(
        self, file: str, manifest: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        text = MANIFEST.replace("bfloat16", "float16").replace("seed: 3", "seed: 4")
        Path("other.yaml").write_text(text, encoding="utf-8")
        found = self.differences(file, "other.yaml", capsys)
        assert found == [("embedding", "different"), ("dense.kernel", "different")]


class TestServerFacts:
    def test_list_names_every_initializer(
        self, server: ServerProcess, capsys: pytest.CaptureFixture[str]
    ) -> None:
        documents = []
        for target in ("embedded:", server.address):
            assert main(["list", "--json", "--target", target]) == 0
            documents.append(printed_json(capsys))
        assert documents[0] == documents[1]
        assert main(["list"]) == 0
        text = capsys.readouterr().out
        names = [each["name"] for each in documents[0]["initializers"]]
        assert {"GlorotUniform", "HeNormal", "Orthogonal", "Zeros"} <= set(names)
        assert all(name in text for name in names)

    def test_info_tells_version_and_limits(
        self, server: ServerProcess, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for target in ("embedded:", server.address):
            assert main(["info", "--json", "--target", target]) == 0
            document = printed_json(capsys)
            assert document["target"] == target
            assert document["info"]["numerics"] == ["seedbed-1"]
            assert document["info"]["limits"]["max_tensor_bytes"] > 0
        assert main(["info"]) == 0
        assert "seedbed-1" in capsys.readouterr().out

    def test_the_environment_sets_the_target(
        self,
        server: ServerProcess,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setenv("SEEDBED_TARGET", server.address)
        assert main(["info", "--json"]) == 0
        assert printed_json(capsys)["target"] == server.address

    @pytest.mark.parametrize(
        "arguments", [SAMPLE, ("digest", *SAMPLE[1:]), ("list",), ("info",)], ids=lambda a: a[0]
    )
    def test_a_target_that_does_not_answer_fails(
        self, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
    ) -> None:
        address = dead_address()
        assert main([*arguments, "--target", address, "--patience-seconds", "0"]) == 1
        assert address in error_line(capsys)

    @pytest.mark.parametrize("option", ["--patience-seconds", "--timeout-seconds"])
    def test_it_says_once_that_it_waits_for_a_server(
        self, option: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        address = dead_address()
        begun = time.monotonic()
        assert main(["info", "--target", address, option, "1.5"]) == 1
        assert 1.4 < time.monotonic() - begun < 10
        printed = capsys.readouterr()
        warning, error = printed.err.splitlines()
        assert warning.startswith(f"seedbed: warning: {address} does not answer")
        assert warning.endswith("trying again")
        assert error.startswith(f"seedbed: error: {address} does not answer")
        assert re.search(r"tried \d+ times in \d\.\d s", error)
        assert printed.out == ""

    def test_it_goes_on_when_the_server_comes(self, capsys: pytest.CaptureFixture[str]) -> None:
        address = dead_address()
        with ExitStack() as stack:
            starting = threading.Timer(
                1.0, lambda: stack.enter_context(server_process(listen=address))
            )
            starting.start()
            assert main(["info", "--target", address, "--json", "--patience-seconds", "120"]) == 0
            starting.join()
        printed = capsys.readouterr()
        assert json.loads(printed.out)["target"] == address
        assert len(printed.err.splitlines()) == 1


class TestProcess:
    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PROGRAM, *arguments], capture_output=True, text=True, check=False, timeout=RUN_SECONDS
        )

    def test_a_sample_is_printed_and_nothing_goes_to_standard_error(self) -> None:
        finished = self.run(*SAMPLE, "--json")
        assert (finished.returncode, finished.stderr) == (0, "")
        array = embedded_sample(sb.TensorSpec("", (64, 32), "float32", sb.GlorotUniform(seed=7)))
        assert finished.stdout.count("\n") == 1
        assert json.loads(finished.stdout)["digest"] == str(sb.digest_bytes(array.tobytes()))

    def test_fetch_and_verify_agree_through_a_server(
        self, server: ServerProcess, manifest: str
    ) -> None:
        fetched = self.run(
            "fetch", manifest, "-o", "model.safetensors", "--target", server.address, "--progress"
        )
        assert fetched.returncode == 0, fetched.stderr
        verified = self.run("verify", "model.safetensors", manifest)
        assert (verified.returncode, verified.stderr) == (0, "")

    def test_a_wrong_argument_ends_with_two_and_one_line(self) -> None:
        finished = self.run("sample", "GlorotUnifrom", "--shape", "2,2")
        assert (finished.returncode, finished.stdout) == (2, "")
        assert finished.stderr.startswith("seedbed: error: ") and finished.stderr.count("\n") == 1
