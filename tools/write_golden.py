"""Write the golden file of `seedbed-1`: digests of some seven hundred tensors.

    python tools/write_golden.py [--check]

Section 13 of docs/numerics.md explains the fields. New cases are added to the file; a case whose
bits differ from the file's is an error, because that would be another numerics version. With
``--check`` nothing is written, and a missing case is an error too.
"""

import argparse
import hashlib
import itertools
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import xxhash

from seedbed.spec.dtypes import Dtype
from seedbed_server.backends.base import Backend
from seedbed_server.backends.cpu import CpuBackend
from seedbed_server.sampling.self_test import sample_vector

PATH = Path(__file__).parents[1] / "server" / "seedbed_server" / "golden" / "seedbed-1.json"
DESCRIPTION = "What each field means is in docs/numerics.md, section 13."
FIRST_ELEMENTS = 8

FLOATS = ("float16", "bfloat16", "float32", "float64")
FLOATS_OF_8_BITS = ("float8_e4m3fn", "float8_e5m2")
# Those of one word an element. Not the catalogue: a new one in its midst would give all behind it
# other seeds.
RANDOM = (
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "lecun_normal",
    "lecun_uniform",
    "random_normal",
    "random_uniform",
    "truncated_normal",
    "variance_scaling",
)
WINDOWS = (
    "boxcar",
    "hann",
    "hamming",
    "blackman",
    "nuttall",
    "blackmanharris",
    "flattop",
    "bartlett",
    "triang",
    "cosine",
    "barthann",
    "bohman",
    "parzen",
    "lanczos",
)
INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
SEEDS = (0, 1, 42, -1, 2**64 - 1, 2**63, -(2**63), 1234567890123456789)
NAMES = ("", "dense/kernel", "encoder.layers.0.attention.q_proj.weight", "重み/ü/🌱", "w")
DRAWS = (0, 0, 1, 2**32, 2**64 - 1)
SHAPES: tuple[tuple[int, ...], ...] = ((), (7,), (33, 17), (3, 5, 7), (3, 3, 4, 8))
MATRICES: tuple[tuple[int, ...], ...] = (
    (1, 1),
    (5, 5),
    (9, 5),
    (5, 9),
    (3, 3, 4, 8),
    (70, 66),
    (66, 70),
)

Entry = dict[str, Any]
"""One entry of the file, or its first half: what is asked for without what came."""


def cases() -> list[Entry]:
    """Return what each entry asks for.

    Append only, to each group too: a case's place decides its seed.
    """
    return [
        *_elementwise(),
        *_orthogonal(),
        *_constants(),
        *_distributions(),
        *_scalings(),
        *_slices(),
        *_large(),
        *_floats_of_8_bits(),
        *_gains(),
        *_more_scalings(),
        *_structures(),
        *_fourier(),
    ]


def _case(initializer: str, dtype: str, shape: Sequence[int], note: str = "", **more: Any) -> Entry:
    size = "x".join(map(str, shape)) or "scalar"
    entry: Entry = {
        "id": "-".join(filter(None, (initializer, dtype, size, note))),
        "initializer": initializer,
    }
    entry |= {"parameters": more.pop("parameters")} if "parameters" in more else {}
    entry |= {"dtype": dtype, "shape": list(shape), "name": more.pop("name", "dense/kernel")}
    entry |= {"seed": str(more.pop("seed", 1)), "draw": str(more.pop("draw", 0))}
    return entry | more


def _elementwise() -> Iterator[Entry]:
    seeds, names, draws = itertools.cycle(SEEDS), itertools.cycle(NAMES), itertools.cycle(DRAWS)
    for initializer, dtype, shape in itertools.product(RANDOM, FLOATS, SHAPES):
        marks: Entry = {}
        if shape == (33, 17) and initializer in {
            "random_uniform",
            "random_normal",
            "truncated_normal",
        }:
            marks = {"self_test": True}
        yield _case(
            initializer, dtype, shape, seed=next(seeds), name=next(names), draw=next(draws), **marks
        )
    for initializer, shape in itertools.product(("random_normal", "he_uniform"), ((0,), (4, 0, 3))):
        yield _case(initializer, "float32", shape)


