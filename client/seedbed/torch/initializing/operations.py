"""Torch's operations while a block runs: random ones are answered, and the others kept in order.

The mode sees every operation that reaches a kernel, whatever Python or C++ it comes from. So one
that draws random numbers and is not answered here is an error, never a silent difference.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from seedbed.spec.errors import bad_value
from seedbed.spec.initializers import (
    ConstantSpec,
    InitializerSpec,
    OnesSpec,
    RandomNormalSpec,
    RandomUniformSpec,
    ZerosSpec,
)
from seedbed.spec.tensors import TensorSpec
from seedbed.torch.initializing.copies import copy
from seedbed.torch.initializing.recording import Recording
from seedbed.torch.initializing.tracked import Found, Tracked, elsewhere, local_of

aten = torch.ops.aten


class Operations(TorchDispatchMode):  # type: ignore[misc]  # torch is not installed where types are checked
    """Follows the operations of a block."""

    def __init__(self, recording: Recording) -> None:
        super().__init__()
        self._recording = recording

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run one operation, or do in its place what it should."""
        operation = Operation(func, args, kwargs or {})
        if self._recording.has_ended:
            return operation()
        # What is done here is not the module's code.
        with torch._C.DisableTorchFunction():  # noqa: SLF001
            if self._recording.is_settling or func.is_view or func.overloadpacket in _SHAPES:
                return operation()
            answer = _ANSWERS.get(func)
            if answer is not None:
                return answer(self._recording, operation)
            if torch.Tag.nondeterministic_seeded in func.tags:
                _refuse(self._recording, operation)
            return _run(self._recording, operation)


