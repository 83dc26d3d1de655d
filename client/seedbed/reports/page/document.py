"""The whole page of a report."""

import base64
import hashlib
from importlib import metadata, resources

from seedbed.reports.comparison import Comparison
from seedbed.reports.findings import findings_in
from seedbed.reports.groups import grouped
from seedbed.reports.page.charts import layers
from seedbed.reports.page.parts import facts, findings_section, group_row, size_map
from seedbed.reports.subjects import ModelFigures
from seedbed.reports.text import count_text
from seedbed.spec.html import escaped


def document(model: ModelFigures, other: ModelFigures | None = None) -> str:
    """Return the page, in one piece: no font, script or style comes from elsewhere.

    Args:
        model: what it is about.
        other: what it is compared with.
    """
    found = findings_in(model.tensors)
    groups = grouped(model.tensors)
    bad = {each.name for each in found}
    ids = {each.name: f"t{place}" for place, each in enumerate(model.tensors)}
    comparison = Comparison(model, other) if other is not None else None
    drawn = layers(groups, bad)
    charts = [f"<section><h2>Sizes</h2>{size_map(groups, bad, ids)}</section>"]
    if drawn:
        charts.append(
            f"<section><h2>Standard deviation by depth</h2>{drawn}"
            '<p class="note">A line for each pattern, a point for each layer.</p></section>'
        )
    many = f"{count_text(len(groups), 'pattern')} of {count_text(len(model.tensors), 'tensor')}"
    rows = "".join(group_row(group, bad, ids, comparison) for group in groups)
    body = "".join(
        [
            '<header><p class="kind">seedbed report</p>',
            f"<h1>{escaped(model.title)}</h1>{facts(model)}</header><main>",
            findings_section(found, len(model.tensors), ids),
            comparison.section() if comparison is not None else "",
            f'<div class="charts">{"".join(charts)}</div>',
            f'<section class="tensors"><h2>{many}</h2>{_legend(model, comparison)}{rows}</section>',
            "</main>",
            f"<footer>seedbed {metadata.version('seedbed')}</footer>",
        ]
    )
    return _page(escaped(model.title), body)


def _legend(model: ModelFigures, comparison: Comparison | None) -> str:
    marks = {"measured": "var(--area)"}
    if any(each.exact is not None for each in model.tensors):
        marks["exact density"] = "var(--exact)"
    if comparison is not None:
        marks[comparison.title] = "var(--other)"
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
