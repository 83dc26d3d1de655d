"""Tensors whose content a block of ``initializing`` decides, found by their memory."""

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

import torch

from seedbed.spec.errors import bad_value
from seedbed.spec.tensors import TensorSpec
from seedbed.torch.dtensors import is_dtensor, layout_of
from seedbed.torch.fills import Destination
from seedbed.torch.layout import Layout, are_all, whole_layout
from seedbed.torch.runs import all_of, runs
from seedbed.torch.views import Geometry, geometry_of, shown_axes, span_of

Kind = Literal["parameter", "buffer", "parametrized", "temporary"]


@dataclass(slots=True, eq=False)
class Tracked:
    """One tensor, and what has been done to it."""

    name: str
    """What its numbers follow from."""
    kind: Kind
    """A tensor of the module; or what parametrizations compute; or one that its code makes."""
    tensor: torch.Tensor
    """The tensor or DTensor, with memory."""
    layout: Layout | None
    """What this process holds of it; None if it is not on the tensor's mesh."""
    is_kept: bool = False
    """Whether it stays as it is, whatever the code does to it."""
    followers: set[str] = field(default_factory=set)
    """The names of modules that share it, and whose code does not decide it."""
    is_derived: bool = False
    """Whether its content will follow from another tensor's, unless something else fills it."""
    written: list[Layout] = field(default_factory=list)
    """The parts that have got content."""
    fills: list[Destination] = field(default_factory=list)
    """What is still to be fetched, in this order."""
    later: list[Callable[[], object]] = field(default_factory=list)
    """What is to be done to it after that."""
    spec: TensorSpec | None = None
    """All of its content, where that is one fill."""
    changes: int = 0
    """How often something has changed it, or is to."""
    is_patched: bool = False
    """Whether constants have come into parts of that since, such as a padding row."""
    twin: torch.Tensor | None = None
    """A plain tensor without memory in a DTensor's place, whose views tell parts of it."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The whole tensor's shape."""
        return tuple(self.tensor.shape)

    def geometry(self, *, is_twin: bool = False) -> Geometry:
        """Return where its elements lie in this process's memory, or in that of its twin."""
        if is_twin and self.twin is not None:
            return geometry_of(self.twin)
        local = self.tensor
        return geometry_of(local._local_tensor if is_dtensor(local) else local)  # noqa: SLF001

    @property
    def is_pending(self) -> bool:
        """Whether its content is still to come."""
        return bool(self.fills or self.later)

    @property
    def is_written(self) -> bool:
        """Whether all of it has got content, or will have."""
        return self.is_derived or are_all(self.written, self.shape)

    def wrote(self, part: Layout, spec: TensorSpec | None = None) -> None:
        """Note that a part has new content, and of which one fill all of it is, if it is."""
        self.spec = spec if part.is_whole else None
        self.is_patched = False
        self._note(part)

    def patched(self, part: Layout) -> None:
        """Note that a part has become constant."""
        self.is_patched = True
        self._note(part)

    def changed(self) -> None:
        """Note that it has been computed from itself."""
        self.spec = None
        self.changes += 1

    def _note(self, part: Layout) -> None:
        self.changes += 1
        if part.is_whole:
            self.written = [part]
        elif not any(earlier.covers(part) for earlier in self.written):
            self.written.append(part)

    def drop(self, part: Layout) -> None:
        """Forget what was to be done to a part that gets other content."""
        if part.is_whole:
            self.later.clear()
        self.fills = [each for each in self.fills if not (each.part and part.covers(each.part))]
        if part.is_whole:
            self.fills.clear()

    def add(self, fill: Destination) -> None:
        """Add a fill to those that are still to be fetched; with the one before it if they join."""
        if self.fills and (joined := _joined(self.fills[-1], fill)) is not None:
            self.fills[-1] = joined
        else:
            self.fills.append(fill)


@dataclass(frozen=True, slots=True)
class Found:
    """A tracked tensor, and how much of it another tensor is."""

    tracked: Tracked
    """The tracked tensor."""
    part: Layout | None
    """The part of the whole tensor that the other one shows; None if it is not made of runs."""
    is_all: bool
    """Whether it shows all, in the same order and shape."""


