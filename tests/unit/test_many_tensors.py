"""Fetching all tensors of a manifest: arrays to fill, shards, progress."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import seedbed as sb
from seedbed.client import BATCH_TENSORS

MODEL = sb.Manifest(
    [
        sb.TensorSpec("w", (5, 3), "float32", sb.RandomNormal(seed=1)),
        sb.TensorSpec("b", (3,), "bfloat16", sb.RandomUniform(seed=2)),
        sb.TensorSpec("scale", (), "float64", sb.Constant(2.5)),
        sb.TensorSpec("empty", (0, 3), "int8", sb.Zeros()),
    ]
)


@pytest.fixture(scope="module")
def client() -> sb.Client:
    """The embedded engine."""
    return sb.connect("embedded:")


def test_all_tensors_come_in_order_as_each_alone(client: sb.Client) -> None:
    arrays = client.sample_all(MODEL)
    assert list(arrays) == ["w", "b", "scale", "empty"]
    for name, array in arrays.items():
        alone = client.sample(MODEL[name])
        assert (array.shape, array.dtype) == (alone.shape, alone.dtype)
        assert array.tobytes() == alone.tobytes()


def test_given_arrays_are_filled_and_the_others_made(client: sb.Client) -> None:
    out: dict[str, NDArray[Any]] = {
        "w": np.zeros((5, 3), np.float32),
        "scale": np.zeros((), np.float64),
    }
    arrays = client.sample_all(MODEL, out=out)
    assert arrays["w"] is out["w"]
    assert arrays["scale"] is out["scale"]
    assert out["scale"] == 2.5
    assert arrays["b"].any()


@pytest.mark.parametrize("name", ["W", "", "bias", 5], ids=repr)
def test_an_array_for_a_tensor_that_is_not_there_is_refused(client: sb.Client, name: Any) -> None:
    with pytest.raises(
        sb.InvalidValueError, match="`out` must be a mapping whose keys are names of the manifest"
    ):
        client.sample_all(MODEL, out={name: np.zeros((5, 3), np.float32)})


def test_an_array_that_does_not_fit_is_refused_by_name(client: sb.Client) -> None:
    with pytest.raises(
        sb.InvalidValueError, match=r"`out\['b'\]` must be of shape \[3\] and dtype bfloat16"
    ):
        client.sample_all(MODEL, out={"b": np.zeros(3, np.float32)})
    with pytest.raises(sb.InvalidTypeError, match=r"`out\['b'\]` must be a numpy array"):
        # That it fails is the test.
        client.sample_all(MODEL, out={"b": [0, 0, 0]})  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("axis", "cut"), [(0, {"w", "b", "empty"}), (1, {"w", "empty"}), (-1, {"w", "b", "empty"})]
)
def test_tensors_that_lack_the_shards_axis_come_whole(
    client: sb.Client, axis: int, cut: set[str]
) -> None:
    whole = client.sample_all(MODEL)
    for index in range(2):
        for name, array in client.sample_all(MODEL, slice=sb.shard(index, 2, axis)).items():
            expected = np.array_split(whole[name], 2, axis)[index] if name in cut else whole[name]
            assert array.shape == expected.shape
            assert array.tobytes() == np.ascontiguousarray(expected).tobytes()


def test_digests_are_those_of_the_bytes(client: sb.Client) -> None:
    for part in (None, sb.shard(1, 2)):
        arrays = client.sample_all(MODEL, slice=part)
        for algorithm in ("xxh3_128", "sha256"):
            digests = client.digest_all(MODEL, slice=part, algorithm=algorithm)
            assert digests == {
                n: sb.digest_bytes(a.tobytes(), algorithm) for n, a in arrays.items()
            }


def test_descriptions_come_by_name(client: sb.Client) -> None:
    found = client.describe_all(MODEL)
    assert list(found) == list(MODEL)
    assert all(found[name] == client.describe(MODEL[name]) for name in MODEL)


@pytest.mark.parametrize(
    "part", [sb.TensorSlice((0,), (1,)), (0, 2), slice(0, 1), 0], ids=lambda v: type(v).__name__
)
def test_only_a_shard_cuts_many_tensors(client: sb.Client, part: Any) -> None:
    for method in (client.sample_all, client.digest_all):
        with pytest.raises(
            sb.InvalidTypeError, match=r"`slice` must be shard\(...\) or None for many tensors"
        ):
            method(MODEL, slice=part)


def test_more_tensors_than_one_request_takes_come_complete(client: sb.Client) -> None:
    names = [f"t{i}" for i in range(BATCH_TENSORS + 5)]
    model = sb.Manifest(
        [sb.TensorSpec(name, (1,), "float32", sb.RandomUniform(seed=3)) for name in names]
    )
    arrays = client.sample_all(model)
    assert list(arrays) == names
    assert len({array.tobytes() for array in arrays.values()}) > BATCH_TENSORS
    assert arrays[names[-1]].tobytes() == client.sample(model[names[-1]]).tobytes()
    assert list(client.digest_all(model)) == list(client.describe_all(model)) == names


def test_an_empty_manifest_is_no_error(client: sb.Client) -> None:
    nothing = sb.Manifest([])
    assert [
        client.sample_all(nothing),
        client.digest_all(nothing),
        client.describe_all(nothing),
    ] == [{}, {}, {}]


def test_a_progress_bar_is_drawn_on_standard_error_and_nowhere_else(
    client: sb.Client, capsys: pytest.CaptureFixture[str]
) -> None:
    client.sample(MODEL["w"])
    assert capsys.readouterr() == ("", "")
    client.sample(MODEL["w"], progress=True)
    drawn = capsys.readouterr()
    assert drawn.out == ""
    assert "w: 100%" in drawn.err
    assert "60.0/60.0" in drawn.err


def test_a_progress_bar_of_many_tensors_counts_all_bytes(
    client: sb.Client, capsys: pytest.CaptureFixture[str]
) -> None:
    client.sample_all(MODEL, progress=True)
    assert "4 tensors: 100%" in (drawn := capsys.readouterr().err)
    assert "74.0/74.0" in drawn
    client.sample(sb.TensorSpec("", (3,), "int8", sb.Ones()), progress=True)
    assert "tensor: 100%" in capsys.readouterr().err


def test_each_tensor_can_have_a_slice_of_its_own(client: sb.Client) -> None:
    slices: dict[str, Any] = {"w": sb.TensorSlice((1, 0), (2, 3)), "b": sb.shard(1, 2)}
    arrays = client.sample_all(MODEL, slice=slices)
    whole = client.sample_all(MODEL)
    assert arrays["w"].tobytes() == whole["w"][1:3].tobytes()
    assert arrays["b"].tobytes() == whole["b"][2:].tobytes()
    assert arrays["scale"].tobytes() == whole["scale"].tobytes()
    digests = client.digest_all(MODEL, slice=slices)
    assert digests["w"] == sb.digest_bytes(arrays["w"].tobytes())


@pytest.mark.parametrize(
    ("slices", "message"),
    [
        (
            {"x": sb.shard(0, 2)},
            '`slice` must be a mapping whose keys are names of the manifest. Received: "x"',
        ),
        ({"w": sb.TensorSlice((4, 0), (2, 3))}, r"slice\['w'\]: `slice.lengths\[0\]` must be"),
        ({"scale": sb.shard(0, 2)}, r"slice\['scale'\]: `axis` must be"),
    ],
)
def test_a_slice_that_does_not_fit_is_refused_by_name(
    client: sb.Client, slices: Any, message: str
) -> None:
    with pytest.raises(sb.InvalidValueError, match=message):
        client.sample_all(MODEL, slice=slices)
