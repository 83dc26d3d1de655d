"""Blocks of several threads find torch's functions replaced as a whole, or not at all."""

import threading
from types import CodeType
from typing import Any

import torch

from seedbed.torch.initializing.overridable import overridable
from tests.waiting import LATE_SECONDS


def first_(tensor: torch.Tensor) -> str:
    return "first"


def second_(tensor: torch.Tensor) -> str:
    return "second"


class Slow:
    """A function whose code another thread may replace only when it is let."""

    def __init__(self, function: Any) -> None:
        self._function = function
        self.has_begun = threading.Event()
        self.may_go_on = threading.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._function, name)

    @property
    def __code__(self) -> CodeType:
        code: CodeType = self._function.__code__
        return code

    @__code__.setter
    def __code__(self, code: CodeType) -> None:
        self.has_begun.set()
        assert self.may_go_on.wait(LATE_SECONDS)
        self._function.__code__ = code


def test_a_block_that_begins_while_another_replaces_waits_for_it() -> None:
    codes = [first_.__code__, second_.__code__]
    slow, found, is_over = Slow(first_), list[bool](), threading.Event()

    def hold() -> None:
        with overridable([slow, second_]):
            assert is_over.wait(LATE_SECONDS)

    def look() -> None:
        with overridable([slow, second_]):
            found.append(second_.__code__ is not codes[1])

    threads = [threading.Thread(target=each) for each in (hold, look)]
    threads[0].start()
    assert slow.has_begun.wait(LATE_SECONDS)
    threads[1].start()
    threads[1].join(0.2)  # it has to wait
    slow.may_go_on.set()
    threads[1].join()
    is_over.set()
    threads[0].join()
    assert found == [True]
    assert [first_.__code__, second_.__code__] == codes
