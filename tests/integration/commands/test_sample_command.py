"""``seedbed sample``: figures, files, parts and pictures of one tensor."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import seedbed as sb
from seedbed.checkpoints import open_tensors
from seedbed.cli import main
from tests.command_line import SAMPLE, embedded_sample, error_line, printed_json, read_safetensors
from tests.servers import ServerProcess

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def saved_by_sample(*arguments: str) -> NDArray[Any]:
    """Return the array of an .npy file that ``seedbed sample`` writes."""
    assert main(["sample", *arguments, "-o", "saved.npy", "--force"]) == 0
    array: NDArray[Any] = np.load("saved.npy")
    return array


def test_text_has_fans_distribution_moments_and_digest(capsys: pytest.CaptureFixture[str]) -> None:
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


def test_json_is_one_object_with_the_same_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SAMPLE, "--json"]) == 0
    document = printed_json(capsys)
    array = embedded_sample(sb.TensorSpec("", (64, 32), "float32", sb.GlorotUniform(seed=7)))
    assert document["digest"] == str(sb.digest_bytes(array.tobytes()))
    assert document["description"]["fan_in"] == 64 and document["description"]["fan_out"] == 32
    assert document["description"]["maxval"] == pytest.approx(0.25)
    assert document["moments"]["mean"] == pytest.approx(array.mean(dtype=np.float64), abs=1e-12)
    assert document["moments"]["std"] == pytest.approx(array.std(dtype=np.float64))
    assert document["moments"]["min"] == array.min() and document["moments"]["max"] == array.max()


def test_json_of_an_infinite_bound_is_still_strict(capsys: pytest.CaptureFixture[str]) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    assert main(["sample", "RandomNormal", "--shape", "8", "--json"]) == 0
    json.loads(capsys.readouterr().out, parse_constant=refuse)


@pytest.mark.parametrize("shape", ["()", "0,3", "1"])
def test_scalars_and_empty_tensors_are_sampled_and_saved(shape: str) -> None:
    dimensions = tuple(int(text) for text in shape.strip("()").split(",") if text)
    assert saved_by_sample("Ones", "--shape", shape).shape == dimensions
    assert main(["sample", "Ones", "--shape", shape, "-o", "saved.safetensors"]) == 0
    assert read_safetensors("saved.safetensors")["tensor"].shape == dimensions


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_an_npy_file_holds_the_tensor_of_the_sdk(dtype: str) -> None:
    array = saved_by_sample("GlorotUniform", "--shape", "64,32", "--seed", "7", "--dtype", dtype)
    wanted = embedded_sample(sb.TensorSpec("", (64, 32), dtype, sb.GlorotUniform(seed=7)))
    assert array.dtype == wanted.dtype and array.shape == wanted.shape
    assert array.tobytes() == wanted.tobytes()


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_safetensors_file_holds_the_tensor_of_the_sdk(dtype: str) -> None:
    assert main([*SAMPLE, "--name", "w", "--dtype", dtype, "-o", "w.safetensors"]) == 0
    wanted = embedded_sample(sb.TensorSpec("w", (64, 32), dtype, sb.GlorotUniform(seed=7)))
    tensors = read_safetensors("w.safetensors")
    assert list(tensors) == ["w"]
    assert tensors["w"].shape == wanted.shape and tensors["w"].dtype == wanted.dtype
    assert tensors["w"].tobytes() == wanted.tobytes()


@pytest.mark.parametrize("dtype", ["float8_e4m3fn", "float8_e5m2"])
def test_a_safetensors_file_holds_float8_too(dtype: str) -> None:
    # The package's numpy side has no float8; that our files are its files is shown beside
    # safetensors_file.
    assert main([*SAMPLE, "--name", "w", "--dtype", dtype, "-o", "w.safetensors"]) == 0
    wanted = embedded_sample(sb.TensorSpec("w", (64, 32), dtype, sb.GlorotUniform(seed=7)))
    found = open_tensors("w.safetensors")["w"]
    assert (found.shape, found.dtype) == (wanted.shape, wanted.dtype)
    assert found.tobytes() == wanted.tobytes()


@pytest.mark.parametrize("dtype", ["bfloat16", "float8_e4m3fn", "float8_e5m2"])
def test_what_npy_does_not_have_is_refused_and_leaves_no_file(
    capsys: pytest.CaptureFixture[str], dtype: str
) -> None:
    assert main([*SAMPLE, "--dtype", dtype, "-o", "w.npy"]) == 2
    assert f"the .npy format has no {dtype}" in error_line(capsys)
    assert list(Path().iterdir()) == []


def test_no_axes_at_all_are_written_as_shapes_are() -> None:
    array = saved_by_sample("GlorotUniform", "--shape", "4,6", "--in-axis", "()", "--seed", "3")
    axes = sb.FanAxes(in_axis=())
    spec = sb.TensorSpec("", (4, 6), "float32", "glorot_uniform", seed=3, fan_axes=axes)
    assert np.array_equal(array, embedded_sample(spec))


def test_the_parameters_of_a_gain_reach_the_initializer() -> None:
    parameters = (
        "--param",
        "a=0.2",
        "--param",
        "mode=fan_out",
        "--param",
        "nonlinearity=leaky_relu",
    )
    axes = ("--in-axis", "1", "--out-axis", "0")
    array = saved_by_sample("kaiming_normal", "--shape", "30,20", *parameters, *axes, "--seed", "3")
    initializer = sb.KaimingNormal(0.2, "fan_out", seed=3, in_axis=1, out_axis=0)
    assert np.array_equal(
        array, embedded_sample(sb.TensorSpec("", (30, 20), "float32", initializer))
    )


def test_a_slice_is_that_part_of_the_whole() -> None:
    arguments = ("GlorotUniform", "--shape", "64,32", "--seed", "7")
    whole = saved_by_sample(*arguments)
    assert np.array_equal(saved_by_sample(*arguments, "--slice", "3:9,5:7"), whole[3:9, 5:7])
    assert np.array_equal(saved_by_sample(*arguments, "--slice", "60:"), whole[60:])
    assert np.array_equal(saved_by_sample(*arguments, "--slice", ":,:4"), whole[:, :4])


def test_shards_put_together_are_the_whole() -> None:
    arguments = ("GlorotUniform", "--shape", "64,32", "--seed", "7")
    whole = saved_by_sample(*arguments)
    rows = [saved_by_sample(*arguments, "--shard", f"{index}/4") for index in range(4)]
    columns = [saved_by_sample(*arguments, "--shard", f"{index}/4:-1") for index in range(4)]
    assert np.array_equal(np.concatenate(rows), whole)
    assert np.array_equal(np.concatenate(columns, axis=1), whole)


def test_parameters_seed_and_draw_reach_the_initializer() -> None:
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
def test_a_plot_is_a_png_picture(arguments: tuple[str, ...]) -> None:
    assert main([*arguments, "--plot", "picture.png"]) == 0
    picture = Path("picture.png").read_bytes()
    assert picture.startswith(PNG_SIGNATURE) and picture.endswith(b"IEND\xaeB`\x82")
    width, height = (int.from_bytes(picture[at : at + 4], "big") for at in (16, 20))
    assert width > 100 and height > 100
    assert [path.name for path in Path().iterdir()] == ["picture.png"]


def test_a_server_gives_the_same_as_the_embedded_engine(
    server: ServerProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    documents = []
    for target in ("embedded:", server.address):
        assert main([*SAMPLE, "--json", "--target", target]) == 0
        documents.append(printed_json(capsys))
    for document in documents:
        del document["target"], document["description"]["chunk_count"]
    assert documents[0] == documents[1]
