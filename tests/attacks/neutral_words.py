"""The words that a server's texts must not have: clients are written in any language."""

import re

# Names of languages and packages, and how Python would show a value or name a class.
LANGUAGE = re.compile(
    r"""
    \b(Keras|PyTorch|torch|TensorFlow|JAX|[Nn]um[Pp]y|SciPy|Python|SDK|self)\b
    | \b(None|NoneType|True|False)\b | \(of\ type
    | \(\d+,\) | \(\d+,\ \d+\)
    | \b\w+(Spec|Error)\b | \b(FanAxes|TensorSlice|TensorRequest)\b
    | (?<!\w)'
    """,
    re.VERBOSE,
)


def assert_no_language(text: str) -> None:
    """Fail if a text has a word of one language."""
    found = LANGUAGE.search(text)
    assert found is None, f"{found.group()!r} in {text}"
