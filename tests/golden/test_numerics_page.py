"""Every number that docs/numerics.md prints is computed here, or has its reason in EXEMPT.

A claim is a piece of the page with its numbers computed from the code. What a claim says must be in
the page, and every number of the page must be in a claim, in a table that is computed, in a block
that test_numerics_code.py runs, or in EXEMPT.
"""

import functools
import itertools
import json
import re
from collections.abc import Iterator

import pytest

from seedbed.spec.fans import FanAxes
from seedbed.spec.initializers import INITIALIZERS
from seedbed.spec.tensors import TensorSpec
from seedbed_server.kernels import normal_coefficients
from tests.golden.page_claims_of_arguments import (
    arithmetic,
    constants,
    fans_and_scalings,
    keys_and_words,
    refusals,
)
from tests.golden.page_claims_of_values import (
    errors,
    example,
    fourier,
    golden_file,
    matrices,
    narrow_types,
    normals,
    promises,
    uniforms,
)
from tests.golden.page_formulas import float8_bits, formulas, gains
from tests.golden.page_refusals import conditions
from tests.golden.page_specs import is_allowed
from tests.golden.test_numerics_code import RUNS, code_blocks, numbers_of_code
from tests.reference import document
from tools import write_golden

TEXT = document.text()
NUMBER = re.compile(r"(?<![\w.])(?:0x[0-9A-F]+|\d+(?:,\d{3})*(?:\.\d+)?(?:e[+-]?\d+)?)(?!\w)")
Span = tuple[int, int]

EXEMPT = {
    r"`seedbed-1`|\"seedbed-1\"|seedbed-1\.json": "a name",
    r"UTF-8|SHA-256|XXH3-128|IEEE 754|SC 2011|Philox4x32-10": "names of standards and algorithms",
    r"doi[:.]\S+|arxiv:\S+|\[arXiv:[\d.]+\]|https://\S+": "addresses",
    r"\(section \d[.\d]*[,)]|[Ss]ections? \d+(?:\.\d)?": "test_links_lead_somewhere follows them",
    r"\]\(#[^)]+\)": "test_links_lead_somewhere follows them",
    r"^#+ \d[.\d]* .*$": "the sections' own numbers; test_links_lead_somewhere counts them",
    r"`0x1F`": "shows what hexadecimal looks like",
    r"[+-]0(?!\w|\.\d)": "the two zeros, told apart by their sign",
    r"\b0 or (?:more|less)|[<>]=? 0(?![\w.])": "a sign, not a magnitude",
    r"\bpairs with a factor 0\b|Indices start at 0|An exact 0 ": "zero itself",
    r"normal\(0, 1,\s": "the standard normal distribution",
    r"normal\(0, ": "the mean that is left out; the blocks of section 4 are run with it",
    r"^\d\. |steps? \d(?: to \d)?": "the steps of section 9, numbered by hand",
    r"element [01](?= \|)": "the first two elements, as the columns of the table say",
    r"\| \d+ \| `": "a table's orders; tests.reference.document counts them",
}
"""Pieces of the page whose numbers are not computed, and why."""


def pattern(claim: str) -> str:
    """Return a regular expression for a claim, whatever its line breaks."""
    return r"\s+".join(map(re.escape, claim.split()))


@functools.cache
def claims() -> tuple[str, ...]:
    """Return all claims."""
    return tuple(all_claims())


def all_claims() -> Iterator[str]:
    """Compute all claims."""
    yield from arithmetic()
    yield from keys_and_words()
    yield from fans_and_scalings()
    yield from refusals()
    yield from constants()
    yield from fourier()
    yield from uniforms()
    yield from normals()
    yield from narrow_types()
    yield from matrices()
    yield from promises()
    yield from errors()
    yield from example()
    yield from golden_file()


def code() -> Iterator[Span]:
    """Yield the numbers of the blocks that test_numerics_code.py runs."""
    for place, (begin, end) in code_blocks().items():
        if place in RUNS:
            yield from (match.span() for match in numbers_of_code(begin, end))


