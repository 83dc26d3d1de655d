"""Torch's functions while a block runs: what is known before it falls apart into operations.

An ``orthogonal_`` is one fill, not a normal one and a factorization; a slice of a DTensor is a part
of it, not a copy; and what leaves torch must be there.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from seedbed.torch import initializers
from seedbed.torch.dtensors import is_dtensor
from seedbed.torch.initializing.recording import Recording

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

# They lead out of torch, and past its operations.
_EXITS: set[Any] = {
    torch.Tensor.__array__,
    torch.Tensor.__dlpack__,
    torch.Tensor.__reduce_ex__,
    torch.Tensor.data_ptr,
    torch.Tensor.numpy,
    torch.Tensor.share_memory_,
    torch.Tensor.storage,
    torch.Tensor.tolist,
    torch.Tensor.untyped_storage,
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
        if func in OURS:
            return OURS[func](*args, **kwargs)
        if func in _EXITS:
            self._recording.settle_memory(args[:1])
        elif func is torch.Tensor.data.__set__:
            return self._set_data(args[0], args[1])
        elif func in _VIEWS and args and is_dtensor(args[0]):
            twin = self._recording.tensors.twin_of(args[0])
            if twin is not None:
                return func(twin, *args[1:], **kwargs)
        return func(*args, **kwargs)

    def _set_data(self, tensor: torch.Tensor, data: torch.Tensor) -> None:
        found = self._recording.tensors.find(tensor)
        if found is None or not found.is_all:
            tensor.data = data
        elif not found.tracked.is_kept:
            # Its name stays, whatever memory it is in: so this is a copy to it.
            with torch.no_grad():
                tensor.copy_(data)
