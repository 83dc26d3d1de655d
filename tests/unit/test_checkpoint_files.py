"""A checkpoint is a file, a folder, an index or a list, as transformers has them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

import seedbed as sb
from seedbed.checkpoint_files import open_all, read_headers, split

ZEROS = {"*": "zeros"}


def write(path: Path, *names: str) -> Path:
    """Write a file with these tensors, by the package."""
    save_file({name: np.full((2, 3), len(name), np.float32) for name in names}, path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of two files and their index."""
    write(tmp_path / "model-00001-of-00002.safetensors", "a", "b")
    write(tmp_path / "model-00002-of-00002.safetensors", "c")
    index(tmp_path, {"a": 1, "b": 1, "c": 2})
    return tmp_path


def index(folder: Path, places: dict[str, int]) -> Path:
    """Write an index."""
    path = folder / "model.safetensors.index.json"
    files = {name: f"model-{place:05}-of-00002.safetensors" for name, place in places.items()}
    path.write_text(json.dumps({"metadata": {"total_size": 72}, "weight_map": files}))
    return path


def test_every_form_of_a_path_is_read(folder: Path) -> None:
    files = sorted(folder.glob("*.safetensors"))
    forms: list[Any] = [
        folder,
        str(folder),
        folder / "model.safetensors.index.json",
        files,
        tuple(map(str, files)),
        [folder],
    ]
    for form in forms:
        assert list(sb.Manifest.from_safetensors(form, ZEROS, seed=1)) == ["a", "b", "c"]
        assert [array[0, 0] for array in open_all(form).values()] == [1, 1, 1]
    assert list(read_headers(files[1])) == ["c"]
    assert list(read_headers(list(reversed(files)))) == ["c", "a", "b"]


def test_a_folder_without_an_index_is_all_its_files(folder: Path) -> None:
    (folder / "model.safetensors.index.json").unlink()
    write(folder / "other.safetensors", "d")
    assert list(read_headers(folder)) == ["a", "b", "c", "d"]


def test_files_that_an_index_does_not_name_are_none_of_a_checkpoint(folder: Path) -> None:
    write(folder / "consolidated.safetensors", "a", "b", "c")
    assert list(read_headers(folder)) == ["a", "b", "c"]


def test_the_single_file_comes_before_an_index(folder: Path) -> None:
    write(folder / "model.safetensors", "x")
    assert list(read_headers(folder)) == ["x"]


def test_two_indexes_are_one_too_many(folder: Path) -> None:
    (folder / "model.fp16.safetensors.index.json").write_text("{}")
    with pytest.raises(
        sb.InvalidValueError, match=r"one with one index.*fp16.*, model.safetensors"
    ):
        read_headers(folder)


def test_a_tensor_in_two_files_is_refused_with_its_file(folder: Path) -> None:
    extra = write(folder / "extra.safetensors", "c")
    with pytest.raises(sb.InvalidValueError, match=r'extra.*that no other file has.*"c"'):
        read_headers([folder, extra])


def test_what_an_index_says_must_be_there(folder: Path) -> None:
    with pytest.raises(sb.InvalidValueError, match=r'00002.*all that its index says.*"d"'):
        read_headers(index(folder, {"a": 1, "b": 1, "c": 2, "d": 2}))
    with pytest.raises(FileNotFoundError):
        read_headers(index(folder, {"a": 1, "b": 1, "c": 3}))


@pytest.mark.parametrize(
    "document",
    [
        "",
        "[]",
        "{}",
        '{"weight_map": 3}',
        '{"weight_map": {"a": 3}}',
        '{"weight_map": {"a": "b.safetensors", "a": "c.safetensors"}}',
        '{"weight_map": {"a": "model.bin"}}',
        '{"weight_map": {"a": "../model.safetensors"}}',
        '{"weight_map": {"a": "/tmp/model.safetensors"}}',
        '{"weight_map": {"a": "..\\\\model.safetensors"}}',
        "[" * 100_000,
    ],
    ids=lambda text: text[:40],
)
def test_what_is_no_index_is_refused(tmp_path: Path, document: str) -> None:
    path = tmp_path / "model.safetensors.index.json"
    path.write_text(document)
    for form in (path, tmp_path):
        with pytest.raises(sb.InvalidValueError, match="`index` must be a JSON object whose wei"):
            read_headers(form)


def test_a_folder_without_weights_and_what_is_no_path_are_refused(tmp_path: Path) -> None:
    with pytest.raises(sb.InvalidValueError, match="`folder` must be one with safetensors files"):
        read_headers(tmp_path)
    with pytest.raises(sb.InvalidValueError, match="`path` must be a file, a folder"):
        read_headers([])
    wrong: Any
    for wrong in (3, None, b"x", {"a": 1}, [3]):
        with pytest.raises(sb.InvalidTypeError, match="`path` must be a file, a folder"):
            read_headers(wrong)


@pytest.mark.parametrize(
    ("sizes", "parts"),
    [
        ([], [[]]),
        ([10], [[0]]),
        ([5, 5], [[0, 1]]),
        ([5, 6], [[0], [1]]),
        ([25], [[0]]),
        ([1, 25, 1], [[0], [1], [2]]),
        ([0, 10, 0, 1], [[0, 1, 2], [3]]),
        ([4, 4, 4, 4], [[0, 1], [2, 3]]),
    ],
)
def test_files_hold_as_much_as_fits_in_the_tensors_order(
    sizes: list[int], parts: list[list[int]]
) -> None:
    found = split({f"t{place}": size for place, size in enumerate(sizes)}, 10)
    assert list(found.values()) == [[f"t{place}" for place in part] for part in parts]
    names = [f"model-{place:05}-of-{len(parts):05}.safetensors" for place in (1, 2, 3)]
    assert list(found) == (["model.safetensors"] if len(parts) == 1 else names[: len(parts)])
