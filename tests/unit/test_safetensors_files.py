"""The safetensors package reads our files, and we read its, with the same content."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors import deserialize, safe_open
from safetensors.numpy import load_file, save, save_file

import seedbed as sb
from seedbed.checkpoints import create, open_tensors, read_header
from seedbed.spec.dtypes import Dtype

SHAPES: tuple[tuple[int, ...], ...] = ((3, 5), (), (0,), (4, 0, 2), (1,), (7,))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that is not there yet."""
    return tmp_path / "model.safetensors"


def numbers(dtype: Dtype, shape: tuple[int, ...]) -> NDArray[Any]:
    """Return an array whose elements differ."""
    return np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype.numpy)


def tensors_of(file: bytes) -> dict[str, tuple[str, tuple[int, ...], bytes]]:
    """Return the dtypes' names, shapes and bytes that the package finds in a file.

    Its arrays would not do: its numpy side has no float8, though its other sides do.
    """
    # Written in Rust, without annotations.
    views = deserialize(file)  # type: ignore[no-untyped-call,unused-ignore]
    return {
        name: (each["dtype"], tuple(each["shape"]), bytes(each["data"])) for name, each in views
    }


def read_by_the_package(path: Path) -> dict[str, tuple[str, tuple[int, ...], bytes]]:
    """Return what the package makes of our file."""
    return tensors_of(path.read_bytes())


def written_by_the_package(
    tensors: dict[str, NDArray[Any]],
) -> dict[str, tuple[str, tuple[int, ...], bytes]]:
    """Return what the package makes of its own file."""
    return tensors_of(save(tensors))


@pytest.mark.parametrize("dtype", Dtype)
def test_the_package_reads_what_was_filled_in_place(path: Path, dtype: Dtype) -> None:
    expected = {f"t{i}": numbers(dtype, shape) for i, shape in enumerate(SHAPES)}
    arrays = create(path, [(name, dtype, array.shape) for name, array in expected.items()])
    for name, array in arrays.items():
        assert (array.shape, array.dtype) == (expected[name].shape, dtype.numpy)
        array[...] = expected[name]
    del array, arrays
    assert read_by_the_package(path) == written_by_the_package(expected)
    read = open_tensors(path)
    assert read.keys() == expected.keys()
    for name, array in read.items():
        assert (array.shape, array.dtype) == (expected[name].shape, dtype.numpy)
        assert array.tobytes() == expected[name].tobytes()


def test_tensors_of_all_dtypes_lie_side_by_side(path: Path) -> None:
    expected = {dtype.value: numbers(dtype, (3,)) for dtype in Dtype}
    for name, array in create(path, [(dtype.value, dtype, (3,)) for dtype in Dtype]).items():
        array[...] = expected[name]
    assert read_by_the_package(path) == written_by_the_package(expected)
    assert list(read_header(path)) == list(expected)


@pytest.mark.parametrize(
    "metadata", [None, {}, {"format": "pt"}, {"ß": "重み 🌱\n", "": ""}], ids=repr
)
def test_metadata_arrive(path: Path, metadata: dict[str, str] | None) -> None:
    create(path, [("w", Dtype.FLOAT32, (2,))], metadata)
    with safe_open(path, "np") as file:
        assert (file.metadata() or {}) == (metadata or {})
    assert list(read_header(path)) == ["w"]


@pytest.mark.parametrize("name", ["ß", "重み", "🌱", "", '"\\', "a\nb\0", "n" * 5000], ids=ascii)
def test_names_are_any_text(path: Path, name: str) -> None:
    create(path, [(name, Dtype.UINT8, (2,))])[name][...] = 9
    assert load_file(path)[name].tolist() == [9, 9]
    save_file({name: np.full(2, 8, np.uint8)}, path)
    assert open_tensors(path)[name].tolist() == [8, 8]


def test_a_file_of_nothing_is_one_too(path: Path) -> None:
    assert create(path, []) == {}
    assert load_file(path) == {} == open_tensors(path)


@pytest.mark.parametrize("dtype", Dtype)
def test_files_of_the_package_are_mapped_read_only(path: Path, dtype: Dtype) -> None:
    expected = {f"t{i}": numbers(dtype, shape) for i, shape in enumerate(SHAPES)}
    save_file(expected, path, {"format": "np"})
    read = open_tensors(path)
    assert read.keys() == expected.keys()
    for name, array in read.items():
        assert (array.shape, array.dtype) == (expected[name].shape, dtype.numpy)
        assert array.tobytes() == expected[name].tobytes()
        assert not array.size or not array.flags.writeable


def test_an_existing_file_is_replaced(path: Path) -> None:
    path.write_bytes(b"\xff" * 10_000)
    create(path, [("w", Dtype.FLOAT32, (2,))])
    assert load_file(path)["w"].tolist() == [0, 0]


@pytest.mark.parametrize("names", [["w", "v", "w"], ["__metadata__"]], ids=str)
def test_names_that_a_header_cannot_hold_are_refused(path: Path, names: list[str]) -> None:
    with pytest.raises(sb.InvalidValueError, match=names[-1]):
        create(path, [(name, Dtype.FLOAT32, (2,)) for name in names])
    assert not path.exists()