class TrackedTensors:
    """Tracked tensors by their memory."""

    def __init__(self, tensors: Iterable[Tracked]) -> None:
        self._by_storage: dict[int, list[Tracked]] = {}
        # As long as a tensor shows a storage, no other one can get its key.
        self._shown: list[torch.Tensor] = []
        for tracked in tensors:
            self.add(tracked)

    def __iter__(self) -> Any:
        """Iterate over the tensors, each once."""
        return iter(dict.fromkeys(itertools.chain.from_iterable(self._by_storage.values())))

    def add(self, tracked: Tracked) -> None:
        """Find a tensor by the memory that it is in now, too."""
        self._add(tracked, tracked.tensor)

    def twin_of(self, tensor: torch.Tensor) -> torch.Tensor | None:
        """Return the twin of a DTensor that is tracked."""
        found = self.find(tensor) if is_dtensor(tensor) else None
        if found is None or not found.is_all:
            return None
        tracked = found.tracked
        if tracked.twin is None:
            tracked.twin = torch.empty(tracked.shape, dtype=tensor.dtype, device="meta")
            self._add(tracked, tracked.twin)
        return tracked.twin

    def find(self, tensor: torch.Tensor) -> Found | None:
        """Return the tracked tensor that another one shows, or None; of several, all it shows."""
        tracked = next(iter(self.behind(tensor)), None)
        if tracked is None:
            return None
        if is_dtensor(tensor):
            is_all = tuple(tensor.shape) == tracked.shape
            return Found(tracked, whole_layout(tracked.shape) if is_all else None, is_all)
        if tensor.dtype != tracked.tensor.dtype:
            return Found(tracked, None, is_all=False)
        is_twin = tensor.is_meta and tracked.twin is not None
        return _found(tracked, geometry_of(tensor), is_twin=is_twin)

    def behind(self, tensor: torch.Tensor) -> list[Tracked]:
        """Return the tracked tensors in the memory that another one shows."""
        key = storage_key(tensor) if self._by_storage else None
        several = [] if key is None else self._by_storage.get(key, [])
        several = [each for each in several if key in _keys(each)]
        if len(several) < 2 or is_dtensor(tensor):
            return several
        # Such as the weights of an LSTM on a GPU, which are parts of one buffer.
        shown = span_of(geometry_of(tensor))
        return [each for each in several if _overlap(shown, span_of(each.geometry()))]

    def _add(self, tracked: Tracked, tensor: torch.Tensor) -> None:
        key = storage_key(tensor)
        if key is not None and tracked not in self._by_storage.setdefault(key, []):
            self._by_storage[key].append(tracked)
            self._shown.append(tensor.detach())


def track(name: str, kind: Kind, tensor: torch.Tensor, **state: Any) -> Tracked:
    """Return a tracked tensor."""
    return Tracked(name, kind, tensor, layout_of(tensor), **state)


def storage_key(tensor: torch.Tensor) -> int | None:
    """Return what tells a tensor's memory from others while it lives; of a DTensor, its shard's."""
    # To the modes of a block, asking for a storage is a way out of torch.
    with torch._C.DisableTorchFunction():  # noqa: SLF001
        local = tensor._local_tensor if is_dtensor(tensor) else tensor  # noqa: SLF001
        if local.layout is not torch.strided:
            return None
        # Not the address, which all empty ones share.
        return int(local.untyped_storage()._cdata)  # noqa: SLF001


def is_unseen(tensor: torch.Tensor) -> bool:
    """Return whether no other tensor shows a tensor's memory."""
    key = storage_key(tensor)
    # Asking makes a reference, too.
    return key is not None and torch._C._storage_Use_Count(key) <= 2  # noqa: SLF001


def elsewhere(tracked: Tracked, received: str) -> Exception:
    """Return the error that a part of a sharded tensor is wanted where it may not be."""
    allowed = "read as a whole where it is sharded, as a part of it may be elsewhere"
    return bad_value(tracked.name, allowed, received)


def local_of(tracked: Tracked) -> torch.Tensor:
    """Return the memory of this process."""
    tensor = tracked.tensor
    local: torch.Tensor = tensor._local_tensor if is_dtensor(tensor) else tensor  # noqa: SLF001
    return local.detach()


def _keys(tracked: Tracked) -> set[int | None]:
    twin = None if tracked.twin is None else storage_key(tracked.twin)
    return {storage_key(tracked.tensor), twin}


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _found(tracked: Tracked, view: Geometry, *, is_twin: bool) -> Found:
    whole = tracked.geometry(is_twin=is_twin)
    held = whole_layout(tracked.shape) if is_twin else tracked.layout
    if held is None or 0 in view.shape:
        return Found(tracked, None, is_all=False)
    is_all = view == whole and held.is_whole
    axes = tuple(map(all_of, whole.shape)) if view == whole else shown_axes(view, whole)
    if axes is None:
        return Found(tracked, None, is_all=False)
    shown = (mine.of(here) for mine, here in zip(held.axes, axes, strict=True))
    return Found(tracked, Layout(held.shape, tuple(shown)), is_all)


def _joined(first: Destination, second: Destination) -> Destination | None:
    """Return two fills of the same numbers as one, if their parts differ on one axis only."""
    if first.part is None or second.part is None or first.spec != second.spec:
        return None
    pairs = list(zip(first.part.axes, second.part.axes, strict=True))
    different = [axis for axis, (one, other) in enumerate(pairs) if one != other]
    if len(different) != 1:
        return None
    (axis,) = different
    axes = list(first.part.axes)
    axes[axis] = runs(_union((*pairs[axis][0].pairs, *pairs[axis][1].pairs)))
    return Destination(first.tensor, first.spec, part=Layout(first.part.shape, tuple(axes)))


def _union(pairs: Iterable[tuple[int, int]]) -> Iterable[tuple[int, int]]:
    end = 0
    for start, length in sorted(pairs):
        first = max(start, end)
        end = max(end, start + length)
        yield first, end - first
