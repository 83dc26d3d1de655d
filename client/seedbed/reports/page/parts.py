"""The parts of a report's page: what it is about, findings, the map of sizes, and the tensors."""

import math
from collections.abc import Collection, Mapping, Sequence

from seedbed.reports.comparison import Comparison
from seedbed.reports.findings import Finding
from seedbed.reports.groups import Group
from seedbed.reports.page.charts import histogram
from seedbed.reports.subjects import ModelFigures
from seedbed.reports.tensor_figures import TensorFigures
from seedbed.reports.text import count_text, number_text, sides_text, size_text
from seedbed.reports.treemap import Box, squarified
from seedbed.spec.html import escaped

MAP_BOX = Box(0.0, 0.0, 100.0, 56.0)
# Less is no area that one could see, or read a name in.
LEAST_PERCENT, NAMED_WIDTH, NAMED_HEIGHT = 0.02, 10.0, 6.0
# On a phone, a narrower one has no name.
WIDE = 25.0
MOST_FINDINGS = 50
LONGEST = 120

Ids = Mapping[str, str]
"""What a link to each tensor says."""


def facts(model: ModelFigures) -> str:
    """Return what a model is, in a line or two."""
    dtypes = sorted({each.dtype for each in model.tensors})
    rows = {
        "tensors": f"{len(model.tensors):,}",
        "numbers": f"{model.elements:,}",
        "bytes": f"{size_text(model.size_bytes)} of {', '.join(dtypes)}",
    }
    parts = [_fact(key, text) for key, text in rows.items()]
    parts += [
        _fact(key.replace("_", " "), text, copied=key.endswith("digest"))
        for key, text in model.facts.items()
    ]
    return f'<dl class="facts">{"".join(parts)}</dl>'


def _fact(key: str, text: str, *, copied: bool = False) -> str:
    shown = f"<code>{escaped(text)}</code>{copy_button(text)}" if copied else escaped(text)
    return f"<div><dt>{escaped(key)}</dt><dd>{shown}</dd></div>"


def copy_button(text: str) -> str:
    """Return a button that copies a text."""
    return f'<button type="button" data-copy="{escaped(text)}">copy</button>'


def findings_section(found: Sequence[Finding], count: int, ids: Ids) -> str:
    """Return what is unusual, or that nothing is.

    Args:
        found: the findings.
        count: of the model's tensors.
        ids: of tensors.
    """
    if not found:
        text = f"Nothing unusual in {count_text(count, 'tensor')}"
        return f'<section class="fine"><h2>{text}</h2>{_fine_note()}</section>'
    items = "".join(
        f'<li><a href="#{ids[each.name]}"><code>{escaped(_cut(each.name))}</code></a> '
        f"{escaped(each.text)}</li>"
        for each in found[:MOST_FINDINGS]
    )
    if len(found) > MOST_FINDINGS:
        items += f"<li>and {len(found) - MOST_FINDINGS:,} more</li>"
    return (
        f'<section class="unusual"><h2>{count_text(len(found), "finding")}</h2>'
        f"<ul>{items}</ul></section>"
    )


def _fine_note() -> str:
    return (
        '<p class="note">No element is NaN or infinite, means and standard deviations are those '
        "of the rules or of the other layers, and no two random tensors have the same content.</p>"
    )


