"""What code does to the tensors of a module: recorded, fetched together, done as late as it can be.

A fill waits until something reads the tensor, or until the block ends; what replaces it meanwhile
replaces it unfetched.
"""

import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import nn

from seedbed.client import Client
from seedbed.rules import Filling
from seedbed.spec.errors import InvalidArgumentError, bad_value
from seedbed.spec.initializers import InitializerSpec
from seedbed.spec.tensors import TensorSpec
from seedbed.torch.axes import LAYOUT, on_the_wire
from seedbed.torch.fills import Destination, fill_all
from seedbed.torch.initializing.distributions import is_by_element, without_fans
from seedbed.torch.initializing.temporaries import Temporaries
from seedbed.torch.initializing.tracked import Found, Tracked, TrackedTensors, local_of
from seedbed.torch.layout import Layout, whole_layout
from seedbed.torch.views import Geometry, geometry_of


@dataclass(frozen=True, slots=True)
class Fetching:
    """Who samples, and how."""

    client: Client
    """The client."""
    local: bool = False
    """Sample in this process, and compare with the server's digests."""
    progress: bool = False
    """Show a progress bar on standard error."""
    remaining: Callable[[], float | None] = lambda: None
    """How many seconds are left."""


class Recording:
    """The state of one block."""

    def __init__(
        self,
        tensors: TrackedTensors,
        temporaries: Temporaries,
        *,
        seed: int,
        draw: int,
        fetching: Fetching | None,
        new: Callable[[nn.Parameter], Tracked | None] = lambda _: None,
    ) -> None:
        """Start one.

        Args:
            tensors: the module's.
            temporaries: those that its code makes.
            seed: of all fills.
            draw: the n-th use of the seed.
            fetching: who samples; None is nobody: nothing is fetched.
            new: tracks a parameter that has come into the module since, if it has.
        """
        self.tensors = tensors
        self.temporaries = temporaries
        self.seed = seed
        self.draw = draw
        self.fetching = fetching
        self.is_settling = False
        self.has_ended = False
        self._new = new

    def find(self, tensor: torch.Tensor) -> Found | None:
        """Return the tracked tensor that another one shows, or None.

        A parameter that has come into the module since is tracked from now on.
        """
        found = self.tensors.find(tensor)
        if found is None and isinstance(tensor, nn.Parameter) and not tensor.is_meta:
            tracked = self._new(tensor)
            if tracked is not None:
                self.settle_memory([tensor])
                self.tensors.add(tracked)
                found = self.tensors.find(tensor)
        return found

    def fill(self, tensor: torch.Tensor, initializer: InitializerSpec) -> None:
        """Fill a tensor, or a view of one, as soon as that matters.

        Raises:
            InvalidArgumentError: if the initializer cannot fill it; names the tensor.
        """
        found = self.find(tensor)
        if found is None:
            self._fill_temporary(tensor, initializer)
        elif self.is_kept(found.tracked):
            _warn_of_parametrized(found.tracked, initializer)
        elif found.tracked.layout is not None and tensor.numel():
            self._fill_tracked(tensor, initializer, found)

    def is_kept(self, tracked: Tracked) -> bool:
        """Return whether what the running code does to a tensor has no effect."""
        if tracked.is_kept or not tracked.followers:
            return tracked.is_kept
        return self.temporaries.running_module() in tracked.followers

    def fill_whole(self, tracked: Tracked, filling: Filling) -> None:
        """Fill all of a tracked tensor, whatever was to be done to it."""
        shape, filling = on_the_wire(tracked.shape, filling.in_layout(LAYOUT))
        spec = self._spec(tracked, tracked.name, shape, filling)
        whole = whole_layout(tracked.shape)
        tracked.drop(whole)
        tracked.wrote(whole, spec)
        tracked.fills.append(Destination(tracked.tensor, spec))

    def repeat(
        self, found: Found, view: Geometry, initializer: InitializerSpec, temporary: Tracked
    ) -> None:
        """Fill a temporary with what a fill gives a tracked tensor, or a part of one.

        Args:
            found: the tracked tensor and the part.
            view: how the part lies in the tensor's memory.
            initializer: of the fill; one by element, if it is a part.
            temporary: in the shape of the view.
        """
        tracked, part = found.tracked, found.part
        if found.is_all or part is None:
            shape, filling = on_the_wire(tracked.shape, Filling(initializer).in_layout(LAYOUT))
            spec = self._spec(temporary, tracked.name, shape, filling)
            self._fetch([Destination(temporary.tensor, spec)])
            return
        whole = tracked.geometry(is_twin=tracked.twin is not None)
        like = torch.empty_strided(whole.shape, whole.strides, dtype=tracked.tensor.dtype)
        fill = self._fill_of_part(tracked, without_fans(initializer, view.shape), part)
        self._fetch([replace(fill, tensor=like)])
        here = like.as_strided(view.shape, view.strides, view.offset - whole.offset)
        temporary.tensor.copy_(here)

    def settle(self, tensors: Iterable[Tracked]) -> None:
        """Do all that is still to be done to some tensors."""
        pending = [tracked for tracked in dict.fromkeys(tensors) if tracked.is_pending]
        fills = [fill for tracked in pending for fill in tracked.fills]
        later = [do for tracked in pending for do in tracked.later]
        for tracked in pending:
            tracked.fills, tracked.later = [], []
        self.is_settling = True
        try:
            self._fetch(fills)
            for do in later:
                do()
        finally:
            self.is_settling = False

    def settle_memory(self, tensors: Iterable[torch.Tensor]) -> None:
        """Do all that is still to be done in the memory of some tensors."""
        tensors = list(tensors)
        self.settle(self.behind(tensors))
        for tensor in tensors:
            self.temporaries.forget(tensor)

    def _fetch(self, fills: Sequence[Destination]) -> None:
        if fills and self.fetching is not None:
            fill_all(
                fills,
                self.fetching.client,
                local=self.fetching.local,
                progress=self.fetching.progress,
                timeout_seconds=self.fetching.remaining(),
            )

    def behind(self, tensors: Iterable[torch.Tensor]) -> list[Tracked]:
        """Return the tracked tensors and temporaries in the memory of others."""
        found: list[Tracked] = []
        for tensor in tensors:
            found += self.tensors.behind(tensor) or self.temporaries.find(tensor)
        return found

    def _fill_tracked(
        self, tensor: torch.Tensor, initializer: InitializerSpec, found: Found
    ) -> None:
        tracked, part = found.tracked, found.part
        if part is None:
            allowed = "filled whole, or as a slice, a transpose or a reshape of it"
            raise bad_value(tracked.name, allowed, tuple(tensor.shape))
        if found.is_all:
            self.fill_whole(tracked, Filling(initializer))
            return
        tracked.drop(part)
        if tracked.later:
            self.settle([tracked])
        fill = (
            self._fill_of_part(tracked, without_fans(initializer, tuple(tensor.shape)), part)
            if is_by_element(initializer)
            else self._fill_of_view(tracked, tensor, initializer, part)
        )
        tracked.wrote(part)
        tracked.add(fill)

    def _fill_of_part(
        self, tracked: Tracked, initializer: InitializerSpec, part: Layout
    ) -> Destination:
        """Return the fill of a part by the elements' places in the whole."""
        spec = self._spec(tracked, tracked.name, tracked.shape, Filling(initializer))
        return Destination(tracked.tensor, spec, part=part)

    def _fill_of_view(
        self, tracked: Tracked, tensor: torch.Tensor, initializer: InitializerSpec, part: Layout
    ) -> Destination:
        """Return the fill of a view that is a matrix of its own, such as an orthogonal one."""
        if tracked.layout is None or not tracked.layout.is_whole:
            allowed = "filled whole where it is sharded: its rows and columns belong together"
            raise bad_value(tracked.name, allowed, f"{initializer.name()} of a part of it")
        shape, filling = on_the_wire(tuple(tensor.shape), Filling(initializer).in_layout(LAYOUT))
        place = ",".join(
            "+".join(f"{start}:{start + length}" for start, length in axis.pairs)
            for axis in part.axes
        )
        if tensor.is_meta:
            here = geometry_of(tensor)
            tensor = local_of(tracked).as_strided(here.shape, here.strides, here.offset)
        return Destination(tensor, self._spec(tracked, f"{tracked.name}[{place}]", shape, filling))

    def _fill_temporary(self, tensor: torch.Tensor, initializer: InitializerSpec) -> None:
        if tensor.is_meta or not tensor.numel():
            return
        self.settle_memory([tensor])
        tracked = self.temporaries.add(tensor)
        self.fill_whole(tracked, Filling(initializer))

    def _spec(
        self, tracked: Tracked, name: str, shape: tuple[int, ...], filling: Filling
    ) -> TensorSpec:
        try:
            return TensorSpec(name, shape, tracked.tensor.dtype, filling, self.seed, self.draw)
        except InvalidArgumentError as error:
            raise error.within(name) from None


def _warn_of_parametrized(tracked: Tracked, initializer: InitializerSpec) -> None:
    """Warn of a fill that torch would forget; a layer may repeat what it has."""
    if tracked.kind == "parametrized" and tracked.spec and tracked.spec.initializer != initializer:
        warnings.warn(
            f"{tracked.name} is parametrized, so that torch forgets what is written to it, and so "
            "does seedbed: fill what it is computed from",
            stacklevel=2,
        )
