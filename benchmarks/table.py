"""The results as one table, in Markdown with aligned columns, to be read where it is printed."""

from collections.abc import Sequence
from statistics import median

from benchmarks.result import NOT_INSTALLED, NOT_OFFERED, OTHER, OURS, Result

HEADINGS = (
    "#",
    "what",
    "seedbed: median (range)",
    "best peer",
    "ratio (range)",
    "bar",
    "met",
    "other peers",
)
INCOMPLETE = "met*"


def table(results: Sequence[Result]) -> str:
    """Return the table, and below it what its reader must know."""
    rows = [HEADINGS, *map(_cells, results)]
    if any(OTHER in {*result.samples, *result.absent} for result in results):
        last = ["as fast as the other checkout (range)", *map(_beside, results)]
        rows = [(*row, cell) for row, cell in zip(rows, last, strict=True)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:], "", *_notes(results)])


def _beside(result: Result) -> str:
    """Return how many times as fast as the other checkout, above 1 is better, and its figure."""
    if not (speedups := result.speedups(OTHER)):
        return ""
    return f"{figures(speedups)}, its {number(median(result.samples[OTHER]))} {result.unit}"


def figures(numbers: Sequence[float]) -> str:
    """Return the median, with the range where there are several."""
    if len(numbers) == 1:
        return number(numbers[0])
    return f"{number(median(numbers))} ({number(min(numbers))}-{number(max(numbers))})"


def number(value: float) -> str:
    """Return a number with two or three digits that count, and no exponent."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 0.1 else 3
    return f"{value:,.{digits}f}"


def bar_text(result: Result) -> str:
    """Return what is to be reached."""
    if result.bar is None:
        return ""
    unit = "x" if result.bar_on == "ratio" else f" {result.unit}"
    return f"{'at least' if result.higher_is_better else 'at most'} {result.bar:g}{unit}"


def _cells(result: Result) -> tuple[str, ...]:
    if result.unavailable:
        return (
            str(result.row),
            result.title,
            result.unavailable,
            "",
            "",
            bar_text(result),
            "not measured",
            "",
        )
    best, *others = result.peers or [""]
    return (
        str(result.row),
        result.title,
        f"{figures(result.samples[OURS])} {result.unit}",
        f"{best}: {figures(result.samples[best])}" if best else "",
        figures(result.ratios) if result.ratios else "",
        bar_text(result),
        _verdict(result),
        ", ".join(
            [
                *(f"{name} {number(median(result.samples[name]))}" for name in others),
                *_absences(result),
            ]
        ),
    )


def _verdict(result: Result) -> str:
    if result.bar is None:
        return ""
    if result.is_met is None:
        return "not measured"
    if not result.is_met:
        return "no"
    return INCOMPLETE if result.missing else "met"


def _absences(result: Result) -> list[str]:
    words = {NOT_INSTALLED: "missing", NOT_OFFERED: "has none"}
    return [f"{name} {words.get(reason, 'failed')}" for name, reason in result.absent.items()]


def _notes(results: Sequence[Result]) -> list[str]:
    lines = [f"{result.row}: {result.title}: {result.note}" for result in results if result.note]
    lines += [
        f"{result.row}: {result.title}: {name} {reason}"
        for result in results
        for name, reason in result.missing.items()
        if reason != NOT_INSTALLED
    ]
    missing = sorted(
        {
            name
            for result in results
            for name, reason in result.absent.items()
            if reason == NOT_INSTALLED
        }
    )
    if missing:
        lines.append(f"Not installed, so not measured: {', '.join(missing)}.")
    if any(_verdict(result) == INCOMPLETE for result in results):
        lines.append(f"{INCOMPLETE}: over the peers that could be measured.")
    return lines
