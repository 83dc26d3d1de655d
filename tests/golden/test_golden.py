"""The golden file of `seedbed-1` has the bits of the service and of the reference."""

import json
import math

import pytest

from seedbed.spec.dtypes import FLOATING, Dtype
from seedbed.spec.initializers import INITIALIZERS
from seedbed_server.backends.cpu import CpuBackend
from seedbed_server.sampling.self_test import SelfTestError, check_vector, run_self_test
from tests.reference.oracle import Tensor, element_bytes, slice_indices
from tools import write_golden, write_released
from tools.write_golden import Entry

ENTRIES = write_golden.read()
SELF_TEST = [entry for entry in ENTRIES if entry.get("self_test")]
RESULTS = ("size_bytes", "first_bytes", "xxh3_128", "sha256")
# A larger matrix takes the reference minutes; 70 x 66 crosses the border between two panels.
LARGEST_MATRIX = 70 * 66
QUICK = [
    e
    for e in ENTRIES
    if e["initializer"] != "orthogonal" or math.prod(e["shape"]) <= LARGEST_MATRIX
]


def each(entries: list[Entry]) -> pytest.MarkDecorator:
    """Run a test for each entry, under its id."""
    return pytest.mark.parametrize("entry", entries, ids=[entry["id"] for entry in entries])


def parameter(value: float | str) -> float | str:
    """Return a parameter as docs/numerics.md, section 13, writes it."""
    if isinstance(value, (bool, float)):
        return value
    text = str(value)
    if text.endswith("inf"):
        return float(text)
    return int(text) if text.lstrip("-").isdigit() else text


def reference_of(entry: Entry) -> Tensor:
    """Return the entry's tensor as the reference takes it."""
    return Tensor(
        initializer=entry["initializer"],
        dtype=entry["dtype"],
        shape=tuple(entry["shape"]),
        parameters={name: parameter(value) for name, value in entry.get("parameters", {}).items()},
        seed=int(entry["seed"]),
        draw=int(entry["draw"]),
        name=entry["name"],
        fan_axes=entry.get("fan_axes"),
    )


def first_indices(entry: Entry) -> list[int]:
    """Return the indices of the first elements of the entry's tensor or slice."""
    if "slice" in entry:
        return slice_indices(entry["shape"], **entry["slice"])[: write_golden.FIRST_ELEMENTS]
    return list(range(min(write_golden.FIRST_ELEMENTS, math.prod(entry["shape"]))))


@each(ENTRIES)
def test_the_service_gives_the_golden_bits(cpu: CpuBackend, entry: Entry) -> None:
    assert write_golden.results(entry, cpu) == {name: entry[name] for name in RESULTS}


@each(QUICK)
def test_the_first_golden_elements_are_those_of_the_reference(entry: Entry) -> None:
    assert element_bytes(reference_of(entry), first_indices(entry)).hex() == entry["first_bytes"]


def test_every_case_of_the_generator_is_in_the_file_and_nothing_else() -> None:
    assert [
        {k: v for k, v in entry.items() if k not in RESULTS} for entry in ENTRIES
    ] == write_golden.cases()


def test_the_file_reads_as_the_generator_writes_it() -> None:
    assert write_golden.PATH.read_text(encoding="utf-8") == write_golden.as_text(ENTRIES)


def test_ids_are_unique() -> None:
    assert len({entry["id"] for entry in ENTRIES}) == len(ENTRIES)


def test_every_initializer_is_there_in_every_dtype() -> None:
    pairs = {(entry["initializer"], entry["dtype"]) for entry in ENTRIES}
    assert pairs == {
        (name, dtype.value) for name, spec in INITIALIZERS.items() for dtype in spec.dtypes
    }


def test_the_self_test_passes(cpu: CpuBackend) -> None:
    assert run_self_test(cpu) == len(SELF_TEST)


def test_the_self_test_refuses_other_bits(cpu: CpuBackend) -> None:
    changed = SELF_TEST[0] | {"seed": "77"}
    with pytest.raises(SelfTestError, match=SELF_TEST[0]["id"]):
        check_vector(changed, cpu)


def test_the_self_test_is_small_and_covers_every_kernel() -> None:
    assert sum(entry["size_bytes"] for entry in SELF_TEST) < 100_000
    kernels = {(entry["initializer"], entry["dtype"]) for entry in SELF_TEST}
    random = ("random_uniform", "random_normal", "truncated_normal", "orthogonal", "identity")
    assert {(name, dtype.value) for name in random for dtype in FLOATING} <= kernels
    assert {("constant", dtype.value) for dtype in Dtype} <= kernels


def test_the_file_is_small() -> None:
    assert write_golden.PATH.stat().st_size < 400_000


def test_what_was_released_is_as_it_was() -> None:
    now = set(write_released.digests())
    released = write_released.DIGESTS.read_text("utf-8").splitlines()
    assert len(released) >= 670
    assert [line for line in released if line not in now] == []


def test_any_json_reader_holds_its_numbers_exactly() -> None:
    def integer(digits: str) -> int:
        assert abs(int(digits)) < 2**53
        return int(digits)

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    json.loads(
        write_golden.PATH.read_text(encoding="utf-8"), parse_int=integer, parse_constant=refuse
    )