def tables() -> Iterator[Span]:
    """Compare the tables of coefficients with the kernels', and yield where they are."""
    for name, coefficients in document.tables().items():
        assert coefficients == getattr(normal_coefficients, name)
    for match in re.finditer(
        r"^\| \d+ \| `\S+` \| `0x\w+` \|$", document.section("14"), re.MULTILINE
    ):
        start = document.sections()["14"][0]
        yield start + match.start(), start + match.end()


def exempt() -> Iterator[Span]:
    """Yield the pieces of the page that EXEMPT excuses."""
    for expression in EXEMPT:
        yield from (match.span() for match in re.finditer(expression, TEXT, re.MULTILINE))


def claimed() -> Iterator[Span]:
    """Yield where claims are."""
    for claim in claims():
        yield from (match.span() for match in re.finditer(pattern(claim), TEXT))


def test_what_is_claimed_is_on_the_page() -> None:
    missing = [claim for claim in claims() if not re.search(pattern(claim), TEXT)]
    assert missing == []


def test_every_number_is_computed() -> None:
    computed = (claimed, code, tables, formulas, gains, float8_bits, conditions, exempt)
    inside = {place for spans in computed for start, end in spans() for place in range(start, end)}
    left = [
        f"line {TEXT.count(chr(10), 0, match.start()) + 1}: {match[0]}"
        for match in NUMBER.finditer(TEXT)
        if match.start() not in inside
    ]
    assert left == [], "\n".join(left)


def test_links_lead_somewhere() -> None:
    sections = document.sections()
    assert list(sections) == sorted(sections, key=lambda number: [*map(int, number.split("."))])
    for reference in re.findall(r"[Ss]ections? (\d+(?:\.\d)?)", TEXT):
        assert reference in sections
    headings = re.findall(r"^## (.*)$", TEXT, re.MULTILINE)
    anchors = [re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings]
    assert re.findall(r"\]\(#([^)]+)\)", TEXT) == anchors


def test_the_golden_file_has_the_fields_and_types_that_the_page_lists() -> None:
    rows = re.findall(
        r"^\| ((?:`\w+`(?:, )?)+) \| ([\w ]+) \|", document.section("13"), re.MULTILINE
    )
    types = {name: kind for names, kind in rows for name in re.findall(r"`(\w+)`", names)}
    kinds = {"string": str, "strings": str, "object": dict, "integer": int, "true": bool}
    python = {name: kinds.get(kind, list) for name, kind in types.items()}
    file = json.loads(write_golden.PATH.read_text(encoding="utf-8"))
    entries = file["tensors"]
    assert {*file, *itertools.chain(*entries)} == set(types) - {"periodic"}
    for part in (file, *entries):
        assert all(type(value) is python[name] for name, value in part.items())
    for entry in entries:
        assert entry.get("fan_axes", {}).keys() in (set(), {"in_axis", "out_axis", "batch_axis"})
        for name, value in entry.get("parameters", {}).items():
            assert json_kind(name, value), (name, value)


def json_kind(name: str, value: object) -> bool:
    """Return whether a parameter's value has the JSON type that the page says."""
    integers = {"groups", "blocks", "block_axis", "axis"}
    words_of = {"mode", "distribution", "nonlinearity", "side", "window", "scaling"}
    match value:
        case bool():
            return name == "periodic"
        case int():
            return name in integers
        case float():
            return name not in integers | words_of | {"periodic"}
        case "inf" | "-inf":
            return name in {"lower", "upper"}
        case str() if re.fullmatch(r"-?\d+", value):
            return name == "value"
    return name in words_of


@pytest.mark.parametrize(
    ("initializer", "shape", "allowed"),
    [
        ("dirac", (2, 3, 4, 5), False),
        ("delta_orthogonal", (2, 3, 4, 5), False),
        ("identity", (2, 3, 4), True),
        ("orthogonal", (2, 3, 4), True),
        ("glorot_uniform", (2, 3, 4), True),
    ],
)
def test_batch_axes_alone_name_no_inputs_and_outputs(
    initializer: str, shape: tuple[int, ...], allowed: bool
) -> None:
    spec, alone = INITIALIZERS[initializer](), FanAxes((), (), 0)
    made = is_allowed(TensorSpec, "", shape, "float32", spec, 0, fan_axes=alone)
    assert made is allowed
    assert is_allowed(TensorSpec, "", shape[-3:], "float32", INITIALIZERS["dirac"]())
