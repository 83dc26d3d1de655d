"""Functions that torch.compile does not look into: it runs them as they are."""

import functools
import sys
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
ReturnT = TypeVar("ReturnT")


def eager(function: Callable[P, ReturnT]) -> Callable[P, ReturnT]:
    """Return a function at which torch.compile breaks the graph.

    It asks a server, so there is nothing in it to compile. ``torch.compiler.disable`` would import
    the compiler, which takes a second, whether it is used or not.
    """

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> ReturnT:
        compiler = sys.modules.get("torch._dynamo")
        if compiler is None:
            return function(*args, **kwargs)
        return compiler.disable(function)(*args, **kwargs)  # type: ignore[no-any-return]

    # What the compiler looks for before it looks inside.
    call._torchdynamo_disable = True  # type: ignore[attr-defined]  # noqa: SLF001
    return call


def level_of_caller() -> int:
    """Return the ``stacklevel`` of a warning that is meant for whoever called an eager function."""
    skipped = (__name__.rpartition(".")[0], "torch._dynamo")
    frame, level = sys._getframe(1), 1  # noqa: SLF001
    while frame.f_back is not None and frame.f_globals["__name__"].startswith(skipped):
        frame, level = frame.f_back, level + 1
    return level