def _orthogonal() -> Iterator[Entry]:
    for dtype, shape in itertools.product(FLOATS, MATRICES):
        marks: Entry = (
            {"self_test": True}
            if shape == (9, 5) or (dtype, shape) == ("float64", (70, 66))
            else {}
        )
        yield _case("orthogonal", dtype, shape, **marks)
    yield _case(
        "orthogonal", "float32", (6, 4), "gain", parameters={"gain": -1.4142135623730951}, seed=-7
    )
    yield _case("orthogonal", "float64", (4, 0))


def _constants() -> Iterator[Entry]:
    for dtype in (*FLOATS, *INTEGERS, "bool"):
        yield _case("zeros", dtype, (2, 3))
        yield _case("ones", dtype, (2, 3))
        yield _case("constant", dtype, (2, 3), parameters={"value": 1.0}, self_test=True)
        yield _case("identity", dtype, (4, 6))
    for dtype in FLOATS:
        yield _case("constant", dtype, (2,), "real", parameters={"value": 0.1})
        yield _case("constant", dtype, (2,), "minus-zero", parameters={"value": -0.0})
        yield _case("identity", dtype, (3, 2), "gain", parameters={"gain": -0.3}, self_test=True)
    # Integers beyond float64's 53 bits: exact in an integer dtype, rounded in three steps in a
    # float one.
    yield _case("constant", "int64", (2,), "smallest", parameters={"value": str(-(2**63))})
    yield _case("constant", "uint64", (2,), "largest", parameters={"value": str(2**64 - 1)})
    yield _case("constant", "float64", (2,), "integer", parameters={"value": str(2**53 + 1)})
    yield _case(
        "constant", "float32", (2,), "integer", parameters={"value": str(2**60 + 2**36 + 1)}
    )
    yield _case("constant", "float16", (2,), "subnormal", parameters={"value": 3.1e-8})
    yield _case("constant", "bfloat16", (2,), "tie", parameters={"value": 1.01171875})


def _distributions() -> Iterator[Entry]:
    uniforms = {
        "unit": (0.0, 1.0),
        "wide": (-3e4, 1e-3),
        "one-value": (0.25, 0.25),
        "neighbours": (1.0, 1.00000012),
    }
    normals = {
        "far-mean": (1000.0, 0.001),
        "no-spread": (0.1, 0.0),
        "tiny": (0.0, 1e-7),
        "standard": (0.0, 1.0),
    }
    bounds: dict[str, tuple[float | str, float | str]] = {
        "right-half": (0.0, "inf"),
        "left-half": ("-inf", 0.0),
        "asymmetric": (-1.0, 3.0),
        "one-side": (0.5, 0.75),
        "right-tail": (4.0, "inf"),
        "left-tail": ("-inf", -4.0),
        "narrow": (0.1, 0.10000000000001),
        "none": ("-inf", "inf"),
        "far": (-8.5, 13.0),
    }
    for dtype in FLOATS:
        for note, (minval, maxval) in uniforms.items():
            yield _case(
                "random_uniform",
                dtype,
                (19,),
                note,
                parameters={"minval": minval, "maxval": maxval},
            )
        for note, (mean, stddev) in normals.items():
            yield _case(
                "random_normal", dtype, (19,), note, parameters={"mean": mean, "stddev": stddev}
            )
        for note, (lower, upper) in bounds.items():
            parameters = {"mean": 0.5, "stddev": 2.0, "lower": lower, "upper": upper}
            marks: Entry = {"self_test": True} if note in {"asymmetric", "right-tail"} else {}
            yield _case("truncated_normal", dtype, (19,), note, parameters=parameters, **marks)


def _scalings() -> Iterator[Entry]:
    modes, kinds = (
        ("fan_in", "fan_out", "fan_avg"),
        ("uniform", "truncated_normal", "untruncated_normal"),
    )
    for mode, kind in itertools.product(modes, kinds):
        parameters = {"scale": 1.7, "mode": mode, "distribution": kind}
        yield _case(
            "variance_scaling", "float32", (5, 3, 6), f"{mode}-{kind}", parameters=parameters
        )
    pytorch = {"in_axis": [1], "out_axis": [0], "batch_axis": []}
    experts = {"in_axis": [-2], "out_axis": [-1], "batch_axis": [0]}
    heads = {"in_axis": [0], "out_axis": [1, 2], "batch_axis": []}
    for note, axes in (("pytorch", pytorch), ("experts", experts), ("heads", heads)):
        for initializer in ("glorot_uniform", "he_normal"):
            marks: Entry = {"self_test": True} if note == "pytorch" else {}
            yield _case(initializer, "float32", (4, 6, 5), note, fan_axes=axes, **marks)


