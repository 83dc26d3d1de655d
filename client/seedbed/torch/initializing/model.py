"""The tensors of a module during a block, and which of them still need content."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import torch
from torch import nn

from seedbed.rules import Filling
from seedbed.torch.initializing.recording import Fetching, Recording
from seedbed.torch.initializing.temporaries import Temporaries
from seedbed.torch.initializing.tracked import Tracked, TrackedTensors, track
from seedbed.torch.layout import whole_layout
from seedbed.torch.materialize import back_to_meta, materialize
from seedbed.torch.names import (
    NamedTensor,
    Rename,
    module_names,
    named_tensors,
    plain_name,
    renaming,
    unwrapped,
)


class Tensors:
    """The parameters and buffers of a module, by name, and what has become of them."""

    def __init__(self, module: nn.Module, prefix: str, rename: Rename | None) -> None:
        """Look at a module; nothing is changed.

        Raises:
            InvalidTypeError: if an argument has the wrong type.
            InvalidValueError: if a parameter cannot be filled.
        """
        self._prefix = prefix
        self._rename = rename
        self.named = named_tensors(module, prefix, rename)
        self.module = unwrapped(module)
        self._were_empty = {each.name for each in self.named if each.tensor.is_meta}
        self.tracked: list[Tracked] = []

    @contextmanager
    def with_memory(self, device: torch.device | str | None) -> Iterator[None]:
        """Give memory to what is on the meta device; without content, it goes back there."""
        if self._were_empty:
            materialize(self.module, device)
            # Materializing makes new tensors; what is known about their names is the same.
            self.named = named_tensors(self.module, self._prefix, self._rename)
        try:
            yield
        except BaseException:
            # A tensor that has memory seems to have content, too.
            names = self._torchs_names()
            # Torch cannot where something, such as the error, still has a part of a DTensor.
            with suppress(RuntimeError):
                back_to_meta(self.module, {names[name] for name in self._were_empty & set(names)})
            raise

    def recording(self, seed: int, draw: int, fetching: Fetching | None) -> Recording:
        """Return the recording of a block that has all these tensors."""
        self.tracked = [track(each.name, each.kind, each.tensor) for each in self.named]
        return Recording(
            TrackedTensors(self.tracked),
            Temporaries(self.module_names()),
            seed=seed,
            draw=draw,
            fetching=fetching,
            new=self._new,
        )

    def module_names(self) -> dict[int, str]:
        """Return the names of the modules, by their ids."""
        return module_names(self.module, self._prefix, self._rename)

    def aliases(self) -> list[str]:
        """Return the further names of tensors that have several."""
        first = {each.name for each in self.named}
        return [name for name in self._torchs_names() if name not in first]

    def was_empty(self, name: str) -> bool:
        """Return whether a tensor was on the meta device."""
        return name in self._were_empty

    def has_content(self, named: NamedTensor) -> bool:
        """Return whether a tensor came with content that stays."""
        return named.name not in self._were_empty and named.has_content

    def adopt(self, recording: Recording) -> None:
        """Take over the tensors that the code has put in the place of others."""
        named = named_tensors(self.module, self._prefix, self._rename)
        adopted = []
        for each in named:
            found = recording.tensors.find(each.tensor)
            if found is not None and found.is_all and found.tracked.name == each.name:
                adopted.append(found.tracked)
            else:
                adopted.append(self._adopted(each, recording))
        self.named, self.tracked = named, adopted

    def untouched(self, *, keeps_content: bool = False) -> Iterator[NamedTensor]:
        """Yield the tensors that nothing has filled, and that cannot stay as they are.

        Args:
            keeps_content: whether those can that held something before.
        """
        for each, tracked in zip(self.named, self.tracked, strict=True):
            is_empty = each.tensor.is_meta or each.name in self._were_empty
            may_stay = keeps_content or each.kind == "buffer" or self.has_content(each)
            stays = not is_empty and (tracked.is_kept or may_stay)
            if not stays and not tracked.is_written:
                yield each

    def _torchs_names(self) -> dict[str, str]:
        """Return what torch calls the tensors, by all their names here."""
        renamed = renaming(self._rename)
        pairs = itertools.chain(
            self.module.named_parameters(remove_duplicate=False),
            self.module.named_buffers(remove_duplicate=False),
        )
        return {renamed(self._prefix + plain_name(name)): name for name, _ in pairs}

    def _new(self, parameter: nn.Parameter) -> Tracked | None:
        """Return a parameter that has come into the module, as by to_empty(), or None."""
        pairs = self.module.named_parameters()
        path = next((path for path, each in pairs if each is parameter), None)
        if path is None:
            return None
        name = renaming(self._rename)(self._prefix + plain_name(path))
        tracked = track(name, "parameter", parameter)
        for earlier in self.tracked:
            if earlier.name == name:
                tracked.is_kept, tracked.followers = earlier.is_kept, earlier.followers
        return tracked

    def _adopted(self, named: NamedTensor, recording: Recording) -> Tracked:
        """Return a tensor that the code has made, with what it was to be filled with."""
        tracked = track(named.name, named.kind, named.tensor)
        if named.tensor.is_meta:
            return tracked
        earlier = recording.tensors.find(named.tensor)
        if earlier is not None:
            # What it shows had another name, and got its content under that.
            recording.settle_memory([named.tensor])
            if not earlier.is_all or earlier.tracked.is_written:
                tracked.wrote(whole_layout(tracked.shape))
            return tracked
        pending = recording.temporaries.find(named.tensor)
        fills = [fill for temporary in pending for fill in temporary.fills]
        same = [fill for fill in fills if fill.tensor.shape == named.tensor.shape]
        recording.temporaries.forget(named.tensor)
        if len(fills) == len(same) == 1:
            recording.fill_whole(tracked, Filling(same[0].spec.initializer, same[0].spec.fan_axes))
        else:
            recording.settle(pending)
            tracked.wrote(whole_layout(tracked.shape))
        return tracked
