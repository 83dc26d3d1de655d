"""Writes the kit's cases: what is asked, and what the engine in this process says is right.

    python -m tests.conformance.write_cases [--check]

The engine's numbers have tests of their own (tests/golden, tests/reference); here it is about how
they travel. Cases of the golden file are not written: golden.py makes them as they are run.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import xxhash
from google.protobuf import json_format

import seedbed as sb
from seedbed.spec.initializers import INITIALIZERS
from seedbed.spec.tensors import TensorRequest
from seedbed.v1 import tensors_pb2
from seedbed.wire.protos import descriptions_to_proto
from seedbed_server.sampling.descriptions import describe as describe_plan
from seedbed_server.sampling.sampler import plan
from seedbed_server.settings import Settings
from tests.conformance.case import FOLDER, Document
from tests.conformance.tensors import slice_of, spec_of

MIB = 2**20
XXH3_128, SHA256 = "DIGEST_ALGORITHM_XXH3_128", "DIGEST_ALGORITHM_SHA256"
FIRST_BYTES = 16
CHUNK_BYTES = Settings().chunk_bytes
LOST: Document = {"error": {"code": "DATA_LOSS"}}


def tensor(
    shape: Sequence[int],
    kind: str = "random_uniform",
    dtype: str = "float32",
    *,
    name: str = "w",
    seed: int = 1,
    draw: int = 0,
    slice: tuple[Sequence[int], Sequence[int]] | None = None,
    fan_axes: dict[str, list[int]] | None = None,
    **parameters: Any,
) -> Document:
    """Return a TensorRequest in protobuf's JSON mapping."""
    spec: Document = {
        "name": name,
        "shape": [str(length) for length in shape],
        "dtype": f"DTYPE_{dtype.upper()}",
        "initializer": {kind: parameters},
        "seed": str(seed),
    }
    if draw:
        spec["draw"] = str(draw)
    if fan_axes is not None:
        spec["fan_axes"] = {role: [str(a) for a in axes] for role, axes in fan_axes.items()}
    request: Document = {"spec": spec}
    if slice is not None:
        starts, lengths = slice
        request["slice"] = {
            "starts": [str(n) for n in starts],
            "lengths": [str(n) for n in lengths],
        }
    return request


def spoilt(request: Document, **changes: Any) -> Document:
    """Return a tensor whose spec has other values in some fields; None leaves one out."""
    spec = {**request["spec"], **changes}
    return {**request, "spec": {k: v for k, v in spec.items() if v is not None}}


class Engine:
    """Says what is right."""

    def __init__(self) -> None:
        self._client = sb.connect("embedded:")

    def content(self, request: Document) -> bytes:
        """Return a tensor's bytes."""
        message = json_format.ParseDict(request, tensors_pb2.TensorRequest())
        found = self._client.sample(spec_of(message.spec), slice=slice_of(message))
        return bytes(found.tobytes())

    def description(self, request: Document) -> Document:
        """Return a tensor's description as protobuf's JSON mapping has it."""
        message = json_format.ParseDict(request, tensors_pb2.TensorRequest())
        asked = TensorRequest(spec_of(message.spec), slice_of(message))
        (found,) = descriptions_to_proto([(asked, describe_plan(plan(asked), CHUNK_BYTES))]).tensors
        found.ClearField("request")
        return json_format.MessageToDict(found, preserving_proto_field_name=True)


ENGINE = Engine()


def digests_of(content: bytes) -> Document:
    """Return the digests by every algorithm, and the size, of some bytes."""
    return {
        "size_bytes": len(content),
        "digests": {
            XXH3_128: xxhash.xxh3_128_hexdigest(content),
            SHA256: hashlib.sha256(content).hexdigest(),
        },
    }


def fetched(tensors: Sequence[Document], first_index: int = 0, first_byte: int = 0) -> Document:
    """Return what comes of a fetch, from a resume point on."""
    found = []
    for index, each in enumerate(tensors[first_index:], first_index):
        content = ENGINE.content(each)[first_byte if index == first_index else 0 :]
        found.append(
            {
                "tensor_index": index,
                **digests_of(content),
                "first_bytes": content[:FIRST_BYTES].hex(),
            }
        )
    return {"result": {"tensors": found}}