def _slices() -> Iterator[Entry]:
    for dtype in FLOATS:
        inside = {"starts": [5, 3], "lengths": [7, 11]}
        yield _case("random_normal", dtype, (33, 17), "slice", slice=inside)
        yield _case(
            "orthogonal", dtype, (9, 5), "slice", slice={"starts": [2, 1], "lengths": [5, 3]}
        )
        # Block numbers beyond 2**32: the counter's second word.
        huge = {"starts": [2**40 - 3, 1, 2], "lengths": [3, 3, 5]}
        yield _case("glorot_uniform", dtype, (2**40, 5, 9), "slice", slice=huge, self_test=True)
    yield _case(
        "identity",
        "int16",
        (2**20, 2**20),
        "slice",
        slice={"starts": [2**19, 2**19 - 2], "lengths": [2, 5]},
    )
    yield _case(
        "random_uniform",
        "float32",
        (4, 6),
        "empty-slice",
        slice={"starts": [4, 0], "lengths": [0, 6]},
    )


def _large() -> Iterator[Entry]:
    for initializer, dtype in itertools.product(("random_uniform", "random_normal"), FLOATS):
        yield _case(initializer, dtype, (200_003,))
    yield _case("orthogonal", "float64", (300, 200))
    yield _case("orthogonal", "float64", (1100, 200))


def _floats_of_8_bits() -> Iterator[Entry]:
    seeds, names, draws = itertools.cycle(SEEDS), itertools.cycle(NAMES), itertools.cycle(DRAWS)
    tested = {"random_uniform", "random_normal", "truncated_normal", "orthogonal", "identity"}
    for initializer, dtype in itertools.product((*RANDOM, "orthogonal"), FLOATS_OF_8_BITS):
        marks: Entry = {"self_test": True} if initializer in tested else {}
        yield _case(
            initializer,
            dtype,
            (33, 17),
            seed=next(seeds),
            name=next(names),
            draw=next(draws),
            **marks,
        )
    for dtype in FLOATS_OF_8_BITS:
        yield _case("zeros", dtype, (2, 3))
        yield _case("ones", dtype, (2, 3))
        yield _case("constant", dtype, (2,), "real", parameters={"value": 0.1}, self_test=True)
        yield _case("constant", dtype, (2,), "minus-zero", parameters={"value": -0.0})
        yield _case("constant", dtype, (2,), "largest", parameters={"value": 464.0})
        yield _case("constant", dtype, (2,), "tie", parameters={"value": 1.1875})
        yield _case("constant", dtype, (2,), "subnormal", parameters={"value": 0.0048828125})
        yield _case("identity", dtype, (3, 2), "gain", parameters={"gain": -0.3}, self_test=True)
        for note, stddev in (
            ("subnormal", 0.002),
            ("tiny", 2e-5),
            ("saturated", 300.0),
            ("far", 3e37),
        ):
            yield _case(
                "random_normal", dtype, (40,), note, parameters={"stddev": stddev}, self_test=True
            )
        yield _case(
            "random_uniform", dtype, (40,), "wide", parameters={"minval": -448.0, "maxval": 448.0}
        )
        yield _case(
            "random_normal", dtype, (33, 17), "slice", slice={"starts": [5, 3], "lengths": [7, 11]}
        )
        yield _case("random_uniform", dtype, (200_003,))


def _gains() -> Iterator[Entry]:
    seeds, names, draws = itertools.cycle(SEEDS), itertools.cycle(NAMES), itertools.cycle(DRAWS)
    pytorch = {"in_axis": [1], "out_axis": [0], "batch_axis": []}
    xaviers, kaimings = ("xavier_uniform", "xavier_normal"), ("kaiming_uniform", "kaiming_normal")
    for initializer, dtype in itertools.product(
        (*xaviers, *kaimings), (*FLOATS, *FLOATS_OF_8_BITS)
    ):
        yield _case(
            initializer, dtype, (7, 5, 3), seed=next(seeds), name=next(names), draw=next(draws)
        )
    for initializer in xaviers:
        yield _case(
            initializer,
            "float32",
            (4, 6, 5),
            "pytorch",
            parameters={"gain": 5 / 3},
            fan_axes=pytorch,
        )
        yield _case(initializer, "float64", (), "gain", parameters={"gain": 0.3})
    for initializer, nonlinearity in itertools.product(
        kaimings, ("linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu")
    ):
        parameters = {"a": 0.2, "mode": "fan_out", "nonlinearity": nonlinearity}
        yield _case(
            initializer, "float32", (4, 6, 5), nonlinearity, parameters=parameters, fan_axes=pytorch
        )


