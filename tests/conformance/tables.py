"""Writes the tables of docs/conformance.md from the results of the clients' runs.

    python -m tests.conformance.tables [--check]

``results/kit/NAME.json`` is what the runner's ``--out`` writes, ``results/golden/NAME.json`` what
its ``--golden-out`` does, or another program that compares its tensors with the golden file.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.conformance.case import FOLDER as CASES
from tests.conformance.case import Document
from tools import write_golden

RESULTS = Path(__file__).with_name("results")
PAGE = Path(__file__).parents[2] / "docs" / "conformance.md"
TABLE = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)

IMPLEMENTATIONS = {
    "python": "Python",
    "typescript-numerics": "TypeScript (numerics)",
    "go": "Go",
    "cpp": "C++",
    "java": "Java",
    "typescript": "TypeScript (client)",
    "grpcurl": "grpcurl",
}
"""The columns: what the results are called, and what the page calls them."""
NOT_RUN = "not run"

Counts = dict[str, dict[str, dict[str, int]]]
"""Golden entries ``passed`` and ``total``, by initializer and dtype."""


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(map(str, line)) + " |\n" for line in lines)


def kit_results() -> dict[str, Document]:
    """Return what came of the kit, by client."""
    return {path.stem: _read(path) for path in sorted((RESULTS / "kit").glob("*.json"))}


def golden_results() -> dict[str, Counts]:
    """Return what came of the golden entries, by implementation."""
    return {path.stem: _read(path) for path in sorted((RESULTS / "golden").glob("*.json"))}


def _read(path: Path) -> Document:
    found: Document = json.loads(path.read_text(encoding="utf-8"))
    if path.stem not in IMPLEMENTATIONS:
        raise ValueError(f"{path.name} is no result of one of {', '.join(IMPLEMENTATIONS)}")
    return found


def _count(counts: Document | None) -> str:
    return f"{counts['passed']}/{counts['total']}" if counts else NOT_RUN


def cases() -> str:
    """Return the table of the kit's cases."""
    rows = [
        (path.stem.partition("-")[2], len(json.loads(path.read_text(encoding="utf-8"))))
        for path in sorted(CASES.glob("*.json"))
    ]
    return table(("file of cases", "cases"), rows)


def kit() -> str:
    """Return the table of the kit's results: operations by clients."""
    found = kit_results()
    names = [name for name in IMPLEMENTATIONS if name != "typescript-numerics"]
    ops: dict[str, None] = {op: None for each in found.values() for op in each["by_op"]}
    rows = [
        [f"`{op}`", *(_count(found.get(name, {}).get("by_op", {}).get(op)) for name in names)]
        for op in ops
    ]
    failed = [str(len(found[name]["failed"])) if name in found else NOT_RUN for name in names]
    rows.append(["failed", *failed])
    missing = [
        f"- {IMPLEMENTATIONS[name]} fails: {', '.join(each['failed'])}\n"
        for name, each in found.items()
        if each["failed"]
    ]
    head = ["operation", *(IMPLEMENTATIONS[name] for name in names)]
    return table(head, rows) + "".join(["\n", *missing] if missing else [])


def golden() -> str:
    """Return the table of golden entries: initializers by implementations."""
    found = golden_results()
    names = [name for name in IMPLEMENTATIONS if name != "grpcurl"]
    rows = [
        [
            f"`{initializer}`",
            *(_count(_sum(found.get(name, {}).get(initializer))) for name in names),
        ]
        for initializer in _initializers()
    ]
    totals = [_count(_sum(_flat(found.get(name, {})))) for name in names]
    head = ["initializer", *(IMPLEMENTATIONS[name] for name in names)]
    return table(head, [*rows, ["all", *totals]])


def dtypes() -> str:
    """Return the table of golden entries: initializers by dtypes, with those that fail."""
    entries = write_golden.read()
    all_dtypes = list(dict.fromkeys(entry["dtype"] for entry in entries))
    rows = []
    for initializer in _initializers():
        row = [f"`{initializer}`"]
        for dtype in all_dtypes:
            pair = {"initializer": initializer, "dtype": dtype}
            count = sum(pair.items() <= entry.items() for entry in entries)
            row.append(_cell(initializer, dtype, count))
        rows.append(row)
    return table(["initializer", *(f"`{dtype}`" for dtype in all_dtypes)], rows)


def _cell(initializer: str, dtype: str, count: int) -> str:
    """Return how many entries there are, and which implementations do not have them all."""
    failing = [
        f"{IMPLEMENTATIONS[name]}: {_count(counts.get(initializer, {}).get(dtype))}"
        for name, counts in golden_results().items()
        if count and counts.get(initializer, {}).get(dtype, {}).get("passed") != count
    ]
    return "; ".join([str(count or ""), *failing])


def _initializers() -> list[str]:
    return sorted({entry["initializer"] for entry in write_golden.read()})


def _flat(counts: Counts) -> dict[str, dict[str, int]]:
    return {
        f"{initializer} {dtype}": count
        for initializer, by_dtype in counts.items()
        for dtype, count in by_dtype.items()
    }


def _sum(counts: dict[str, dict[str, int]] | None) -> dict[str, int] | None:
    if not counts:
        return None
    return {key: sum(each[key] for each in counts.values()) for key in ("passed", "total")}


TABLES = {each.__name__: each for each in (cases, kit, golden, dtypes)}


def with_tables(text: str) -> str:
    """Return the page's text with its tables made anew."""
    return TABLE.sub(lambda found: f"{found[1]}{TABLES[found[2]]()}{found[3]}", text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the tables, or compare them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="write nothing")
    is_check = parser.parse_args(arguments).check
    text = PAGE.read_text(encoding="utf-8")
    if is_check:
        if text != with_tables(text):
            print("docs/conformance.md is not that of the results", file=sys.stderr)
        return text != with_tables(text)
    PAGE.write_text(with_tables(text), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
