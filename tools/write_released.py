"""Write what a release promises: python -m tools.write_released, only when one is made.

Public names with their parameters, and the digests of the golden file. Tests compare later trees
with both files: whatever is in them has to stay.
"""

import ast
import inspect
import json
import sys
from collections.abc import Iterator
from enum import EnumType
from functools import cached_property
from pathlib import Path

import seedbed as sb

ROOT = Path(__file__).resolve().parent.parent
NAMES = ROOT / "tests" / "unit" / "released_names.txt"
DIGESTS = ROOT / "tests" / "golden" / "released.txt"
GOLDEN = ROOT / "server" / "seedbed_server" / "golden" / "seedbed-1.json"
# They need what is not installed everywhere, so their lists of names are read, not imported.
READ = ("aio", "compat/v1", "compat/v1/keras/initializers", "jax", "keras", "mlx", "torch")


def names() -> list[str]:
    """Return each public name, those of classes with their members, and what calls take."""
    found = [line for name in sb.__all__ for line in _described(name, getattr(sb, name))]
    for module in READ:
        dotted = f"seedbed.{module.replace('/', '.')}"
        found += [f"{dotted}.{name}" for name in _listed(module)]
    return sorted(found)


def digests() -> list[str]:
    """Return the id and the digest of each golden entry."""
    entries = json.loads(GOLDEN.read_text(encoding="utf-8"))["tensors"]
    return sorted(f"{each['id']} {each['xxh3_128']}" for each in entries)


def _described(name: str, value: object) -> Iterator[str]:
    if inspect.isclass(value):
        yield from _called(f"seedbed.{name}", value)
        for member, inner in inspect.getmembers(value):
            public = not member.startswith("_") or member == "__call__"
            if public and _is_ours(value, member):
                yield from _called(f"seedbed.{name}.{member}", inner)
    else:
        yield from _called(f"seedbed.{name}", value)


def _is_ours(owner: type, member: str) -> bool:
    """Return whether one of our classes has it, not a builtin that it derives from."""
    return any(
        member in vars(each) for each in owner.__mro__ if each.__module__.startswith("seedbed")
    )


def _called(name: str, value: object) -> Iterator[str]:
    """Yield the name, and a line for each parameter: how it is passed, and whether it must be."""
    yield name
    # To inspect, a cached property is a routine.
    if isinstance(value, EnumType | cached_property):
        return
    if not (inspect.isroutine(value) or inspect.isclass(value)):
        return
    try:
        parameters = inspect.signature(value).parameters.values()
    except ValueError:  # a builtin's, which has none
        return
    for index, each in enumerate(one for one in parameters if one.name != "self"):
        needed = "needed" if each.default is each.empty else "optional"
        yield f"{name}({each.name}) {_way(each, index)} {needed}"


def _way(parameter: inspect.Parameter, index: int) -> str:
    match parameter.kind:
        case parameter.VAR_POSITIONAL | parameter.VAR_KEYWORD:
            return "any"
        case parameter.KEYWORD_ONLY:
            return "keyword"
        case parameter.POSITIONAL_ONLY:
            return f"position-only-{index}"
        case _:
            return f"position-{index}"


def _listed(module: str) -> list[str]:
    path = ROOT / "client" / "seedbed" / module
    file = path.with_suffix(".py") if path.with_suffix(".py").exists() else path / "__init__.py"
    for statement in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "__all__":
            return [str(name) for name in ast.literal_eval(statement.value)]
    raise ValueError(f"{file} has no __all__")


def main() -> int:
    """Write both files and return the exit status."""
    NAMES.write_text("".join(f"{line}\n" for line in names()), encoding="utf-8")
    DIGESTS.write_text("".join(f"{line}\n" for line in digests()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
