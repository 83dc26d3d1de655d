"""The map of sizes on a report's page: a box for each tensor, as large as its count of numbers."""

from collections.abc import Collection, Mapping, Sequence

from seedbed.reports.fitted_table import ELLIPSIS, cut_in_the_middle
from seedbed.reports.groups import Group
from seedbed.reports.labels import fitted_label
from seedbed.reports.sizes import SizedGroup, SizedTensor, sized_groups
from seedbed.reports.text import number_text, sides_text
from seedbed.reports.treemap import Box
from seedbed.spec.html import escaped

FRAME = Box(0.0, 0.0, 100.0, 56.0)
# In pixels, as style.css has them: the map on a phone and on a desk, and the room that its letters
# take in the widest of the usual fonts.
SLIM_MAP, WIDE_MAP, MAP_HEIGHT = 300.0, 440.0, 304.0
EDGES, LETTER_WIDTH, LINE_HEIGHT = 12.0, 6.6, 14.0
NAME_LINES = 2
# Less is no difference that one could see.
SEEN_TINTS = 0.2
LONGEST = 120


def size_map(groups: Sequence[Group], bad: Collection[str], ids: Mapping[str, str]) -> str:
    """Return the map, with a label on each pattern that has room for one.

    Args:
        groups: of the model.
        bad: the names of tensors that something was found about.
        ids: what a link to each tensor says.
    """
    shown = sized_groups(groups, FRAME)
    parts = (
        f'<div class="pattern" style="{_place(sized.box, FRAME)}">'
        f"{''.join(_tile(each, sized, bad, ids) for each in sized.tensors)}{_labels(sized)}</div>"
        for sized in shown
    )
    rest = sum(len(group.tensors) for group in groups)
    rest -= sum(len(sized.tensors) for sized in shown)
    are = "one is" if rest == 1 else "ones are"
    note = f'<p class="note">{rest:,} smaller {are} not shown.</p>' if rest else ""
    return f'<div class="map">{"".join(parts)}</div>{_legend(shown)}{note}'


def _place(box: Box, frame: Box) -> str:
    """Return where a box lies in its frame."""
    return (
        f"left:{100 * (box.x - frame.x) / frame.width:.3f}%;"
        f"top:{100 * (box.y - frame.y) / frame.height:.3f}%;"
        f"width:{100 * box.width / frame.width:.3f}%;"
        f"height:{100 * box.height / frame.height:.3f}%"
    )


def _tile(
    each: SizedTensor, sized: SizedGroup, bad: Collection[str], ids: Mapping[str, str]
) -> str:
    tensor = each.tensor
    kinds = ["constant"] * tensor.is_constant + ["bad"] * (tensor.name in bad)
    percent = 100 * sized.share / len(sized.tensors)  # all of a pattern have one shape
    title = (
        f"{cut_in_the_middle(tensor.name, LONGEST, ELLIPSIS)}, {sides_text(tensor.shape)}: "
        f"{percent:.2g} %, std {number_text(tensor.std)}"
    )
    return (
        f'<a href="#{ids[tensor.name]}" class="{" ".join(kinds)}" tabindex="-1" '
        f'style="{_place(each.box, sized.box)};--depth:{8 + 40 * each.tint:.0f}%" '
        f'title="{escaped(title)}"></a>'
    )


def _labels(sized: SizedGroup) -> str:
    """Return a pattern's label where the map is narrow, and where it is wide."""
    return _label(sized, SLIM_MAP, "slim") + _label(sized, WIDE_MAP, "wide")


def _label(sized: SizedGroup, map_pixels: float, kind: str) -> str:
    """Return a label along the width, or along the height where there is room for it only there."""
    width = sized.box.width / FRAME.width * map_pixels - EDGES
    height = sized.box.height / FRAME.height * MAP_HEIGHT - EDGES
    for along, across, classes in ((width, height, kind), (height, width, f"{kind} tall")):
        rows = _rows(sized, int(along / LETTER_WIDTH), int(across / LINE_HEIGHT))
        if rows:
            return f'<b class="{classes}">{"<br>".join(rows)}</b>'
    return ""


def _rows(sized: SizedGroup, columns: int, lines: int) -> list[str]:
    fitted = fitted_label(sized.group.pattern, columns, min(lines, NAME_LINES))
    rows = [escaped(line) for line in fitted]
    count, percent = len(sized.group.tensors), f"{100 * sized.share:.1f} %"
    notes = [f"× {count}, {percent}", f"× {count}"] if count > 1 else [percent]
    note = next((each for each in notes if len(each) <= columns), "")
    if note and 0 < len(rows) < lines:
        rows.append(f"<small>{note}</small>")
    return rows


def _legend(shown: Sequence[SizedGroup]) -> str:
    marks = {}
    tiles = [each for sized in shown for each in sized.tensors]
    tints = [each.tint for each in tiles if not each.tensor.is_constant]
    if tints and max(tints) - min(tints) > SEEN_TINTS:
        marks["small std"] = "rgb(var(--tint) / 10%)"
        marks["large std"] = "rgb(var(--tint) / 48%)"
    if any(each.tensor.is_constant for each in tiles):
        marks["constant"] = "var(--line)"
    spans = "".join(f'<span style="--mark:{mark}">{text}</span>' for text, mark in marks.items())
    return f'<div class="legend">{spans}</div>'