def size_map(groups: Sequence[Group], bad: Collection[str], ids: Ids) -> str:
    """Return a treemap: a box for each tensor, as large as its count of numbers."""
    tensors = sorted(
        (each for group in groups for each in group.tensors if each.elements),
        key=lambda each: -each.elements,
    )
    total = sum(each.elements for each in tensors)
    seen = [each for each in tensors if 100 * each.elements / total >= LEAST_PERCENT]
    stds = [math.log(each.std) for each in seen if each.std > 0]
    low, high = (min(stds), max(stds)) if stds else (0.0, 0.0)
    boxes = squarified([float(each.elements) for each in seen], MAP_BOX)
    parts = []
    for each, box in zip(seen, boxes, strict=True):
        kinds = ["constant"] * each.is_constant + ["bad"] * (each.name in bad)
        kinds += ["narrow"] * (box.width < WIDE)
        depth = 0.5
        if each.std > 0 and high > low:
            depth = (math.log(each.std) - low) / (high - low)
        name, percent = escaped(_cut(each.name)), 100 * each.elements / total
        title = f"{name}, {sides_text(each.shape)}: {percent:.1f} %, std {number_text(each.std)}"
        text = ""
        if box.width >= NAMED_WIDTH and box.height >= NAMED_HEIGHT:
            text = f"<b>{name}</b><small>{percent:.1f} %</small>"
        place = (
            f"left:{box.x:.3f}%;top:{100 * box.y / MAP_BOX.height:.3f}%;"
            f"width:{box.width:.3f}%;height:{100 * box.height / MAP_BOX.height:.3f}%;"
            f"--depth:{8 + 40 * depth:.0f}%"
        )
        parts.append(
            f'<a href="#{ids[each.name]}" class="{" ".join(kinds)}" style="{place}" '
            f'title="{title}" tabindex="-1">{text}</a>'
        )
    rest = len(tensors) - len(seen)
    note = f'<p class="note">{rest:,} smaller ones are not shown.</p>' if rest else ""
    return f'<div class="map">{"".join(parts)}</div>{_map_legend(groups)}{note}'


def _map_legend(groups: Sequence[Group]) -> str:
    marks = {
        "small std": "rgb(var(--tint) / 10%)",
        "large std": "rgb(var(--tint) / 48%)",
    }
    if any(each.is_constant for group in groups for each in group.tensors):
        marks["constant"] = "var(--line)"
    spans = "".join(f'<span style="--mark:{mark}">{text}</span>' for text, mark in marks.items())
    return f'<div class="legend">{spans}</div>'


def group_row(group: Group, bad: Collection[str], ids: Ids, comparison: Comparison | None) -> str:
    """Return a pattern's row, with its tensors folded below."""
    first = next((each for each in group.tensors if each.name in bad), group.first)
    other = comparison.other(first.name) if comparison is not None else None
    count = len(group.tensors)
    times = f' <span class="times">&times; {count}</span>' if count > 1 else ""
    is_bad = any(each.name in bad for each in group.tensors)
    rows = "".join(_tensor_row(each, bad, ids, comparison) for each in group.tensors)
    heads = ["tensor", "mean", "std", "least", "largest", "digest"]
    if first.exact is not None:
        heads[3:3] = ["of the exact"]
    if comparison is not None:
        heads[3:3] = ["std there", "content"]
    numbers = {"mean", "std", "of the exact", "least", "largest", "std there"}
    head = "".join(f"<th{' class=number' if each in numbers else ''}>{each}</th>" for each in heads)
    return (
        f"<details{' open' if is_bad else ''}><summary>"
        f'<div class="names{" bad-text" if is_bad else ""}">{escaped(_cut(group.pattern))}{times}'
        f"<small>{sides_text(first.shape)} {escaped(first.dtype)}</small></div>"
        f'<div class="rule">{escaped(_cut(first.rule))}{_seed(group)}</div>'
        f"<div>{histogram(first, other)}</div>"
        f'<div class="figures">{_figures(group)}</div></summary>'
        f'<div class="inside"><div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>{_errors_note(first)}{_signal(first)}{_partly(first)}</div></details>"
    )


def _seed(group: Group) -> str:
    seeds = {each.seed for each in group.tensors if each.seed is not None}
    return f"<small>seed {seeds.pop()}</small>" if len(seeds) == 1 else ""


def _figures(group: Group) -> str:
    part = f"<small>{_part(group.first)}</small>" if _part(group.first) else ""
    return _measured(group) + part