class Operation:
    """An operation with its arguments."""

    def __init__(self, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        self.func = func
        self.args = args
        self.kwargs = kwargs

    def __call__(self) -> Any:
        """Run it."""
        return self.func(*self.args, **self.kwargs)

    def given(self) -> dict[str, Any]:
        """Return all arguments by their names, with those that stand at their defaults."""
        arguments = self.func._schema.arguments  # noqa: SLF001  # what torch's own tools read
        values = {each.name: each.default_value for each in arguments}
        names = [each.name for each in arguments]
        return {**values, **dict(zip(names, self.args, strict=False)), **self.kwargs}

    def tensors(self) -> list[torch.Tensor]:
        """Return the tensors among the arguments."""
        return _tensors((self.args, self.kwargs))

    def changed(self) -> list[torch.Tensor]:
        """Return the tensors that it writes to."""
        given = self.given()
        return _tensors(
            [
                given[argument.name]
                for argument in self.func._schema.arguments  # noqa: SLF001
                if argument.alias_info is not None and argument.alias_info.is_write
            ]
        )


def _normal_(recording: Recording, operation: Operation) -> Any:
    given = operation.given()
    recording.fill(given["self"], RandomNormalSpec(given["mean"], given["std"]))
    return given["self"]


def _uniform_(recording: Recording, operation: Operation) -> Any:
    given = operation.given()
    recording.fill(given["self"], RandomUniformSpec(given["from"], given["to"]))
    return given["self"]


def _made(initializer: InitializerSpec, empty: Any) -> Callable[[Recording, Operation], Any]:
    """Return the answer to an operation that makes a tensor as ``empty`` does, and fills it."""

    def answer(recording: Recording, operation: Operation) -> Any:
        options = {name: value for name, value in operation.kwargs.items() if name != "generator"}
        out = options.pop("out", None)
        (like,) = operation.args
        if out is None:
            out = empty(like, **options)
        else:
            out.resize_(like.shape if isinstance(like, torch.Tensor) else like)
        recording.fill(out, initializer)
        return out

    return answer


def _normal(recording: Recording, operation: Operation) -> Any:
    """Answer ``torch.normal``, whose means and deviations may be tensors."""
    given = operation.given()
    mean, std = given["mean"], given["std"]
    out = given.get("out")
    if (size := given.get("size")) is not None:
        options = {name: given.get(name) for name in ("dtype", "layout", "device", "pin_memory")}
        result = aten.empty.memory_format(size, **options) if out is None else out.resize_(size)
        recording.fill(result, RandomNormalSpec(mean, std))
        return result
    recording.settle_memory(_tensors((mean, std)))
    likes = [value for value in (mean, std) if isinstance(value, torch.Tensor)]
    result = torch.empty_like(torch.broadcast_tensors(*likes)[0]).contiguous()
    recording.fill(result, RandomNormalSpec(0.0, 1.0))
    recording.settle_memory([result])
    result.mul_(std).add_(mean)
    if out is None:
        return result
    return _copy_(recording, Operation(aten.copy_.default, (out.resize_(result.shape), result), {}))


def _zero_(recording: Recording, operation: Operation) -> Any:
    return _constant(recording, operation, 0)


def _fill_(recording: Recording, operation: Operation) -> Any:
    value = operation.args[1]
    if isinstance(value, torch.Tensor):
        recording.settle_memory([value])
        value = value.item()
    return _constant(recording, operation, value)


def _constant(recording: Recording, operation: Operation, value: Any) -> Any:
    tensor = operation.args[0]
    found = recording.find(tensor)
    if found is not None and not tensor.numel():
        return tensor
    if found is None or found.part is None:
        return _run(recording, operation)
    tracked, part = found.tracked, found.part
    if not recording.is_kept(tracked):
        tracked.drop(part)
        tracked.later.append(partial(_in_place, found, operation))
        if part.is_whole:
            tracked.wrote(part, _spec_of_constant(recording, tracked, value))
        else:
            tracked.patched(part)
    return tensor


def _spec_of_constant(recording: Recording, tracked: Tracked, value: Any) -> TensorSpec | None:
    if str(value) == "-0.0":  # no initializer gives that
        return None
    try:
        initializer = {0: ZerosSpec(), 1: OnesSpec()}.get(value) or ConstantSpec(value)
        return TensorSpec(
            tracked.name,
            tracked.shape,
            tracked.tensor.dtype,
            initializer,
            recording.seed,
            recording.draw,
        )
    except (TypeError, ValueError):  # a number or a dtype that seedbed does not have
        return None


def _copy_(recording: Recording, operation: Operation) -> Any:
    found = recording.find(operation.args[0])
    if found is not None and not operation.args[0].numel():
        return operation.args[0]
    if found is None or found.part is None:
        return _run(recording, operation)
    if not recording.is_kept(found.tracked):
        copy(recording, found, operation.args[0], operation.args[1], operation)
    return operation.args[0]


def _run(recording: Recording, operation: Operation) -> Any:
    """Run any other operation, after all that its tensors still wait for."""
    tensors = operation.tensors()
    if not recording.behind(tensors):
        return operation()
    if torch.Tag.inplace_view in operation.func.tags:
        # It changes what the tensor shows, and nothing in its memory.
        recording.settle_memory(tensors)
        return operation()
    changed = operation.changed()
    founds = [found for each in changed if (found := recording.tensors.find(each)) is not None]
    if any(recording.is_kept(found.tracked) for found in founds):
        return changed[0] if len(changed) == 1 else tuple(changed)
    for found in founds:
        found.tracked.changed()
    is_alone = len(tensors) == len(founds) == len(recording.behind(tensors)) == 1
    if is_alone and operation.args and operation.args[0] is changed[0]:
        # Nothing but this tensor matters, so this can wait with it.
        founds[0].tracked.later.append(partial(_in_place, founds[0], operation))
        return changed[0]
    recording.settle_memory(tensors)
    _check_twins(recording, operation, tensors)
    result = operation()
    if operation.func._overloadname.endswith("out"):  # noqa: SLF001
        for found in founds:
            if found.part is not None:
                found.tracked.wrote(found.part)
    return result


def _in_place(found: Found, operation: Operation) -> None:
    """Run an operation that changes its first argument alone."""
    tracked, tensor = found.tracked, operation.args[0]
    with torch.no_grad():
        if not (tensor.is_meta and tracked.twin is not None):
            operation()
            return
        pointwise = (torch.Tag.pointwise in operation.func.tags) or operation.func in _ANSWERS
        if found.part is None or not pointwise:
            raise elsewhere(tracked, f"{operation.func} of {tuple(tensor.shape)}")
        if tracked.layout is not None:
            for rectangle in tracked.layout.rectangles(found.part):
                here = local_of(tracked)[rectangle.place]
                operation.func(here, *operation.args[1:], **operation.kwargs)


def _check_twins(
    recording: Recording, operation: Operation, tensors: Sequence[torch.Tensor]
) -> None:
    for tensor in tensors:
        found = recording.tensors.find(tensor) if tensor.is_meta else None
        if found is not None and found.tracked.twin is not None:
            raise elsewhere(found.tracked, f"{operation.func} of {tuple(tensor.shape)}")


def _refuse(recording: Recording, operation: Operation) -> None:
    device = operation.kwargs.get("device")
    is_meta = device is not None and torch.device(device).type == "meta"
    if not is_meta and not any(tensor.is_meta for tensor in operation.tensors()):
        raise bad_value(
            "operation",
            "one whose numbers seedbed has: uniform, normal and truncated normal ones, "
            "and what is computed from them",
            f"{operation.func}, drawn by {recording.temporaries.running_module() or 'the model'}",
        )


def _tensors(values: Any) -> list[torch.Tensor]:
    return [value for value in tree_leaves(values) if isinstance(value, torch.Tensor)]


# They ask a tensor for its shape and dtype, not for its content.
_SHAPES = {
    aten.empty_like,
    aten.full_like,
    aten.new_empty,
    aten.new_empty_strided,
    aten.new_full,
    aten.new_ones,
    aten.new_zeros,
    aten.ones_like,
    aten.zeros_like,
}

_STANDARD_NORMAL, _UNIT_UNIFORM = RandomNormalSpec(0.0, 1.0), RandomUniformSpec(0.0, 1.0)

_ANSWERS: dict[Any, Callable[[Recording, Operation], Any]] = {
    aten.normal_.default: _normal_,
    aten.uniform_.default: _uniform_,
    aten.zero_.default: _zero_,
    aten.fill_.Scalar: _fill_,
    aten.fill_.Tensor: _fill_,
    aten.copy_.default: _copy_,
    **{
        getattr(packet, overload): _made(initializer, empty)
        for packet, initializer, empty in (
            (aten.randn, _STANDARD_NORMAL, aten.empty.memory_format),
            (aten.rand, _UNIT_UNIFORM, aten.empty.memory_format),
            (aten.randn_like, _STANDARD_NORMAL, aten.empty_like.default),
            (aten.rand_like, _UNIT_UNIFORM, aten.empty_like.default),
        )
        for overload in packet.overloads()
        if "names" not in overload
    },
    aten.normal.float_float: _normal,
    aten.normal.float_float_out: _normal,
    aten.normal.float_Tensor: _normal,
    aten.normal.float_Tensor_out: _normal,
    aten.normal.Tensor_float: _normal,
    aten.normal.Tensor_float_out: _normal,
    aten.normal.Tensor_Tensor: _normal,
    aten.normal.Tensor_Tensor_out: _normal,
}
"""What is done in the place of an operation."""
