"""Checks a call's arguments, allocates its arrays and cuts it into batches."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedbed.deadlines import Remaining, deadline
from seedbed.devices import LocalDevice, open_device
from seedbed.errors import DataLossError
from seedbed.manifest import Manifest
from seedbed.progress import OnBytes, progress_bar
from seedbed.spec.device_names import DeviceName, parse_device
from seedbed.spec.digests import DIGEST_ALGORITHMS, Digest, digest_bytes
from seedbed.spec.errors import InvalidArgumentError, Words, bad_type, bad_value, shown
from seedbed.spec.numbers import as_int
from seedbed.spec.slices import Index, Shard, TensorSlice, as_slice
from seedbed.spec.suggestions import did_you_mean
from seedbed.spec.targets import EMBEDDED, check_target
from seedbed.spec.tensors import TensorRequest, TensorSpec

# A request for this many tensors stays far below the server's limits on their number and on a
# message.
BATCH_TENSORS = 1000

MOST_CHANNELS = 64

TARGET_VARIABLE = "SEEDBED_TARGET"

SliceLike = TensorSlice | Shard | Index | None
ManySlices = Shard | Mapping[str, SliceLike] | None
Tensors = Manifest | Sequence[TensorSpec]


def checked_targets(target: str | Sequence[str] | None, channels: int) -> list[str]:
    """Return the target of every server, each once; None is that of ``$SEEDBED_TARGET``.

    Raises:
        InvalidTypeError: if there are no strings.
        InvalidValueError: if there are none, or the engine is among several.
    """
    channels = as_int("channels", channels)
    if not 1 <= channels <= MOST_CHANNELS:
        raise bad_value("channels", f"from 1 to {MOST_CHANNELS}", channels)
    if target is None:
        targets = [_target_in_environment()]
    elif isinstance(target, str):
        targets = [target]
    elif isinstance(target, (list, tuple)) and all(isinstance(each, str) for each in target):
        targets = list(target)
    else:
        raise bad_type("target", "a string, or a list of strings", target)
    if not targets:
        raise bad_value("target", "at least one", target)
    if EMBEDDED in targets:
        if len(targets) > 1:
            raise bad_value(
                "target", f"servers where there are several: {EMBEDDED!r} goes alone", target
            )
        return targets
    return list(dict.fromkeys(targets))


def _target_in_environment() -> str:
    target = os.environ.get(TARGET_VARIABLE)
    if not target:
        allowed = f"given, or in ${TARGET_VARIABLE}: host:port, unix:///path or {EMBEDDED}"
        raise bad_value("target", allowed, target)
    return target


def check_connection(
    target: str, options: Mapping[str, int | str] | None, shared_memory_dir: str | None = None
) -> None:
    """Raise unless the arguments of ``connect`` have the right types, and the target its form."""
    check_target(target)
    if options is not None and not isinstance(options, Mapping):
        raise bad_type(
            "options", "a mapping from gRPC channel arguments to their values, or None", options
        )
    for name, value in (options or {}).items():
        if not isinstance(value, (int, str)):
            raise bad_type(f"options[{name!r}]", "an integer or a string", value)
    if shared_memory_dir is not None and not isinstance(shared_memory_dir, str):
        raise bad_type("shared_memory_dir", "a string or None", shared_memory_dir)


def check_transport(transport: object) -> None:
    """Raise for a target in the place of a transport: whoever has one calls ``connect``.

    Raises:
        InvalidTypeError: if it is a text, or several.
    """
    if isinstance(transport, str | list | tuple):
        hint = "; seedbed.connect(...) makes a client"
        raise bad_type("transport", "a transport", transport, hint=hint)


@dataclass(frozen=True, slots=True)
class Fetch:
    """A call of ``sample`` or ``sample_all``: what is wanted, and where it goes."""

    requests: Sequence[TensorRequest]
    """What to sample."""
    arrays: Sequence[NDArray[Any]]
    """The numpy array that each request fills; none where the result stays on a device."""
    device: LocalDevice | None
    """Where the result stays, or None for numpy arrays."""
    bar: AbstractContextManager[Callable[[int], None]]
    """Gives what is to be called with the number of new bytes."""
    remaining: Remaining
    """Tells how much time is left."""
    is_local: bool = False
    """Whether this process samples, and the server only says what the digests are."""
    are_ours: bool = False
    """Whether the arrays were made here, so that others may take their places."""

    def batches(self) -> Iterator[tuple[Sequence[TensorRequest], Sequence[memoryview]]]:
        """Yield the requests that travel together, with the memory that they fill."""
        for begin in range(0, len(self.requests), BATCH_TENSORS):
            batch = slice(begin, begin + BATCH_TENSORS)
            outs = [array.reshape(-1).view(np.uint8).data for array in self.arrays[batch]]
            yield self.requests[batch], outs

    def arrays_of_batch(
        self, first: int, outs: Sequence[memoryview], memories: Sequence[memoryview]
    ) -> list[NDArray[Any]]:
        """Return a batch's arrays: those filled, and new ones for memory that replaced an out.

        Args:
            first: the place of the batch's first request among all.
            outs: the batch's memory, as :meth:`batches` gave it.
            memories: the memory that holds the bytes of each request.
        """
        batch = slice(first, first + len(outs))
        places = zip(self.requests[batch], self.arrays[batch], outs, memories, strict=True)
        return [
            array if memory is out else _array_in(memory, request)
            for request, array, out, memory in places
        ]


def _array_in(memory: memoryview, request: TensorRequest) -> NDArray[Any]:
    """Return the array whose bytes lie in a piece of memory."""
    return np.frombuffer(memory, np.uint8).view(request.spec.dtype.numpy).reshape(request.shape)


def fetch_of_tensor(
    target: str,
    spec: TensorSpec,
    *,
    slice: SliceLike,
    out: NDArray[Any] | None,
    device: str | None,
    local: bool,
    progress: bool | OnBytes,
    timeout_seconds: float | None,
) -> Fetch:
    """Return a call of ``sample``; its arguments are those of :meth:`seedbed.Client.sample`."""
    request = request_of(spec, slice)
    bar = progress_bar(request.size_bytes, spec.name or "tensor", progress)
    is_local = _is_local(target, local, device)
    if (gpu := _gpu(device)) is not None:
        if out is not None:
            raise bad_value(
                "out", "None where `device` is a GPU, which gets an array of its own", out
            )
        return Fetch([request], [], gpu, bar, deadline(target, timeout_seconds))
    return Fetch(
        [request],
        [_output(request, out)],
        None,
        bar,
        deadline(target, timeout_seconds),
        is_local,
        out is None,
    )


def fetch_of_manifest(
    target: str,
    manifest: Manifest,
    *,
    slice: ManySlices,
    out: Mapping[str, NDArray[Any]] | None,
    device: str | None,
    local: bool,
    progress: bool | OnBytes,
    timeout_seconds: float | None,
) -> Fetch:
    """Return a call of ``sample_all``, from the arguments of :meth:`seedbed.Client.sample_all`."""
    requests = requests_of(manifest, slice)
    given = {} if out is None else out
    if not isinstance(given, Mapping):
        raise bad_type("out", "a mapping from names to arrays, or None", out)
    for name in given:
        if name not in manifest:
            allowed = "a mapping whose keys are names of the manifest"
            raise bad_value("out", allowed, name, hint=did_you_mean(name, manifest))
    is_local = _is_local(target, local, device)
    gpu = _gpu(device)
    if gpu is not None and given:
        raise bad_value(
            "out", "None where `device` is a GPU, which gets arrays of its own", list(given)
        )
    total = sum(request.size_bytes for request in requests)
    bar = progress_bar(total, f"{len(requests)} tensors", progress)
    if gpu is not None:
        return Fetch(requests, [], gpu, bar, deadline(target, timeout_seconds))
    arrays = [_output(request, given.get(request.spec.name)) for request in requests]
    return Fetch(
        requests, arrays, None, bar, deadline(target, timeout_seconds), is_local, are_ours=not given
    )


def request_of(spec: TensorSpec, slice: SliceLike) -> TensorRequest:
    """Return the request for a tensor, or a part of it."""
    if not isinstance(spec, TensorSpec):
        several = isinstance(spec, (Manifest, list, tuple))
        hint = "; `sample_all` and its like take several" if several else ""
        raise bad_type("spec", "a TensorSpec", spec, hint=hint)
    return TensorRequest(spec, as_slice(slice, spec.shape))


def as_manifest(tensors: Tensors) -> Manifest:
    """Return the manifest of several tensors: itself, or that of a sequence of specs.

    Raises:
        InvalidTypeError: if it is neither.
        InvalidValueError: if two have the same name.
    """
    if isinstance(tensors, Manifest):
        return tensors
    if not isinstance(tensors, (list, tuple)):
        alone = isinstance(tensors, TensorSpec)
        hint = "; several are a list, and `sample` takes one" if alone else ""
        raise bad_type("manifest", "a Manifest, or a list of TensorSpecs", tensors, hint=hint)
    for place, spec in enumerate(tensors):
        if not isinstance(spec, TensorSpec):
            raise bad_type(f"manifest[{place}]", "a TensorSpec", spec)
    try:
        return Manifest(tensors)
    except InvalidArgumentError as error:
        raise error.at("manifest") from None


def requests_of(manifest: Manifest, slices: ManySlices = None) -> list[TensorRequest]:
    """Return the requests for all tensors of a manifest, or for the part of each that is wanted."""
    if isinstance(slices, Mapping):
        for name in slices:
            if not isinstance(name, str):
                raise bad_type("slice", "a mapping whose keys are names of the manifest", name)
            if name not in manifest:
                allowed = "a mapping whose keys are names of the manifest"
                raise bad_value("slice", allowed, name, hint=did_you_mean(name, manifest))
        return [_named_request(spec, slices.get(spec.name)) for spec in manifest.tensors]
    return [request_of(spec, _shard_of(spec, slices)) for spec in manifest.tensors]


def _named_request(spec: TensorSpec, part: SliceLike) -> TensorRequest:
    try:
        return request_of(spec, part)
    except InvalidArgumentError as error:
        raise error.within(f"slice[{spec.name!r}]") from None


def _shard_of(spec: TensorSpec, shard: Shard | None) -> Shard | None:
    if shard is None:
        return None
    if not isinstance(shard, Shard):
        raise bad_type(
            "slice", "shard(...) or None for many tensors, or a mapping from names to slices", shard
        )
    return shard if -len(spec.shape) <= shard.axis < len(spec.shape) else None


def checked_first_byte(request: TensorRequest, first_byte: int) -> int:
    """Return where in a request's bytes an iteration begins: at an element's boundary."""
    itemsize = request.spec.dtype.itemsize
    first_byte = as_int("first_byte", first_byte)
    if not 0 <= first_byte <= request.size_bytes or first_byte % itemsize:
        allowed = f"a multiple of {itemsize} from 0 to {request.size_bytes}"
        raise bad_value("first_byte", allowed, first_byte)
    return first_byte


def check_algorithm(algorithm: str) -> None:
    """Raise unless there is such a digest algorithm."""
    if algorithm not in DIGEST_ALGORITHMS:
        hint = did_you_mean(algorithm, DIGEST_ALGORITHMS)
        raise bad_value("algorithm", "one of " + ", ".join(DIGEST_ALGORITHMS), algorithm, hint=hint)


def batches(requests: Sequence[TensorRequest]) -> Iterator[Sequence[TensorRequest]]:
    """Yield the requests that travel together."""
    for begin in range(0, len(requests), BATCH_TENSORS):
        yield requests[begin : begin + BATCH_TENSORS]


def compare_digests(
    target: str,
    requests: Sequence[TensorRequest],
    outs: Sequence[memoryview],
    said: Sequence[Digest],
) -> None:
    """Raise unless the memory holds what the server's digests say.

    Raises:
        DataLossError: naming the first tensor that differs.
    """
    for request, out, digest in zip(requests, outs, said, strict=True):
        if digest_bytes(out) != digest:
            name = request.spec.name or "the tensor"
            what = f"this process gives other bits for {name!r} than {target}"
            raise DataLossError(
                f"{what}; run `seedbed-server --self-test` on both machines: one of them is wrong"
            )


def _is_local(target: str, local: bool, device: str | None) -> bool:
    if not isinstance(local, bool):
        raise bad_type("local", "a bool", local)
    if local and device not in (None, "cpu"):
        raise bad_value("local", "False where `device` is a GPU", local)
    return local and target != EMBEDDED


def _gpu(device: str | None) -> LocalDevice | None:
    name = DeviceName("cpu") if device is None else parse_device("device", device)
    return open_device(name) if name.kind == "gpu" else None


def _output(request: TensorRequest, out: NDArray[Any] | None) -> NDArray[Any]:
    dtype = request.spec.dtype.numpy
    if out is None:
        return np.empty(request.shape, dtype)
    name = request.spec.name
    field = f"out[{name!r}]" if name else "out"
    if not isinstance(out, np.ndarray):
        raise bad_type(field, "a numpy array", out)
    if out.shape != request.shape or out.dtype != dtype:
        allowed = f"of shape {shown(request.shape)} and dtype {dtype}"
        raise bad_value(field, allowed, Words(f"{shown(out.shape)}, {out.dtype}"))
    if not out.flags.c_contiguous or not out.flags.writeable:
        received = ", ".join(f for f in ("c_contiguous", "writeable") if not getattr(out.flags, f))
        raise bad_value(field, "C-contiguous and writable", f"an array that is not {received}")
    return out
