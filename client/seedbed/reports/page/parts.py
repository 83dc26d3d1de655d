"""The parts of a report's page: what it is about, findings, the map of sizes, and the tensors."""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from seedbed.reports.comparison import (
    FoldedDifference,
    difference_text,
    folded,
    names_text,
    summary,
)
from seedbed.reports.findings import Finding
from seedbed.reports.fitted_table import ELLIPSIS, cut_in_the_middle
from seedbed.reports.groups import Group
from seedbed.reports.page.beside import Beside
from seedbed.reports.page.charts import histogram
from seedbed.reports.subjects import ModelFigures
from seedbed.reports.tensor_figures import TensorFigures
from seedbed.reports.text import count_text, number_text, sides_text, size_text
from seedbed.spec.html import escaped

if TYPE_CHECKING:
    from seedbed.reports.report import Report

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


def findings_section(found: Sequence[Finding], model: ModelFigures, ids: Ids, about: str) -> str:
    """Return what is unusual, or that nothing is.

    Args:
        found: the findings.
        model: what they are of.
        ids: of the tensors that the page shows.
        about: whose they are, after "finding" or "nothing unusual".
    """
    if not found:
        text = f"Nothing unusual in {count_text(len(model.tensors), 'tensor')}{about}"
        return f'<section class="fine"><h2>{escaped(text)}</h2>{_fine_note()}</section>'
    items = "".join(
        f"<li>{_link(each.name, ids)} {escaped(each.text)}</li>" for each in found[:MOST_FINDINGS]
    )
    if len(found) > MOST_FINDINGS:
        items += f"<li>and {len(found) - MOST_FINDINGS:,} more</li>"
    heading = escaped(f"{count_text(len(found), 'finding')}{about}")
    return f'<section class="unusual"><h2>{heading}</h2><ul>{items}</ul></section>'


def _link(name: str, ids: Ids) -> str:
    shown = f"<code>{escaped(_cut(name))}</code>"
    return f'<a href="#{ids[name]}">{shown}</a>' if name in ids else shown


def _fine_note() -> str:
    return (
        '<p class="note">No element is NaN or infinite, means and standard deviations are those '
        "of the rules or of the other layers, and no two random tensors have the same content.</p>"
    )


def differences_section(report: "Report", other: ModelFigures) -> str:
    """Return how another model differs, by pattern."""
    names = {each.name: None for model in (report.model, other) for each in model.tensors}
    found = folded(report.differences, names)
    rows = "".join(_difference_row(each) for each in found[:MOST_FINDINGS])
    if len(found) > MOST_FINDINGS:
        rows += f"<li>and {len(found) - MOST_FINDINGS:,} more</li>"
    fine = "" if report.other_findings else '<p class="note">Nothing unusual in it.</p>'
    return (
        f'<section class="beside"><h2>Beside {escaped(other.title)}: '
        f"{summary(report.model, report.differences)}</h2>{facts(other)}"
        f"{f'<ul>{rows}</ul>' if rows else ''}{fine}</section>"
    )


def _difference_row(difference: FoldedDifference) -> str:
    names = _broken(_cut(names_text(difference, "× ")))
    text = escaped(_cut(difference_text(difference, sides_text)))
    return f"<li><code>{names}</code><span>{text}</span></li>"


def group_row(group: Group, bad: Collection[str], ids: Ids, beside: Beside | None) -> str:
    """Return a pattern's row, with its tensors folded below."""
    tensors = _noted_first(group, bad, beside)
    first = tensors[0]
    other = beside.tensors.get(first.name) if beside is not None else None
    count = len(group.tensors)
    times = f' <span class="times">&times; {count}</span>' if count > 1 else ""
    is_bad = any(each.name in bad for each in group.tensors)
    rows = "".join(_tensor_row(each, bad, ids, beside) for each in tensors)
    heads = ["tensor", "mean", "std", "least", "largest", "digest"]
    if first.exact is not None:
        heads[3:3] = ["of the exact"]
    if beside is not None:
        heads[3:3] = ["std there", "differs in"]
    numbers = {"mean", "std", "of the exact", "least", "largest", "std there"}
    head = "".join(f"<th{' class=number' if each in numbers else ''}>{each}</th>" for each in heads)
    return (
        f"<details{' open' if is_bad else ''}><summary>"
        f'<div class="names{" bad-text" if is_bad else ""}">{_broken(_cut(group.pattern))}{times}'
        f"<small>{sides_text(first.shape)} {escaped(first.dtype)}</small></div>"
        f'<div class="rule">{escaped(_cut(first.rule))}{_seed(group)}</div>'
        f"<div>{histogram(first, other)}</div>"
        f'<div class="figures">{_figures(group)}</div></summary>'
        f'<div class="inside"><div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>{_errors_note(first)}{_signal(first)}{_partly(first)}</div></details>"
    )


