"""Cases made of the golden file's entries: fetch each, and compare with its digests."""

from collections.abc import Iterable, Iterator
from typing import Any

from seedbed.v1 import initializers_pb2
from tests.conformance.case import Case, Document
from tests.conformance.runner import Outcome
from tools import write_golden
from tools.write_golden import Entry


def golden_cases() -> Iterator[Case]:
    """Yield a case for each initializer: an entry of each dtype in one request."""
    last_of_each: dict[str, dict[str, Entry]] = {}
    for entry in write_golden.read():
        last_of_each.setdefault(entry["initializer"], {})[entry["dtype"]] = entry
    for initializer, by_dtype in last_of_each.items():
        yield _case(f"golden: {initializer} in each dtype", list(by_dtype.values()))


def all_golden_cases() -> Iterator[Case]:
    """Yield a case for each entry."""
    yield from (_case(entry["id"], [entry]) for entry in write_golden.read())


def golden_counts(outcomes: Iterable[Outcome]) -> Document:
    """Return how many entries of each initializer and dtype are right."""
    problems = {outcome.name: outcome.problem for outcome in outcomes}
    counts: Document = {}
    for entry in write_golden.read():
        by_dtype = counts.setdefault(entry["initializer"], {})
        count = by_dtype.setdefault(entry["dtype"], {"passed": 0, "total": 0})
        count["passed"] += problems[entry["id"]] is None
        count["total"] += 1
    return counts


def _case(name: str, entries: list[Entry]) -> Case:
    request = {"op": "fetch", "tensors": [tensor_of(entry) for entry in entries]}
    tensors = [{"tensor_index": i, **_content(entry)} for i, entry in enumerate(entries)]
    return Case(name, request, ({"result": {"tensors": tensors}},))


def _content(entry: Entry) -> Document:
    digests = {
        "DIGEST_ALGORITHM_XXH3_128": entry["xxh3_128"],
        "DIGEST_ALGORITHM_SHA256": entry["sha256"],
    }
    # An entry has the bytes of 8 elements, a client tells 16 bytes.
    return {"size_bytes": entry["size_bytes"], "digests": digests}


def tensor_of(entry: Entry) -> Document:
    """Return the TensorRequest of an entry, in protobuf's JSON mapping."""
    spec: Document = {
        "name": entry["name"],
        "shape": [str(length) for length in entry["shape"]],
        "dtype": f"DTYPE_{entry['dtype'].upper()}",
        "initializer": {entry["initializer"]: _parameters(entry)},
        "seed": str(int(entry["seed"]) % 2**64),
        "draw": entry["draw"],
    }
    if "fan_axes" in entry:
        spec["fan_axes"] = {
            f"{role}_axes": [str(axis) for axis in entry["fan_axes"][f"{role}_axis"]]
            for role in ("in", "out", "batch")
        }
    tensor: Document = {"spec": spec}
    if "slice" in entry:
        tensor["slice"] = {
            key: [str(n) for n in entry["slice"][key]] for key in ("starts", "lengths")
        }
    return tensor


def _parameters(entry: Entry) -> Document:
    parameters = entry.get("parameters", {})
    if entry["initializer"] == "constant":
        return _constant(parameters["value"])
    kind = initializers_pb2.InitializerSpec.DESCRIPTOR.fields_by_name[entry["initializer"]]
    assert kind.message_type is not None
    fields = kind.message_type.fields_by_name
    return {name: _value(fields[name], value) for name, value in parameters.items()}


def _constant(value: float | str) -> Document:
    if not isinstance(value, str):
        return {"real": value}
    return {"integer" if int(value) < 2**63 else "large_integer": value}


def _value(field: Any, value: Any) -> Any:
    """Return a parameter as protobuf's JSON mapping has it."""
    if field.enum_type is not None:
        prefix = field.enum_type.values[0].name.removesuffix("UNSPECIFIED")
        return prefix + value.upper()
    if value in {"inf", "-inf"}:
        return value.replace("inf", "Infinity")
    return str(value) if field.cpp_type == field.CPPTYPE_INT64 else value
