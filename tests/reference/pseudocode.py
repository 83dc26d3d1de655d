"""The blocks of code in docs/numerics.md, run as they are printed.

The document's notation becomes Python by a few replacements; numbers are float64, or
:class:`Single`, or whatever a caller puts in.
"""

import functools
import math
import re
from collections.abc import Iterable
from types import CodeType
from typing import Any, Self

from tests.reference.floats import FLOAT32, FLOAT64, round_to
from tests.reference.floats import fma as exact_fma

Names = dict[str, Any]

REMARK = re.compile(r"(?<=\S) {4,}(?![ =]).*")
_TIMES = re.compile(r"^(\d+) times:$")
_LOOP = re.compile(r"^for (\w+) = (.+):$")
_EACH = re.compile(r"^(.*\S),? for (\w+) = (.+)$")
_CHAIN = re.compile(r"chain\(([^;]+); \((.+?)\) for (\w+) = (.+? \.\. [^)]+)\)")
_RANGE = re.compile(r"([^,\[\]]+) \.\. ([^,\[\]]+)")
_INDEX = re.compile(r"\[([^\[\]]+ \.\. [^\[\]]+)\]")
_WORDS = (
    (r"\bnot (\w+)", r"negated(\1)"),
    (r"\bxor\b", "^"),
    (r"\bmod\b", "%"),
    (r"\bdiv\b", "//"),
)


class Single(float):
    """A float32 number, whose arithmetic is float32's.

    The sum, product or quotient of two float32 numbers in float64 has digits enough that rounding
    it once more is no other than rounding once.
    """

    def __new__(cls, value: float) -> Self:
        """Round a number to float32."""
        return super().__new__(cls, round_to(float(value), FLOAT32))

    def __neg__(self) -> "Single":
        return Single(-float(self))

    def __add__(self, other: float) -> "Single":
        return Single(float(self) + other)

    def __sub__(self, other: float) -> "Single":
        return Single(float(self) - other)

    def __rsub__(self, other: float) -> "Single":
        return Single(other - float(self))

    def __mul__(self, other: float) -> "Single":
        return Single(float(self) * other)

    __radd__, __rmul__ = __add__, __mul__


def fma(a: float, b: float, c: float) -> float:
    """Return a * b + c, rounded once to the type of the numbers."""
    if any(isinstance(number, Single) for number in (a, b, c)):
        return Single(exact_fma(float(a), float(b), float(c), FLOAT32))
    return exact_fma(float(a), float(b), float(c), FLOAT64)


def sqrt(value: float) -> float:
    """Return the square root in the type of the number."""
    return type(value)(math.sqrt(value)) if isinstance(value, Single) else math.sqrt(value)


def chain(start: float, pairs: Iterable[tuple[float, float]]) -> float:
    """Return start + a * b + ..., rounded after each pair."""
    for a, b in pairs:
        start = fma(a, b, start)
    return start


def run(block: str, **names: Any) -> Names:
    """Run a block, and return the values of all variables."""
    space: Names = {"fma": fma, "sqrt": sqrt, "chain": chain} | names
    exec(_compiled(block), space)
    return space


def evaluate(expression: str, **names: Any) -> Any:
    """Return the value of an expression."""
    return run(f"value = {expression}", **names)["value"]


@functools.cache
def _compiled(block: str) -> CodeType:
    return compile(translate(block), "docs/numerics.md", "exec")


def translate(block: str) -> str:
    """Return a block as Python."""
    lines = []
    for line in block.splitlines():
        code = REMARK.sub("", line).rstrip()
        indent = code[: len(code) - len(code.lstrip())]
        lines += [indent + piece for piece in _statements(code.strip())]
    return "\n".join(lines)


def _statements(code: str) -> list[str]:
    if match := _TIMES.match(code):
        return [f"for _ in range({match[1]}):"]
    if match := _LOOP.match(code):
        return [f"for {match[1]} in {_integers(match[2])}:"]
    return [_statement(piece) for piece in re.split(r";  ", code)]


def _statement(code: str) -> str:
    outside = _CHAIN.sub(lambda match: "#" * len(match[0]), code)
    if match := _EACH.match(outside):
        head, loop = code[: match.end(1)], f"for {match[2]} in {_integers(code[match.start(3) :])}"
        return f"{loop}: {_statement(head)}"
    target, equals, value = code.partition(" = ") if " = " in code else ("", "", code)
    return _expression(target) + equals + _expression(value)


def _integers(text: str) -> str:
    if " down to " in text:
        first, last = text.split(" down to ")
        return f"range({first}, {last} - 1, -1)"
    if " .. " in text:
        first, last = text.split(" .. ")
        return f"range({first}, {last} + 1)"
    return f"({text})"


def _expression(code: str) -> str:
    code = _CHAIN.sub(
        lambda match: f"chain({match[1]}, [({match[2]}) for {match[3]} in {_integers(match[4])}])",
        code,
    )
    code = _INDEX.sub(lambda match: "[" + _RANGE.sub(r"\1:\2 + 1", match[1]) + "]", code)
    for pattern, replacement in _WORDS:
        code = re.sub(pattern, replacement, code)
    while " ? " in code:
        code = _selection(code)
    return code


def _selection(code: str) -> str:
    """Turn the first ``c ? a : b`` into Python's form."""
    at = code.index(" ? ")
    colon = code.index(" : ", at)
    start, end = _edge(code, at, -1), _edge(code, colon + 3, 1)
    condition, chosen, other = code[start:at], code[at + 3 : colon], code[colon + 3 : end]
    condition = re.sub(r" = ", " == ", condition)
    return f"{code[:start]}({chosen} if {condition} else {other}){code[end:]}"


def _edge(code: str, at: int, step: int) -> int:
    """Return where the argument or parenthesis around a place ends, in one direction."""
    depth, opening = 0, "([" if step > 0 else ")]"
    while 0 <= (place := at - (step < 0)) < len(code):
        letter = code[place]
        if depth == 0 and (letter == "," or (letter in "()[]" and letter not in opening)):
            break
        if letter in "()[]":
            depth += 1 if letter in opening else -1
        at += step
    return at