def _measured(group: Group) -> str:
    first = group.first
    if all(each.is_constant for each in group.tensors):
        return f"all {number_text(first.least)}"
    stds = [each.std for each in group.tensors]
    low, high = min(stds), max(stds)
    text = f"std {low:.4g}" if f"{low:.3g}" == f"{high:.3g}" else f"std {low:.4g} to {high:.4g}"
    if first.exact is not None:
        worst = max(abs(each.std_z or 0.0) for each in group.tensors)
        within = f", within {worst:.1f} se" if first.std_z is not None else ""
        return f"{text}<small>exact {first.exact.stddev:.4g}{within}</small>"
    return f"{text}<small>mean {first.mean:.2g}</small>"


def _tensor_row(
    each: TensorFigures, bad: Collection[str], ids: Ids, comparison: Comparison | None
) -> str:
    kind = ' class="bad-text"' if each.name in bad else ""
    cells = [
        ("number", escaped(number_text(each.mean)) + _errors(each.mean_z)),
        ("number", escaped(number_text(each.std)) + _errors(each.std_z)),
        ("number", escaped(number_text(each.least))),
        ("number", escaped(number_text(each.largest))),
    ]
    if each.exact is not None:
        ratio = f"{100 * each.ratio:.2f} %" if each.ratio is not None else ""
        cells[2:2] = [("number", ratio)]
    if comparison is not None:
        other = comparison.other(each.name)
        there = number_text(other.std) if other is not None else "missing"
        cells[2:2] = [("number", there), ("", escaped(comparison.verdict(each.name)))]
    tds = "".join(f'<td class="{side}">{text}</td>' for side, text in cells)
    digest = f"<code>{escaped(_middle(each.digest))}</code>{copy_button(each.digest)}"
    return (
        f'<tr id="{ids[each.name]}"{kind}><td class="names">{escaped(_cut(each.name))}</td>{tds}'
        f"<td>{digest if each.digest else ''}</td></tr>"
    )


def _errors(z: float | None) -> str:
    """Return how far a figure is from the exact one, in small letters."""
    return "" if z is None else f"<small>{z:+.1f} se</small>".replace("-", "\u2212")


def _errors_note(tensor: TensorFigures) -> str:
    if tensor.mean_z is None:
        return ""
    return (
        '<p class="note">se: standard errors from the exact value; by chance beyond 3 '
        "once in 370.</p>"
    )


def _signal(tensor: TensorFigures) -> str:
    """Return what the usual theory says of a layer's effect on its signal."""
    if tensor.fan_in is None or len(tensor.shape) < 2 or tensor.is_constant:
        return ""
    gain = tensor.fan_in * tensor.std**2
    return (
        '<p class="note">A layer with these weights multiplies the variance of a signal by about '
        f"fan-in &times; std² = {tensor.fan_in:g} &times; {tensor.std:.4g}² = <b>{gain:.3g}</b>, "
        "if inputs are independent with mean 0. 1 keeps it (Glorot and Bengio 2010), 2 does before "
        "a ReLU (He et al. 2015); residual branches and normalization change what it should be.</p>"
    )


def _part(tensor: TensorFigures) -> str:
    """Return which part of a tensor was looked at, in words; nothing for the whole."""
    shape, part = tensor.shape, tensor.measured_shape
    if shape == part:
        return ""
    if shape[1:] != part[1:]:
        return f"first {sides_text(part)} of {sides_text(shape)}"
    noun = "rows" if len(shape) > 1 else "numbers"
    return f"first {part[0]:,} {noun} of {shape[0]:,}"


def _partly(tensor: TensorFigures) -> str:
    if not _part(tensor):
        return ""
    return f'<p class="note">Figures are of the {_part(tensor)}, digests of all.</p>'


def _cut(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    half = LONGEST // 2
    return f"{text[:half]}…{text[-half:]}"


def _middle(digest: str) -> str:
    parts = digest.split(":")
    return f"{parts[1][:8]}…{parts[1][-4:]}" if len(parts) == 3 else digest
