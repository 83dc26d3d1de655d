"""Names of tensors in boxes that are too small for all of them."""

import re

_PARTS = re.compile(r"[^./]*[./]|[^./]+$")


def fitted_label(name: str, columns: int, lines: int) -> tuple[str, ...]:
    """Return a name in lines that fit a box, or nothing where too little of it would be left.

    Lines end at dots, and what is left out is at the left.

    Args:
        name: the tensor's name.
        columns: how many letters a line has room for.
        lines: how many lines there is room for.

    Example:
        >>> fitted_label("h.0.mlp.c_fc.weight", 13, 2)
        ('h.0.mlp.c_fc.', 'weight')
        >>> fitted_label("h.0.mlp.c_fc.weight", 13, 1)
        ('…c_fc.weight',)
        >>> fitted_label("h.0.mlp.c_fc.weight", 7, 1)
        ()
    """
    parts = _PARTS.findall(name)
    # The last part alone, `weight`, is that of many.
    for begin in range(max(1, len(parts) - 1)):
        kept = parts[begin:]
        if begin:
            kept[0] = f"…{kept[0]}"
        wrapped = _wrapped(kept, columns)
        if len(wrapped) <= lines and all(len(line) <= columns for line in wrapped):
            return wrapped
    return ()


def _wrapped(parts: list[str], columns: int) -> tuple[str, ...]:
    lines = [""]
    for part in parts:
        if lines[-1] and len(lines[-1]) + len(part) > columns:
            lines.append("")
        lines[-1] += part
    return tuple(lines)
