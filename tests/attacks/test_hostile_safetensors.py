"""A safetensors file that lies is refused by name, at once and without much memory."""

import gc
import json
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import seedbed as sb
from seedbed.checkpoints import open_tensors, read_header

DATA = bytes(8)
FAR = 2**62
DIGITS = b"9" * 5000


def a_file(header: object, data: bytes = DATA) -> bytes:
    """Return a file with this header, a text or what becomes one."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def one(**keys: Any) -> dict[str, Any]:
    """Return the header of one tensor of two float32, with some keys changed."""
    return {"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]} | keys}


def two(first: tuple[int, int], second: tuple[int, int], size: int) -> bytes:
    """Return a file of two tensors of two float32 at these places."""
    keys = {"dtype": "F32", "shape": [2]}
    return a_file(
        {"w": {**keys, "data_offsets": first}, "v": {**keys, "data_offsets": second}}, bytes(size)
    )


def raw(shape: bytes = b"[2]", offsets: bytes = b"[0,8]", more: bytes = b"") -> bytes:
    """Return a file of one tensor whose header is written by hand."""
    return a_file(b'{"w":{"dtype":"F32","shape":%s,"data_offsets":%s}%s}' % (shape, offsets, more))


def each(*values: Any) -> tuple[Any, ...]:
    """Return values of any types."""
    return values


NO_INTEGERS: tuple[Any, ...] = (None, 2, "2", {"2": 1}, True)
HOSTILE: dict[str, bytes] = {
    "empty": b"",
    "seven bytes": bytes(7),
    **{
        f"a header of {n} bytes": struct.pack("<Q", n) + b"{}"
        for n in (0, 1, 3, 100 << 30, 2**60, 2**63, 2**64 - 1)
    },
    "a header cut off": a_file(one())[:-12],
    **{
        f"the header {text!r}": a_file(text)
        for text in (b"hello", b"[]", b"12", b"null", b'"ab"', b"{}x", b"{}\0\0")
    },
    "a header that is no UTF-8": a_file(b"\xff\xfe{}"),
    "a header in UTF-16": a_file(json.dumps(one()).encode("utf-16")),
    "a header with a mark in front": a_file(b"\xef\xbb\xbf" + json.dumps(one()).encode()),
    **{f"the tensor {value!r}": a_file({"w": value}) for value in each([], None, "x", {}, 3)},
    **{
        f"the shape {v!r}": a_file(one(shape=v))
        for v in (*NO_INTEGERS, ["2"], [2.0], [2.7], [[2]], [None])
    },
    "the shape [True]": a_file(one(dtype="I8", shape=[True], data_offsets=[0, 1]), bytes(1)),
    **{
        f"the offsets {v!r}": a_file(one(data_offsets=v))
        for v in (*NO_INTEGERS, [], [0], [0, 4, 8], ["0", "8"])
    },
    **{
        f"the offsets {v!r}": a_file(one(data_offsets=v))
        for v in each([0.0, 8.0], [0.5, 8.5], [[], []], {"0": 0, "8": 8})
    },
    "the offsets [False, True]": a_file(
        one(dtype="I8", shape=[1], data_offsets=[False, True]), bytes(1)
    ),
    **{
        f"the dtype {v!r}": a_file(one(dtype=v))
        for v in each(3, [], None, {}, "f32", "", "F8_E4M3", "F32 ")
    },
    **{
        f"no {key}": a_file({"w": {k: v for k, v in one()["w"].items() if k != key}})
        for key in one()["w"]
    },
    "a negative length": a_file(one(shape=[-2])),
    "two negative lengths": a_file(one(shape=[-2, -1])),
    "a negative offset": a_file(one(data_offsets=[-8, 0])),
    "an end before the beginning": a_file(one(data_offsets=[8, 0])),
    "a shape larger than the offsets": a_file(one(shape=[3])),
    "a shape smaller than the offsets": a_file(one(shape=[1])),
    "offsets beyond the file": a_file(one(), b""),
    "offsets far beyond the file": a_file(one(shape=[2**40], data_offsets=[0, 2**42])),
    "offsets beyond 64 bits": a_file(one(shape=[2**66], data_offsets=[0, 2**68])),
    "the same bytes twice": two((0, 8), (0, 8), 8),
    "overlapping tensors": two((0, 8), (4, 12), 12),
    "a gap": two((0, 8), (16, 24), 24),
    "a gap in front": a_file(one(data_offsets=[8, 16]), bytes(16)),
    "bytes behind": a_file(one(), bytes(16)),
    "lengths that overflow": a_file(one(shape=[FAR, FAR], data_offsets=[0, 0]), b""),
    "lengths that overflow to nothing": a_file(one(shape=[2**32, 2**32], data_offsets=[0, 0]), b""),
    "nothing of lengths that overflow": a_file(one(shape=[FAR, FAR, 0], data_offsets=[0, 0]), b""),
    "nothing of a length beyond 64 bits": a_file(one(shape=[0, 2**70], data_offsets=[0, 0]), b""),
    "more axes than numpy has": a_file(one(shape=[1] * 100 + [2])),
    "many long axes": a_file(one(shape=[2**1000] * 1000, data_offsets=[0, 0]), b""),
    "a name twice": raw(more=b',"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}'),
    "a key twice": a_file(b'{"w":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}'),
    "half a surrogate pair": a_file({"\ud800": one()["w"]}),
    "deep lists": a_file(b"[" * 100_000),
    "deep mappings": a_file(b'{"w":' * 100_000),
    "deep lists in a shape": raw(shape=b"[" * 100_000 + b"]" * 100_000),
    **{
        f"the shape [{n}]": raw(shape=b"[%s]" % n.encode())
        for n in ("NaN", "Infinity", "-Infinity", "1e400", "-0.0")
    },
    **{
        f"the offsets [0,{n}]": raw(offsets=b"[0,%s]" % n.encode())
        for n in ("NaN", "Infinity", "1e400")
    },
    "a length of 5000 digits": raw(shape=b"[%s]" % DIGITS),
    "an end of 5000 digits": raw(offsets=b"[0,%s]" % DIGITS),
    "an end of 4000 digits": raw(offsets=b"[0,%s]" % DIGITS[:4000]),
    **{
        f"the metadata {v!r}": a_file(one() | {"__metadata__": v})
        for v in each([], "x", 3, {"a": 1}, {"a": None})
    },
}


def a_manifest(path: Path) -> sb.Manifest:
    """Read a file as a manifest."""
    return sb.Manifest.from_safetensors(path, {"*": "zeros"}, seed=1)


@pytest.mark.parametrize(
    "read", [read_header, open_tensors, a_manifest], ids=lambda read: read.__name__
)
@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_file_that_lies_is_refused(
    tmp_path: Path, data: bytes, read: Callable[[Path], object]
) -> None:
    path = tmp_path / "hostile.safetensors"
    path.write_bytes(data)
    tracemalloc.start()
    try:
        with pytest.raises(sb.InvalidValueError) as caught:
            read(path)
        largest = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert str(path) in str(caught.value)
    assert len(str(caught.value)) < len(str(path)) + 400
    assert largest < 16 * 2**20


def test_the_same_file_without_a_lie_is_read(tmp_path: Path) -> None:
    path = tmp_path / "honest.safetensors"
    for data in (
        a_file(one()),
        raw(),
        two((0, 8), (8, 16), 16),
        two((8, 16), (0, 8), 16),
        a_file(b"  {}", b""),
    ):
        path.write_bytes(data)
        assert len(read_header(path)) == len(open_tensors(path)) == len(a_manifest(path))


@pytest.mark.parametrize("size", [2**40, 2**30])
def test_a_long_header_in_a_file_of_holes_is_not_read(tmp_path: Path, size: int) -> None:
    path = tmp_path / "hostile.safetensors"
    with path.open("wb") as file:
        file.write(struct.pack("<Q", size))
        file.truncate(2**30 + 100)
    tracemalloc.start()
    try:
        with pytest.raises(sb.InvalidValueError, match="header"):
            read_header(path)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_a_header_of_many_tensors_takes_little_more_memory_than_its_text_and_entries(
    tmp_path: Path,
) -> None:
    count = 50_000
    entries = {
        f"model.layers.{index}.weight": {
            "dtype": "F32",
            "shape": [1, 1],
            "data_offsets": [4 * index, 4 * index + 4],
        }
        for index in range(count)
    }
    text = json.dumps(entries).encode()
    path = tmp_path / "many.safetensors"
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(4 * count))
    del entries
    gc.collect()
    tracemalloc.start()
    try:
        assert len(read_header(path)) == count
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # A dict and two lists for each tensor, all at the same time, took 900 bytes more.
    assert peak < 2 * len(text) + 600 * count