def _noted_first(
    group: Group, bad: Collection[str], beside: Beside | None
) -> Sequence[TensorFigures]:
    """Return a pattern's tensors: those with a finding, then those that differ, then the others."""
    noted = [bad, beside.bad, beside.causes] if beside is not None else [bad]
    return sorted(group.tensors, key=lambda each: [each.name not in names for names in noted])


def _seed(group: Group) -> str:
    seeds = {each.seed for each in group.tensors if each.seed is not None}
    return f"<small>seed {seeds.pop()}</small>" if len(seeds) == 1 else ""


def _figures(group: Group) -> str:
    part = f"<small>{_part(group.first)}</small>" if _part(group.first) else ""
    return _measured(group) + part


def _measured(group: Group) -> str:
    first = group.first
    if not first.elements:
        return "no elements"
    if all(each.is_constant for each in group.tensors):
        return f"all {number_text(first.least)}"
    stds = [each.std for each in group.tensors]
    low, high = min(stds), max(stds)
    text = f"std {low:.4g}" if f"{low:.3g}" == f"{high:.3g}" else f"std {low:.4g} to {high:.4g}"
    if first.exact is not None:
        worst = max(abs(each.std_z or 0.0) for each in group.tensors)
        within = f", within {_se_text(worst)}" if first.std_z is not None else ""
        return f"{text}<small>exact {first.exact.stddev:.4g}{within}</small>"
    return f"{text}<small>mean {first.mean:.2g}</small>"


def _tensor_row(each: TensorFigures, bad: Collection[str], ids: Ids, beside: Beside | None) -> str:
    kind = ' class="bad-text"' if each.name in bad else ""
    cells = [
        ("number", _number(each.mean) + _errors(each.mean_z)),
        ("number", _number(each.std) + _errors(each.std_z)),
        ("number", _number(each.least)),
        ("number", _number(each.largest)),
    ]
    if each.exact is not None:
        ratio = f"{100 * each.ratio:.2f} %" if each.ratio is not None else ""
        cells[2:2] = [("number", ratio)]
    if beside is not None:
        other = beside.tensors.get(each.name)
        there = _number(other.std) if other is not None else ""
        side = "number bad-text" if each.name in beside.bad else "number"
        cells[2:2] = [(side, there), ("", escaped(beside.verdict(each.name)))]
    tds = "".join(f'<td class="{side}">{text}</td>' for side, text in cells)
    digest = f"<code>{escaped(_middle(each.digest))}</code>{copy_button(each.digest)}"
    return (
        f'<tr id="{ids[each.name]}"{kind}><td class="names">{escaped(_cut(each.name))}</td>{tds}'
        f"<td>{digest if each.digest else ''}</td></tr>"
    )


def _number(value: float) -> str:
    return number_text(None if math.isnan(value) else value)


def _errors(z: float | None) -> str:
    """Return how far a figure is from the exact one, in small letters."""
    if z is None:
        return ""
    sign = "+" if z >= 0 else "\u2212"
    return f" <small>{sign}{_se_text(abs(z))}</small>"


def _se_text(count: float) -> str:
    """Return so many standard errors: from 100 on, nobody asks for tenths."""
    return f"{count:.1f} se" if count < 100 else f"{count:,.0f} se"


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
    gain = tensor.fan_in * tensor.std * tensor.std  # a power would raise where it overflows
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
    return cut_in_the_middle(text, LONGEST, ELLIPSIS)


def _broken(name: str) -> str:
    """Return a name that is broken at its dots where a line is too short for it."""
    return escaped(name).replace(".", ".<wbr>")


def _middle(digest: str) -> str:
    parts = digest.split(":")
    return f"{parts[1][:8]}…{parts[1][-4:]}" if len(parts) == 3 else digest