def fetch(name: str, tensors: list[Document], **further: Any) -> Document:
    """Return the case of a fetch; ``further`` are keys of the request."""
    resume = further.get("resume", {})
    expect = fetched(tensors, int(resume.get("tensor_index", 0)), int(resume.get("byte_offset", 0)))
    return {"name": name, "op": "fetch", "tensors": tensors, **further, "expect": expect}


# The mixtures of tensors that several files ask for.


def small_ones(count: int) -> list[Document]:
    """Return small tensors of many kinds: parts of several share a message."""
    kinds = ("glorot_uniform", "he_normal", "random_normal", "zeros", "xavier_uniform")
    dtypes = ("float32", "bfloat16", "float64", "float16", "float8_e4m3fn")
    return [
        tensor((i % 7 + 1, i % 5 + 2), kinds[i % 5], dtypes[i % 4], name=f"layer.{i}", seed=i)
        for i in range(count)
    ]


def mixture() -> list[Document]:
    """Return small, empty and large tensors, a scalar, a slice, and a constant."""
    return [
        tensor((3, 4), "he_uniform", name="a"),
        tensor((0, 7), name="empty"),
        tensor((), "random_normal", "float64", name="scalar"),
        tensor((600, 1000), "random_normal", name="large", seed=5),
        tensor((64, 64), slice=([3, 5], [40, 17]), name="part", seed=6),
        tensor((300, 7), "constant", "int16", name="sevens", integer="7"),
        tensor((17, 5), "orthogonal", name="q", gain=0.5, seed=7),
    ]


def info() -> Iterator[Document]:
    """Yield the case of what a server is."""
    said = {
        "version": metadata.version("seedbed"),
        "numerics": ["NUMERICS_SEEDBED_1"],
        "capabilities": ["CAPABILITY_FILL"],
        "digest_algorithms": [XXH3_128, SHA256],
    }
    yield {"name": "info", "op": "info", "expect": {"result": said}}


def listing() -> Iterator[Document]:
    """Yield the case of the list of initializers."""
    specs = sorted(INITIALIZERS.values(), key=lambda spec: spec.name())
    fields = [spec.field_name() for spec in specs]
    yield {"name": "list", "op": "list", "expect": {"result": {"initializers": fields}}}


def describe(name: str, *tensors: Document) -> Document:
    """Return the case of a dry run."""
    described = [ENGINE.description(each) for each in tensors]
    expect = {"result": {"tensors": described}}
    return {"name": name, "op": "describe", "tensors": list(tensors), "expect": expect}


def descriptions() -> Iterator[Document]:
    """Yield the cases of dry runs."""
    yield describe("describe a constant", tensor((4, 3), "constant", real=0.25))
    yield describe(
        "describe a large integer", tensor((2,), "constant", "uint64", large_integer=str(2**64 - 1))
    )
    yield describe("describe zeros and ones", tensor((4,), "zeros"), tensor((4,), "ones", "bool"))
    yield describe("describe a uniform", tensor((40, 30), minval=-1.5, maxval=2.0))
    yield describe("describe a uniform by its fans", tensor((3, 3, 16, 32), "glorot_uniform"))
    yield describe("describe a normal", tensor((40, 30), "random_normal", mean=1.0, stddev=0.1))
    yield describe("describe a normal by its fans", tensor((16, 32), "kaiming_normal"))
    yield describe("describe a truncated normal", tensor((5,), "truncated_normal", lower=-1.0))
    yield describe(
        "describe a truncated normal without a lower bound",
        tensor((5,), "truncated_normal", lower="-Infinity", upper=1.5),
    )
    yield describe("describe a truncated normal by its fans", tensor((8, 4, 2), "lecun_normal"))
    yield describe("describe an orthogonal", tensor((40, 30), "orthogonal", gain=1.5))
    yield describe("describe an orthogonal of blocks", tensor((8, 24), "orthogonal", blocks="3"))
    yield describe("describe a delta orthogonal", tensor((3, 4, 6), "delta_orthogonal"))
    yield describe("describe a sparse", tensor((20, 6), "sparse", sparsity=0.35))
    yield describe("describe a diagonal", tensor((4, 6), "identity", gain=-2.5))
    yield describe("describe a dirac", tensor((3, 4, 6), "dirac", "int8"))
    yield describe("describe an stft, which has no distribution", tensor((8, 1, 5), "stft"))
    yield describe(
        "describe fans of named axes",
        tensor(
            (6, 5, 4),
            "he_normal",
            fan_axes={"in_axes": [2], "out_axes": [1], "batch_axes": [0]},
        ),
    )
    yield describe("describe the fan of a vector", tensor((12,), "glorot_normal"))
    yield describe("describe a scalar", tensor((), "he_uniform", "bfloat16"))
    yield describe("describe an empty tensor", tensor((0, 5), "glorot_uniform"))
    yield describe(
        "describe a slice: the fans are those of the whole",
        tensor((40, 30), "glorot_uniform", slice=([3, 0], [5, 30])),
    )
    yield describe(
        "describe a slice of an orthogonal: the whole block is computed",
        tensor((40, 30), "orthogonal", slice=([3, 0], [1, 2])),
    )
    yield describe("describe a tensor of a gigabyte", tensor((2**14, 2**14)))
    yield describe("describe many", *small_ones(40))


