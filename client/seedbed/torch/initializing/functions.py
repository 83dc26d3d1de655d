"""Torch's functions while a block runs: what is known before it falls apart into operations.

An ``orthogonal_`` is one fill, not a normal one and a factorization; a slice of a DTensor is a part
of it, not a copy; and what leaves torch must be there.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from seedbed.spec.errors import bad_value
from seedbed.torch import initializers
from seedbed.torch.dtensors import is_dtensor
from seedbed.torch.initializing.recording import Recording
from seedbed.torch.initializing.tracked import storage_key

Function = Callable[..., Any]

_INITS = (
    "dirac_",
    "eye_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "orthogonal_",
    "sparse_",
    "trunc_normal_",
    "xavier_normal_",
    "xavier_uniform_",
)

OURS: dict[Function, Function] = {
    getattr(torch.nn.init, name): getattr(initializers, name) for name in _INITS
}
"""The functions of torch.nn.init that are more than one operation, and ours."""

# Views, among torch's functions that can be one.
_VIEWS: set[Any] = {
    getattr(owner, name)
    for owner in (torch, torch.Tensor)
    for name in (
        "__getitem__",
        "chunk",
        "flatten",
        "movedim",
        "narrow",
        "permute",
        "reshape",
        "select",
        "split",
        "squeeze",
        "swapaxes",
        "swapdims",
        "t",
        "tensor_split",
        "transpose",
        "unbind",
        "unflatten",
        "unsqueeze",
        "view",
        "view_as",
    )
    if hasattr(owner, name)
} | {torch.Tensor.T.__get__, torch.Tensor.mT.__get__}

# They lead out of torch, and past its operations: to read, or also to write.
_READING_EXITS: set[Any] = {
    torch.Tensor.__format__,
    torch.Tensor.__reduce_ex__,
    torch.Tensor.__repr__,
    torch.Tensor.data_ptr,
    torch.Tensor.share_memory_,
    torch.Tensor.storage,
    torch.Tensor.tolist,
    torch.Tensor.untyped_storage,
}
_WRITING_EXITS: set[Any] = {
    torch.Tensor.__array__,
    torch.Tensor.__dlpack__,
    torch.Tensor.apply_,
    torch.Tensor.map2_,
    torch.Tensor.map_,
    torch.Tensor.numpy,
}


class Functions(TorchFunctionMode):  # type: ignore[misc]  # torch is not installed where types are checked
    """Follows the functions of a block."""

    def __init__(self, recording: Recording) -> None:
        super().__init__()
        self._recording = recording

    def __torch_function__(
        self,
        func: Any,
        types: Any,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call one function, or what is to be called in its place."""
        kwargs = kwargs or {}
        if self._recording.has_ended:
            return func(*args, **kwargs)
        if func in OURS:
            return OURS[func](*args, **kwargs)
        if func in _READING_EXITS or func in _WRITING_EXITS:
            self._recording.settle_memory(args[:1])
            if func in _WRITING_EXITS:
                for tracked in self._recording.behind(args[:1]):
                    tracked.changed()
        # Torch makes this function anew for each question.
        elif func == torch.Tensor.data.__set__:
            return self._set_data(args[0], args[1])
        elif func in _VIEWS and args and is_dtensor(args[0]):
            twin = self._recording.tensors.twin_of(args[0])
            if twin is not None:
                return func(twin, *args[1:], **kwargs)
        elif func is torch.Tensor.__setitem__ and is_dtensor(args[0]):
            twin = self._recording.tensors.twin_of(args[0])
            if twin is not None:
                return _set_item(twin, args[1], args[2])
        return func(*args, **kwargs)

    def _set_data(self, tensor: torch.Tensor, data: torch.Tensor) -> None:
        found = self._recording.tensors.find(tensor)
        if found is not None and self._recording.is_kept(found.tracked):
            return
        if is_dtensor(tensor) and not is_dtensor(data):
            tensor.copy_(data)
            return
        if storage_key(data) != storage_key(tensor):
            # What another one shows of the memory that it had must not get lost.
            self._recording.settle_memory([tensor])
        tensor.data = data


def _set_item(twin: torch.Tensor, index: Any, value: Any) -> None:
    part = twin[index]
    if storage_key(part) != storage_key(twin):
        allowed = "numbers and slices where a tensor is sharded, as for torch"
        raise bad_value("index", allowed, str(index))
    if isinstance(value, torch.Tensor):
        part.copy_(value)
    else:
        part.fill_(value)
