"""All of torch.nn.init's functions made overridable while a block runs, as some of them are.

Torch lets a mode answer ``normal_``, ``uniform_``, ``constant_`` and ``kaiming_uniform_`` as a
whole; others, such as ``trunc_normal_``, are seen as what they are made of. Libraries keep
references to these functions, so it is their code that is replaced, not their names.
"""

import inspect
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import CodeType, FunctionType
from typing import Any

from torch import overrides

_ORIGINALS: dict[str, Callable[..., Any]] = {}
# Held while functions get other code: a block of another thread must find all of it, or none. A
# signal's handler may have a block of its own.
_replacing = threading.RLock()
_blocks = 0


@contextmanager
def overridable(functions: Iterable[Any]) -> Iterator[None]:
    """Let modes answer functions; those of other threads, which have no mode, run as they are."""
    global _blocks  # noqa: PLW0603  # as are the functions
    with _replacing:
        _blocks += 1
        try:
            if _blocks == 1:
                _give_back()  # what an interrupt has kept from it
                _replace(functions)
        except BaseException:
            _end_block()
            raise
    try:
        yield
    finally:
        _end_block()


def _end_block() -> None:
    global _blocks  # noqa: PLW0603  # likewise
    with _replacing:
        _blocks -= 1
        if _blocks == 0:
            _give_back()


def _replace(functions: Iterable[Any]) -> None:
    for function in functions:
        _CODES.append((function, function.__code__))
        _ORIGINALS[function.__name__] = _copy_of(function)
        function.__code__ = _asking_code(function.__name__)


_CODES: list[tuple[Any, CodeType]] = []


def _give_back() -> None:
    """Give functions their own code again; may be interrupted anywhere, and done again."""
    while _CODES:
        function, code = _CODES[-1]
        function.__code__ = code
        _CODES.pop()


def ask(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call a function of torch.nn.init, or what a mode has in its place."""
    from torch.nn import init

    original = _ORIGINALS[name]
    arguments = inspect.signature(original).bind(*args, **kwargs).arguments
    tensor = arguments["tensor"]
    if overrides.has_torch_function_variadic(tensor):
        return overrides.handle_torch_function(getattr(init, name), (tensor,), **arguments)
    return original(*args, **kwargs)


def _copy_of(function: Any) -> Callable[..., Any]:
    copy = FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    return copy


def _asking_code(name: str) -> CodeType:
    def template(*args: Any, **kwargs: Any) -> Any:
        # It runs with another module's globals.
        from seedbed.torch.initializing.overridable import ask

        return ask("name", args, kwargs)

    constants = tuple(name if each == "name" else each for each in template.__code__.co_consts)
    return template.__code__.replace(co_consts=constants, co_name=name)
