"""Tensors that a module's code makes and fills at random, named by the module that makes them.

Their numbers may depend on nothing that a part of the model cannot know, so the name is that of the
module whose code runs, and a count in it.
"""

import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import FrameType

import torch
from torch import nn

from seedbed.torch.initializing.tracked import Tracked, is_unseen, storage_key, track


class Temporaries:
    """The temporary tensors of a block whose content is still to come."""

    def __init__(self, names: Mapping[int, str]) -> None:
        """Start without any.

        Args:
            names: of the modules, by their ids.
        """
        self._names = names
        self._counts: Counter[str] = Counter()
        self._pending: dict[int, list[Tracked]] = {}
        self._shared: list[Tracked] = []

    def add(self, tensor: torch.Tensor) -> Tracked:
        """Return a new temporary, to be filled."""
        module = self.running_module()
        name = f"{module}#{self._counts[module]}"
        self._counts[module] += 1
        tracked = track(name, "temporary", tensor)
        if (key := storage_key(tensor)) is not None:
            self._pending.setdefault(key, []).append(tracked)
        return tracked

    def running_module(self) -> str:
        """Return the name of the module whose code runs."""
        return _running_module(self._names)

    def find(self, tensor: torch.Tensor) -> list[Tracked]:
        """Return those in a tensor's memory."""
        key = storage_key(tensor) if self._pending else None
        return [] if key is None else self._pending.get(key, [])

    def forget(self, tensor: torch.Tensor) -> None:
        """Forget those in a tensor's memory: their content has come, or is not wanted."""
        if (key := storage_key(tensor)) is not None:
            self._pending.pop(key, None)

    def share(self, temporary: Tracked, repeat: Callable[[], object]) -> None:
        """Let a temporary whose numbers another tensor has taken over get the same.

        Args:
            temporary: one that is to be filled.
            repeat: fills it, should something read it.
        """
        temporary.fills, temporary.later = [], [repeat]
        _show_apart(temporary)
        for each in [each for each in self._shared if is_unseen(each.tensor)]:
            self._shared.remove(each)
            self.forget(each.tensor)
        self._shared.append(temporary)

    def pending(self) -> list[Tracked]:
        """Return those whose content is still to come, and that something still shows."""
        pending = [tracked for several in self._pending.values() for tracked in several]
        for each in pending:
            _show_apart(each)
        return [each for each in pending if not is_unseen(each.tensor)]


def _show_apart(temporary: Tracked) -> None:
    """Have another tensor in the same memory, so that it can be told who else has one."""
    temporary.tensor = temporary.tensor.detach()
    temporary.fills = [replace(fill, tensor=temporary.tensor) for fill in temporary.fills]


def _running_module(names: Mapping[int, str]) -> str:
    """Return the name of the module whose code runs.

    That is the innermost one that a function on the stack knows: as self, as in
    ``reset_parameters``, as an argument, as in ``model.apply(function)``, or in a loop over layers.
    Of several, the one deepest in the model, and of those the one that the function names last.
    """
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001  # the only way to a caller
    while frame is not None:
        modules = (value for value in frame.f_locals.values() if isinstance(value, nn.Module))
        known = [names[id(module)] for module in modules if id(module) in names]
        if known:
            return max(reversed(known), key=lambda name: (name.count("."), bool(name)))
        frame = frame.f_back
    return ""
