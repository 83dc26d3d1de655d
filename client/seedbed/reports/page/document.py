"""The whole page of a report."""

import base64
import hashlib
from importlib import metadata, resources
from typing import TYPE_CHECKING

from seedbed.reports.groups import grouped
from seedbed.reports.page.beside import Beside
from seedbed.reports.page.charts import layers
from seedbed.reports.page.map import size_map
from seedbed.reports.page.parts import (
    differences_section,
    facts,
    findings_section,
    group_row,
)
from seedbed.reports.subjects import ModelFigures
from seedbed.reports.text import count_text
from seedbed.spec.html import escaped

if TYPE_CHECKING:
    from seedbed.reports.report import Report


def document(report: "Report") -> str:
    """Return the page, in one piece: no font, script or style comes from elsewhere."""
    model, other = report.model, report.other
    groups = grouped(model.tensors)
    bad = {each.name for each in report.findings}
    ids = {each.name: f"t{place}" for place, each in enumerate(model.tensors)}
    beside = _beside(report)
    drawn = layers(groups, bad, beside)
    charts = []
    if len(model.tensors) > 1:
        charts.append(f"<section><h2>Sizes</h2>{size_map(groups, bad, ids)}</section>")
    if drawn:
        charts.append(
            f"<section><h2>Standard deviation by depth</h2>{drawn}"
            '<p class="note">A line for each pattern, a point for each layer.</p></section>'
        )
    many = f"{count_text(len(groups), 'pattern')} of {count_text(len(model.tensors), 'tensor')}"
    rows = "".join(group_row(group, bad, ids, beside) for group in groups)
    body = [
        '<header><p class="kind">seedbed report</p>',
        f"<h1>{escaped(model.title)}</h1>{facts(model)}</header><main>",
        findings_section(report.findings, model, ids, ""),
    ]
    if other is not None:
        if report.other_findings:
            body.append(findings_section(report.other_findings, other, ids, f" in {other.title}"))
        body.append(differences_section(report, other))
    body += [
        f'<div class="charts">{"".join(charts)}</div>',
        f'<section class="tensors"><h2>{many}</h2>{_legend(model, beside)}{rows}</section>',
        "</main>",
        f"<footer>seedbed {metadata.version('seedbed')}</footer>",
    ]
    return _page(escaped(model.title), "".join(body))


def _beside(report: "Report") -> Beside | None:
    if report.other is None:
        return None
    causes: dict[str, list[str]] = {}
    for each in report.differences:
        causes.setdefault(each.name, []).append(each.what)
    tensors = {each.name: each for each in report.other.tensors}
    bad = {each.name for each in report.other_findings}
    return Beside(report.other.title, tensors, causes, bad)


def _legend(model: ModelFigures, beside: Beside | None) -> str:
    marks = {}
    if not all(each.is_constant for each in model.tensors):
        marks["measured"] = "var(--area)"
    if any(each.exact is not None for each in model.tensors):
        marks["exact density"] = "var(--exact)"
    if beside is not None:
        marks[beside.title] = "var(--other)"
    spans = "".join(
        f'<span style="--mark:{mark}">{escaped(text)}</span>' for text, mark in marks.items()
    )
    return f'<div class="note legend">{spans}</div>'


def _page(title: str, body: str) -> str:
    folder = resources.files("seedbed.reports.page")
    style = folder.joinpath("style.css").read_text(encoding="utf-8")
    script = folder.joinpath("copy.js").read_text(encoding="utf-8")
    allowed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{allowed}'"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title} · seedbed report</title><style>{style}</style></head>"
        f"<body>{body}<script>{script}</script></body></html>\n"
    )