def _more_scalings() -> Iterator[Entry]:
    for kind in ("uniform", "truncated_normal", "untruncated_normal"):
        parameters: Entry = {"scale": 1.7, "mode": "fan_geo_avg", "distribution": kind}
        yield _case(
            "variance_scaling", "float32", (5, 3, 6), f"fan_geo_avg-{kind}", parameters=parameters
        )
    bounds: dict[str, tuple[float | str, float | str]] = {
        "three": (-3.0, 3.0),
        "asymmetric": (-1.0, 3.0),
        "right-tail": (4.0, "inf"),
        "left-half": ("-inf", 0.0),
        "narrow": (0.1, 0.1000000000001),
        "none": ("-inf", "inf"),
        "far": (-14.5, 13.5),
    }
    for note, (lower, upper) in bounds.items():
        for dtype in ("bfloat16", "float32", "float64"):
            yield _case(
                "variance_scaling", dtype, (5, 6), note, parameters={"lower": lower, "upper": upper}
            )


EXPERTS: Entry = {"in_axis": [], "out_axis": [], "batch_axis": [0]}
PYTORCH: Entry = {"in_axis": [1], "out_axis": [0], "batch_axis": []}


def _structures() -> Iterator[Entry]:
    dtypes = (*FLOATS, "float8_e4m3fn", "float8_e5m2")
    for dtype in dtypes:
        marks: Entry = {"self_test": True} if dtype in {"float32", "bfloat16"} else {}
        yield _case("orthogonal", dtype, (3, 7, 4), "experts", fan_axes=EXPERTS, **marks)
        yield _case(
            "orthogonal", dtype, (6, 15), "qkv", parameters={"blocks": 3, "gain": 0.5}, **marks
        )
        yield _case("delta_orthogonal", dtype, (3, 4, 5), seed=-3, **marks)
        yield _case("delta_orthogonal", dtype, (4, 3, 2, 6), "gain", parameters={"gain": 2.5})
        if dtype == "float64":  # a sparse matrix of each kernel of values is tried
            marks = {"self_test": True}
        for axis in (0, 1):
            parameters = {"sparsity": 0.3, "axis": axis}
            yield _case(
                "sparse", dtype, (33, 17), f"axis-{axis}", parameters=parameters, seed=-1, **marks
            )
    last = {"in_axis": [], "out_axis": [], "batch_axis": [-1]}
    stacked = {"in_axis": [-2], "out_axis": [-1], "batch_axis": [1]}
    yield _case("orthogonal", "float64", (5, 4, 3), "experts-last", fan_axes=last)
    rows = {"blocks": 3, "block_axis": 0}
    yield _case("orthogonal", "float32", (9, 4), "qkv-rows", parameters=rows)
    yield _case(
        "orthogonal",
        "float32",
        (2, 5, 8),
        "experts-qkv",
        parameters={"blocks": 2},
        fan_axes=EXPERTS,
    )
    yield _case("orthogonal", "float32", (2, 0, 8), "experts", fan_axes=EXPERTS)
    yield _case("delta_orthogonal", "float32", (5, 2, 3, 4, 3), "pytorch", fan_axes=PYTORCH)
    yield _case("delta_orthogonal", "float32", (3, 2, 4, 5), "stacked", fan_axes=stacked)
    for sparsity in (0.0, 1.0, 0.9):
        yield _case(
            "sparse",
            "float32",
            (50, 40),
            f"{sparsity}",
            parameters={"sparsity": sparsity, "stddev": 1.0},
        )
    part = {"starts": [5, 3], "lengths": [7, 11]}
    for axis in (0, 1):
        parameters = {"sparsity": 0.5, "axis": axis}
        yield _case(
            "sparse", "float64", (33, 17), f"axis-{axis}-slice", parameters=parameters, slice=part
        )
    yield _case("sparse", "float32", (0, 5), parameters={"sparsity": 0.5})
    yield _case(
        "orthogonal",
        "float32",
        (6, 15),
        "slice",
        parameters={"blocks": 3},
        slice=_slice((1, 4), (4, 7)),
    )
    yield _case(
        "delta_orthogonal", "float32", (3, 4, 5), "slice", slice=_slice((0, 1, 1), (2, 2, 3))
    )
    for dtype in (*dtypes, *INTEGERS, "bool"):
        marks = {"self_test": True} if dtype == "float32" else {}
        yield _case("dirac", dtype, (3, 4, 6), parameters={"groups": 2}, **marks)
        yield _case("identity", dtype, (2, 3, 4), "batch", fan_axes=EXPERTS)
    yield _case(
        "dirac", "float32", (6, 2, 3, 4, 3), "pytorch", parameters={"groups": 3}, fan_axes=PYTORCH
    )
    yield _case("dirac", "int8", (2, 3, 4, 5), "stacked", fan_axes=stacked)
    yield _case(
        "identity", "float32", (3, 4, 5), "batch-last", parameters={"gain": -0.3}, fan_axes=last
    )
    yield _case(
        "dirac", "int16", (2**20, 2**20, 2**10), "slice", slice=_slice((2**19, 5, 3), (1, 2, 6))
    )