def digest(name: str, *tensors: Document, **further: Any) -> Document:
    """Return the case of digests without bytes."""
    found = [digests_of(ENGINE.content(each)) for each in tensors]
    expect = {"result": {"digests": found}}
    return {"name": name, "op": "digest", "tensors": list(tensors), **further, "expect": expect}


def digests() -> Iterator[Document]:
    """Yield the cases of digests."""
    yield digest("digest a scalar", tensor(()))
    yield digest("digest an empty tensor", tensor((3, 0)))
    yield digest("digest a tensor of an odd size", tensor((1001,), dtype="float8_e5m2"))
    yield digest("digest some mebibytes", tensor((1100, 1000), "random_normal"))
    yield digest("digest a slice", tensor((100, 90), "he_normal", slice=([7, 0], [50, 33])))
    yield digest("digest a mixture", *mixture())
    yield digest("digest many", *small_ones(60))
    for algorithm in (XXH3_128, SHA256):
        short = algorithm.removeprefix("DIGEST_ALGORITHM_")
        yield digest(f"digest a mixture by {short}", *mixture(), digest_algorithm=algorithm)
        yield digest(
            f"digest a mebibyte by {short}", tensor((MIB // 4,)), digest_algorithm=algorithm
        )


def fetches() -> Iterator[Document]:
    """Yield the cases of fetches where nothing goes wrong."""
    yield fetch("fetch a tensor", [tensor((33, 17), "glorot_uniform")])
    yield fetch("fetch a scalar", [tensor((), "random_normal")])
    yield fetch("fetch a tensor without elements", [tensor((4, 0))])
    yield fetch(
        "fetch only tensors without elements", [tensor((0,), name=str(i)) for i in range(5)]
    )
    yield fetch("fetch many small tensors, which share messages", small_ones(300))
    yield fetch("fetch a mixture", mixture())
    yield fetch("fetch several chunks", [tensor((2000, 1000), "random_normal")])
    yield fetch(
        "fetch two large tensors", [tensor((500, 1001), name="a"), tensor((999, 500), name="b")]
    )
    yield fetch("fetch one tensor twice", [tensor((9, 9)), tensor((9, 9))])
    yield fetch("fetch a slice", [tensor((100, 90), "he_normal", slice=([7, 0], [50, 33]))])
    yield fetch("fetch an empty slice", [tensor((10, 9), slice=([10, 2], [0, 3]))])
    yield fetch(
        "fetch a small slice of terabytes", [tensor((2**20, 2**20), slice=([2**19, 77], [3, 11]))]
    )
    yield fetch(
        "fetch slices of one tensor",
        [tensor((64, 64), slice=([i * 16, 0], [16, 64])) for i in range(4)],
    )
    for algorithm in (XXH3_128, SHA256):
        short = algorithm.removeprefix("DIGEST_ALGORITHM_")
        yield fetch(f"fetch a mixture by {short}", mixture(), digest_algorithm=algorithm)
    large = [tensor((300, 1000), "random_normal")]
    for size in (16, 4096, 100_000):
        tensors = large if size > 16 else [tensor((300,), "random_normal")]
        yield fetch(
            f"fetch in chunks of {size} bytes at most",
            tensors,
            transfer={"max_chunk_bytes": str(size)},
        )
    yield fetch(
        "fetch chunks of whole elements",
        [tensor((1000,), dtype="float64")],
        transfer={"max_chunk_bytes": "1001"},
    )
    constants = [
        tensor((1000, 33), "constant", "int16", name="a", integer="-7"),
        tensor((12,), "constant", "float64", name="b", real=0.1),
        tensor((5, 5), "ones", name="c"),
        tensor((0, 4), "zeros", name="d"),
        tensor((), "constant", "uint64", name="e", large_integer=str(2**64 - 1)),
        tensor((700, 1000), "constant", name="f", real=2.5),
        tensor((5, 5), "random_uniform", name="g"),
    ]
    for accepts in (True, False):
        word = "" if accepts else "not "
        yield fetch(
            f"fetch constants, {word}as one element each",
            constants,
            transfer={"accepts_fill": accepts},
        )
    yield fetch("fetch a constant of -0.0", [tensor((6,), "constant", real=-0.0)])
    yield fetch("fetch a name in many scripts", [tensor((5,), name="重み/ü/🌱")])
    yield fetch(
        "fetch with the largest seed and draw", [tensor((5,), seed=2**64 - 1, draw=2**64 - 1)]
    )
    yield fetch("fetch what is computed before its first byte", [tensor((400, 400), "orthogonal")])


def resumed(name: str, tensors: list[Document], index: int, offset: int, **more: Any) -> Document:
    """Return the case of a fetch from a resume point on."""
    resume = {"tensor_index": str(index), "byte_offset": str(offset)}
    return fetch(name, tensors, resume=resume, **more)


def resumes() -> Iterator[Document]:
    """Yield the cases of fetches that begin at a resume point."""
    large = [tensor((900, 1000), "random_normal")]
    yield resumed("resume at the beginning", large, 0, 0)
    yield resumed("resume inside", large, 0, 1_234_568)
    yield resumed("resume at the last element", large, 0, 3_599_996)
    yield resumed("resume at the end", large, 0, 3_600_000)
    yield resumed(
        "resume inside a slice",
        [tensor((300, 90), "he_normal", slice=([7, 0], [150, 33]))],
        0,
        1000,
    )
    yield resumed("resume inside by SHA256", large, 0, 400_000, digest_algorithm=SHA256)
    yield resumed("resume in a later tensor", mixture(), 3, 1_000_000)
    yield resumed("resume at the beginning of a later tensor", mixture(), 4, 0)
    yield resumed("resume at the end of a tensor with others after it", mixture(), 3, 2_400_000)
    yield resumed("resume at a tensor without elements", mixture(), 1, 0)
    yield resumed("resume at the end of the last tensor", mixture(), 6, 340)
    yield resumed("resume inside an orthogonal", mixture(), 6, 100)
    yield resumed(
        "resume inside a constant, which then comes in chunks",
        mixture(),
        5,
        10,
        transfer={"accepts_fill": True},
    )
    yield resumed(
        "resume in small chunks", mixture(), 3, 2_000_000, transfer={"max_chunk_bytes": "50000"}
    )


def small(name: str, request: Document, **further: Any) -> Document:
    """Return the case of a tensor in one message."""
    expect = fetched([request])
    return {"name": name, "op": "fetch_small", "tensor": request, **further, "expect": expect}


def small_tensors() -> Iterator[Document]:
    """Yield the cases of single small tensors."""
    yield small("fetch small: a tensor", tensor((33, 17), "glorot_uniform"))
    yield small("fetch small: a scalar", tensor((), "zeros", "int64"))
    yield small("fetch small: no elements", tensor((0,)))
    yield small("fetch small: as large as allowed", tensor((128, 128), "random_normal"))
    yield small(
        "fetch small: a slice of a large tensor", tensor((4000, 4000), slice=([17, 100], [3, 7]))
    )
    yield small("fetch small: an orthogonal", tensor((20, 30), "orthogonal"))
    yield small("fetch small: a constant", tensor((20, 30), "constant", "uint8", integer="200"))
    yield small("fetch small: by SHA256", tensor((33, 17)), digest_algorithm=SHA256)
    too_large = tensor((65_537,), dtype="float8_e5m2")
    yield refused(
        "fetch small: one byte too large",
        "INVALID_ARGUMENT",
        "OVER_LIMIT",
        ["tensor.spec.shape"],
        op="fetch_small",
        tensor=too_large,
    )


def refused(
    name: str, code: str, reason: str, fields: list[str], *, op: str = "fetch", **request: Any
) -> Document:
    """Return the case of a request that a server refuses."""
    error = {"code": code, "reason": reason, "fields": fields}
    return {"name": name, "op": op, **request, "expect": {"error": error}}


def invalid(
    name: str, field: str, request: Document, reason: str = "INVALID_VALUE", **further: Any
) -> Document:
    """Return the case of one tensor that no server ever makes."""
    return refused(
        f"refuse {name}", "INVALID_ARGUMENT", reason, [field], tensors=[request], **further
    )


def errors() -> Iterator[Document]:
    """Yield the cases of requests that are refused."""
    good = tensor((8, 6))
    yield refused(
        "refuse unspecified numerics",
        "INVALID_ARGUMENT",
        "INVALID_VALUE",
        ["numerics"],
        tensors=[good],
        numerics="NUMERICS_UNSPECIFIED",
    )
    yield refused(
        "refuse unknown numerics",
        "UNIMPLEMENTED",
        "UNKNOWN_NUMERICS",
        ["numerics"],
        tensors=[good],
        numerics=999,
    )
    for op in ("describe", "digest"):
        yield refused(
            f"refuse unknown numerics of {op}",
            "UNIMPLEMENTED",
            "UNKNOWN_NUMERICS",
            ["numerics"],
            op=op,
            tensors=[good],
            numerics=999,
        )
    yield refused("refuse no tensors", "INVALID_ARGUMENT", "INVALID_VALUE", ["tensors"], tensors=[])
    spec = "tensors[0].spec"
    yield invalid("a dtype that is not named", f"{spec}.dtype", spoilt(good, dtype=None))
    yield invalid("a dtype that does not exist", f"{spec}.dtype", spoilt(good, dtype=77))
    yield invalid("a negative length", f"{spec}.shape[1]", spoilt(good, shape=["3", "-1"]))
    yield invalid(
        "a tensor without an initializer", f"{spec}.initializer", spoilt(good, initializer=None)
    )
    kind = f"{spec}.initializer"
    yield invalid(
        "an upper end below the lower one",
        f"{kind}.random_uniform.maxval",
        tensor((4,), minval=1.0, maxval=0.0),
    )
    yield invalid(
        "a negative standard deviation",
        f"{kind}.random_normal.stddev",
        tensor((4,), "random_normal", stddev=-1.0),
    )
    sparse = tensor((4, 4), "sparse")
    yield invalid("a sparsity that is missing", f"{kind}.sparse.sparsity", sparse)
    yield invalid(
        "a fan mode that is unspecified",
        f"{kind}.variance_scaling.mode",
        tensor((4, 4), "variance_scaling", mode="FAN_MODE_UNSPECIFIED"),
    )
    yield invalid("a random integer", f"{spec}.dtype", tensor((4,), dtype="int32"))
    yield invalid(
        "a constant that the dtype cannot hold",
        f"{kind}.constant.integer",
        tensor((4,), "constant", "int8", integer="300"),
        "NOT_REPRESENTABLE",
    )
    yield invalid(
        "a fan axis that is not there",
        f"{spec}.fan_axes.in_axes[0]",
        tensor((4, 4), "he_normal", fan_axes={"in_axes": [5], "out_axes": [1]}),
    )
    yield refused(
        "refuse a slice of another rank",
        "INVALID_ARGUMENT",
        "INVALID_VALUE",
        ["tensors[0].slice.starts", "tensors[0].slice.lengths"],
        tensors=[tensor((4, 4), slice=([1], [1]))],
    )
    yield invalid(
        "a slice that begins outside",
        "tensors[0].slice.starts[0]",
        tensor((4, 4), slice=([5, 0], [0, 4])),
        "SLICE_OUT_OF_RANGE",
    )
    yield invalid(
        "a slice that ends outside",
        "tensors[0].slice.lengths[1]",
        tensor((4, 4), slice=([0, 1], [4, 4])),
        "SLICE_OUT_OF_RANGE",
    )
    yield invalid("a tensor of petabytes", f"{spec}.shape", tensor((2**25, 2**25)), "OVER_LIMIT")
    yield invalid(
        "an orthogonal that is too large",
        f"{spec}.shape",
        tensor((2**20, 2**20), "orthogonal", slice=([0, 0], [200, 200])),
        "OVER_LIMIT",
    )
    yield invalid(
        "a digest algorithm that is unspecified",
        "digest_algorithm",
        good,
        digest_algorithm="DIGEST_ALGORITHM_UNSPECIFIED",
    )
    too_small = {"max_chunk_bytes": "15"}
    yield invalid("chunks that are too small", "transfer.max_chunk_bytes", good, transfer=too_small)
    yield invalid(
        "a resume point inside an element", "resume.byte_offset", good, resume={"byte_offset": "5"}
    )
    yield invalid(
        "a resume point before the beginning",
        "resume.byte_offset",
        good,
        resume={"byte_offset": "-4"},
    )
    yield refused(
        "refuse a resume point behind the end",
        "OUT_OF_RANGE",
        "RESUME_OUT_OF_RANGE",
        ["resume.byte_offset"],
        tensors=[good],
        resume={"byte_offset": "196"},
    )
    yield refused(
        "refuse a resume point behind the last tensor",
        "OUT_OF_RANGE",
        "RESUME_OUT_OF_RANGE",
        ["resume.tensor_index"],
        tensors=[good],
        resume={"tensor_index": "1"},
    )
    yield refused(
        "refuse several things at once",
        "INVALID_ARGUMENT",
        "INVALID_VALUE",
        ["tensors[1].spec.dtype", "tensors[2].spec.shape[0]"],
        tensors=[good, spoilt(good, dtype=None), spoilt(good, shape=["-3", "4"]), good],
    )


def struck(case: Document, name: str, fault: Document, *, for_ever: bool = False) -> Document:
    """Return a case with a fault on the way; one that does not end is DATA_LOSS."""
    expect = LOST if for_ever else case["expect"]
    return {**case, "name": f"fault: {name}", "fault": fault, "expect": expect}


def flip(what: str, **further: Any) -> Document:
    """Return a fault that changes one bit, in the first call unless ``further`` says otherwise."""
    return {"kind": "flip", "what": what, "calls": 1, **further}


def faults() -> Iterator[Document]:
    """Yield the cases with faults on the way: right bytes or DATA_LOSS, never wrong bytes."""
    large = fetch("", [tensor((1500, 1000), "random_normal")])
    mixed = fetch("", mixture())
    for name, case in (("a large tensor", large), ("a mixture", mixed)):
        yield struck(case, f"cut after 100 bytes, {name}", {"kind": "cut", "after_bytes": [100]})
        yield struck(case, f"cut at a mebibyte, {name}", {"kind": "cut", "after_bytes": [MIB]})
        yield struck(
            case, f"cut thrice, {name}", {"kind": "cut", "after_bytes": [100, MIB, 300_000]}
        )
    late = fetch("", [tensor((1500, 1000), "random_normal")], resume={"byte_offset": "1000000"})
    yield struck(late, "cut after a resume point", {"kind": "cut", "after_bytes": [MIB]})
    goes_on = struck(
        large,
        "a server that goes away: resume where it was",
        {"kind": "break", "after_messages": 3, "calls": 1},
    )
    goes_on["expect"] = {**large["expect"], "data_bytes_at_most": 6_000_000}
    yield goes_on
    constant = fetch(
        "",
        [tensor((500, 9), "constant", "int16", integer="9"), tensor((7, 9), name="b")],
        transfer={"accepts_fill": True},
    )
    slow = {"a mixture": mixed, "a constant": constant, "digests": digest("", *mixture())}
    for name, case in slow.items():
        yield struck(case, f"heartbeats in {name}", {"kind": "heartbeats"})
    for what in ("data", "running_digest", "byte_offset", "header"):
        yield struck(large, f"{what} flipped once", flip(what))
    yield struck(large, "data flipped in the third chunk", flip("data", skip=2))
    yield struck(mixed, "final digest flipped once", flip("digest", skip=3))
    yield struck(constant, "one element for all flipped once", flip("fill"))
    yield struck(large, "a chunk that comes twice", {"kind": "repeat", "calls": 1})
    yield struck(mixed, "the last tensor missing once", {"kind": "missing", "calls": 1})
    other = {"kind": "request", "what": "draw"}
    yield struck(mixed, "another request answered once", {**other, "calls": 1})
    yield struck(mixed, "another request answered always", other, for_ever=True)
    for what in ("data", "running_digest", "digest"):
        yield struck(large, f"{what} flipped always", {"kind": "flip", "what": what}, for_ever=True)
    yield struck(mixed, "the last tensor missing always", {"kind": "missing"}, for_ever=True)
    yield from faults_of_other_methods()
    yield from faults_by_refusals()


def faults_of_other_methods() -> Iterator[Document]:
    """Yield the cases of damage to answers without a stream of bytes."""
    one = small("", tensor((33, 17), "glorot_uniform"))
    for what in ("data", "digest", "header"):
        yield struck(one, f"a small tensor's {what} flipped once", flip(what))
    yield struck(
        one, "a small tensor's data flipped always", {"kind": "flip", "what": "data"}, for_ever=True
    )
    yield struck(one, "another small tensor once", {"kind": "request", "what": "draw", "calls": 1})
    others = {
        "info": next(info()),
        "list": next(listing()),
        "describe": describe("", *mixture()),
        "digest": digest("", *mixture()),
    }
    for op, case in others.items():
        for what in ("message", "checksum"):
            yield struck(case, f"{op}: {what} flipped once", flip(what))
    for op, what in (("describe", "name"), ("digest", "draw")):
        fault = {"kind": "request", "what": what, "calls": 1}
        yield struck(others[op], f"{op}: another request answered once", fault)
    yield struck(
        others["digest"],
        "digest: message flipped always",
        {"kind": "flip", "what": "message"},
        for_ever=True,
    )


def faults_by_refusals() -> Iterator[Document]:
    """Yield the cases of refusals that are not meant, or not for long."""
    case = fetch("", [tensor((33, 17), "glorot_uniform")])
    wrong = {
        "kind": "refuse",
        "code": "INVALID_ARGUMENT",
        "reason": "INVALID_VALUE",
        "field": "tensors[0].spec.dtype",
    }
    yield struck(
        case, "another request refused once", {**wrong, "is_of_another_request": True, "calls": 1}
    )
    meant = struck(case, "this very request refused", wrong)
    meant["expect"] = {
        "error": {
            "code": "INVALID_ARGUMENT",
            "reason": "INVALID_VALUE",
            "fields": ["tensors[0].spec.dtype"],
        }
    }
    yield meant
    busy = {"kind": "refuse", "reason": "TOO_MANY_STREAMS", "retry_seconds": 0.3, "calls": 1}
    waits = struck(case, "no room once: wait as told", {**busy, "code": "RESOURCE_EXHAUSTED"})
    waits["expect"] = {**case["expect"], "seconds_at_least": 0.3}
    yield waits
    starting = {**busy, "code": "UNAVAILABLE", "reason": "STARTING"}
    yield struck(case, "a server that starts", starting)


FILES: dict[str, Callable[[], Iterator[Document]]] = {
    "1-info": info,
    "2-list": listing,
    "3-describe": descriptions,
    "4-digest": digests,
    "5-fetch": fetches,
    "6-resume": resumes,
    "7-fetch-small": small_tensors,
    "8-errors": errors,
    "9-faults": faults,
}


def as_text(cases: Sequence[Document]) -> str:
    """Return a file's text, one case a line."""
    lines = ",\n".join(json.dumps(case, ensure_ascii=False, allow_nan=False) for case in cases)
    return f"[\n{lines}\n]\n"


def texts() -> dict[Path, str]:
    """Return what each file should hold."""
    return {FOLDER / f"{name}.json": as_text(list(cases())) for name, cases in FILES.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files, or compare them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="write nothing")
    is_check = parser.parse_args(arguments).check
    wrong = [
        path
        for path, text in texts().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    if is_check:
        for path in wrong:
            print(
                f"{path} is not as written; run python -m tests.conformance.write_cases",
                file=sys.stderr,
            )
        return bool(wrong)
    for path, text in texts().items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
