"""After Ctrl-C in a block that runs a module's code, torch is what it was."""

import os
import signal
from types import CodeType, FunctionType
from typing import Any

import pytest
import torch
from torch import nn, overrides
from torch.utils import _python_dispatch

from seedbed.torch import initializing
from seedbed.torch.initializing.overridable import overridable


def first_(tensor: torch.Tensor) -> str:
    return "first"


def second_(tensor: torch.Tensor) -> str:
    return "second"


class Interrupting:
    """A function that is interrupted when its code is replaced for the n-th time."""

    def __init__(self, function: FunctionType, at: int) -> None:
        self._function = function
        self._left = at

    def __getattr__(self, name: str) -> Any:
        return getattr(self._function, name)

    @property
    def __code__(self) -> CodeType:
        return self._function.__code__

    @__code__.setter
    def __code__(self, code: CodeType) -> None:
        self._function.__code__ = code
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize("at", [1, 2], ids=["as the block begins", "as it ends"])
@pytest.mark.parametrize("place", [0, 1])
def test_an_interrupt_leaves_no_function_without_its_code(at: int, place: int) -> None:
    codes = [first_.__code__, second_.__code__]
    functions: list[Any] = [first_, second_]
    functions[place] = Interrupting(functions[place], at)
    with pytest.raises(KeyboardInterrupt), overridable(functions):
        assert at == 2
    with overridable([first_, second_]):
        assert first_.__code__ is not codes[0]
    assert [first_.__code__, second_.__code__] == codes
    assert [first_(torch.empty(1)), second_(torch.empty(1))] == ["first", "second"]


def test_a_mode_that_torch_puts_back_after_the_block_does_nothing() -> None:
    """Torch takes a mode away while it answers, and an interrupt may delay its return."""
    modes: list[Any] = []

    def interrupted() -> None:
        layer = nn.Linear(2, 2)
        with initializing(layer, seed=1):
            modes.append(_python_dispatch._get_current_dispatch_mode())
            modes.append(overrides._get_current_function_mode())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    torch.manual_seed(0)
    expected = nn.init.normal_(torch.empty(8)), torch.rand(8)
    with modes[0], modes[1]:
        torch.manual_seed(0)
        found = nn.init.normal_(torch.empty(8)), torch.rand(8)
    assert all(map(torch.equal, found, expected))