def _slice(starts: Sequence[int], lengths: Sequence[int]) -> Entry:
    return {"starts": list(starts), "lengths": list(lengths)}


def _fourier() -> Iterator[Entry]:
    for dtype in (*FLOATS, "float8_e4m3fn", "float8_e5m2"):
        marks: Entry = {"self_test": True} if dtype == "float64" else {}
        yield _case("stft", dtype, (6, 1, 5), **marks)
        yield _case("stft", dtype, (6, 1, 5), "imag", parameters={"side": "imag", "periodic": True})
    for window in WINDOWS:
        for n, periodic in ((7, False), (8, False), (7, True)):
            note = f"{window}-periodic" if periodic else window
            parameters = {"window": window, "periodic": periodic, "side": "imag"}
            yield _case("stft", "float64", (n, 1, 4), note, parameters=parameters)
    yield _case(
        "stft",
        "float64",
        (7, 1, 4),
        "spectrum",
        parameters={"window": "flattop", "scaling": "spectrum"},
    )
    yield _case("stft", "float64", (7, 1, 4), "none", parameters={"window": "none", "side": "imag"})
    yield _case("stft", "float32", (2, 1, 2), "unscaled", parameters={"scaling": "none"})
    yield _case("stft", "float64", (1, 1, 3), "one", parameters={"window": "parzen"})
    yield _case("stft", "float32", (1024, 1, 513), "slice", slice=_slice((500, 0, 7), (3, 1, 500)))


def results(entry: Entry, backend: Backend) -> Entry:
    """Return the fields of an entry that say what came."""
    content = sample_vector(entry, backend)
    first = FIRST_ELEMENTS * Dtype(entry["dtype"]).itemsize
    return {
        "size_bytes": len(content),
        "first_bytes": content[:first].hex(),
        "xxh3_128": xxhash.xxh3_128_hexdigest(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def read() -> list[Entry]:
    """Return the entries of the file, none if there is no file."""
    if not PATH.exists():
        return []
    entries: list[Entry] = json.loads(PATH.read_text(encoding="utf-8"))["tensors"]
    return entries


def as_text(entries: Sequence[Entry]) -> str:
    """Return the file's text, one entry a line."""
    lines = ",\n".join(
        "    " + json.dumps(entry, ensure_ascii=False, allow_nan=False) for entry in entries
    )
    head = f'  "numerics": "seedbed-1",\n  "description": {json.dumps(DESCRIPTION)},\n'
    return f'{{\n{head}  "tensors": [\n{lines}\n  ]\n}}\n'


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args(arguments).check
    backend = CpuBackend()
    entries = [case | results(case, backend) for case in cases()]
    backend.close()
    known = {entry["id"]: entry for entry in entries}
    changed = [entry["id"] for entry in read() if known.get(entry["id"]) != entry]
    if changed:
        print(
            f"not as in {PATH.name}: {', '.join(changed)}; a change of bits is a new version",
            file=sys.stderr,
        )
        return 1
    if check:
        missing = len(entries) - len(read())
        print(f"{missing} entries are missing in {PATH.name}" if missing else "up to date")
        return int(missing > 0)
    PATH.parent.mkdir(parents=True, exist_ok=True)
    PATH.write_text(as_text(entries), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
