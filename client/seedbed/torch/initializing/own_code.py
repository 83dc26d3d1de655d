"""What the classes of a module bring to initialize it, called as their constructors do."""

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

from torch import nn

from seedbed.spec.errors import bad_value
from seedbed.torch.initializing.adapters import reset_adapters

IsOpen = Callable[[nn.Module], bool]
"""Whether a module has a tensor, however deep, whose content its code may decide."""

_RESETS = ("reset_parameters", "_reset_parameters")
# Methods that initialize a module with all that is in it. transformers has all three, and the first
# is what it calls itself.
_WHOLE = ("initialize_weights", "init_weights")
_FOR_EACH = "_init_weights"
_LIKELY = re.compile(r"_?(init|initialize|reset)(_\w*)?_(weights|parameters|params)")


def reset_layers(module: nn.Module, is_open: IsOpen = lambda _: True) -> None:
    """Call each layer's ``reset_parameters``, the inner layers' first."""
    for each in _inner_first(module, set()):
        reset = _method(each, *_RESETS)
        # Its own buffers begin anew, whoever fills its parameters.
        if reset is not None and (is_open(each) or list(each.buffers(recurse=False))):
            reset()


def run_own_initialization(module: nn.Module, is_open: IsOpen) -> None:
    """Run the initialization that the outermost classes bring for all that is inside them.

    Raises:
        InvalidValueError: naming the modules whose class brings one that cannot be called so.
    """
    unknown = [
        *_run_outermost("", module, is_open),
        # Adapters come last: to what they are in, their layers look like any others.
        *reset_adapters(module, is_open),
    ]
    if unknown:
        raise bad_value(
            "module",
            "one whose own initialization is reset_parameters(), initialize_weights(), "
            "init_weights() or _init_weights(), which can be called without arguments; for others "
            "there is `initializing`, or a rule for each of their parameters",
            ", ".join(unknown),
        )


def _run_outermost(path: str, module: nn.Module, is_open: IsOpen) -> Iterator[str]:
    """Run what initializes a whole module; yield what cannot be called."""
    if not is_open(module):
        return
    whole = _whole_initialization(module)
    if whole is not None:
        whole()
        return
    for name in _uncalled(module):
        yield f"{path or type(module).__name__}: {name}"
    for name, child in module.named_children():
        yield from _run_outermost(f"{path}.{name}".removeprefix("."), child, is_open)


def _whole_initialization(module: nn.Module) -> Callable[[], Any] | None:
    """Return what initializes a module and all that is inside, if its class brings that."""
    if type(module).__module__.startswith("torch."):
        return None
    for_each = getattr(type(module), _FOR_EACH, None)
    whole = _method(module, *_WHOLE)
    if whole is not None:
        return whole
    if for_each is None:
        return None
    if _required(for_each) == 1:
        return _method(module, _FOR_EACH)
    if _required(for_each) == 2:
        function = getattr(module, _FOR_EACH)
        return lambda: module.apply(function)
    return None


def _uncalled(module: nn.Module) -> Iterator[str]:
    """Yield the methods of a class that seem to initialize it, and that nothing here calls."""
    for kind in type(module).__mro__:
        if kind.__module__.split(".")[0] in ("torch", "builtins", "peft"):
            continue
        for name, value in vars(kind).items():
            is_called = name in _RESETS and _required(value) == 1
            if inspect.isfunction(value) and _LIKELY.fullmatch(name) and not is_called:
                yield name


def _inner_first(module: nn.Module, seen: set[int]) -> Iterator[nn.Module]:
    if id(module) in seen:
        return
    seen.add(id(module))
    for child in module.children():
        yield from _inner_first(child, seen)
    yield module


def _method(module: nn.Module, *names: str) -> Callable[[], Any] | None:
    """Return the first of some methods that a class has, and that needs no argument."""
    for name in names:
        function = getattr(type(module), name, None)
        if callable(function) and _required(function) == 1:
            method: Callable[[], Any] = getattr(module, name)
            return method
    return None


def _required(function: Any) -> int:
    """Return how many arguments a function needs, ``self`` included."""
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return sum(
        parameter.default is parameter.empty and parameter.kind not in variadic
        for parameter in inspect.signature(function).parameters.values()
    )
