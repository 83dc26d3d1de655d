"""The client: asks a server, or the engine in this process, for tensors by their specs."""

import importlib.metadata
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Self, overload

import numpy as np
from numpy.typing import NDArray

from seedbed.devices import LocalDevice, open_device
from seedbed.errors import DeadlineError, EngineNotInstalledError
from seedbed.manifest import Manifest
from seedbed.progress import progress_bar
from seedbed.transport import Transport
from seedbed.wire.chunks import Chunk
from seedbed.wire.device_names import DeviceName, parse_device
from seedbed.wire.digests import DIGEST_ALGORITHMS, Digest, DigestAlgorithm
from seedbed.wire.errors import bad_type, bad_value
from seedbed.wire.info import InitializerInfo, ServerInfo, TensorDescription
from seedbed.wire.numbers import as_finite, as_int
from seedbed.wire.slices import Shard, TensorSlice, as_slice
from seedbed.wire.specs import TensorRequest, TensorSpec

EMBEDDED = "embedded:"

# A request for this many tensors stays far below the server's limits on their number and on a message.
BATCH_TENSORS = 1000

LONGEST_TIMEOUT_SECONDS = 1e9

SliceLike = TensorSlice | Shard | None


def connect(target: str, *, options: Mapping[str, int | str] | None = None) -> "Client":
    """Return a client.

    Args:
        target: ``host:port``, ``dns:///host:port``, ``unix:///path``, or ``embedded:`` for the engine in this
            process, which needs no server. A connection is made at the first call.
        options: gRPC channel arguments, an escape hatch for the network's needs.

    Raises:
        InvalidValueError: if the target is none of these.
        EngineNotInstalledError: for ``embedded:``, if the engine's packages are missing.

    Example:
        >>> with connect("embedded:") as client:
        ...     client.sample(TensorSpec("b", (3,), "float32", Zeros()))
        array([0., 0., 0.], dtype=float32)
    """
    if not isinstance(target, str):
        raise bad_type("target", "a string", target)
    if options is not None and not isinstance(options, Mapping):
        raise bad_type("options", "a mapping from gRPC channel arguments to their values, or None", options)
    for name, value in (options or {}).items():
        if not isinstance(value, (int, str)):
            raise bad_type(f"options[{name!r}]", "an integer or a string", value)
    if target == EMBEDDED:
        return Client(_embedded_transport())
    from seedbed.grpc_transport import GrpcTransport  # gRPC takes time to import, and embedded use does not need it

    return Client(GrpcTransport(target, options or {}))


def _embedded_transport() -> Transport:
    for entry_point in importlib.metadata.entry_points(group="seedbed.transports", name="embedded"):
        try:
            transport: Transport = entry_point.load()()
        except ModuleNotFoundError as error:
            message = f"the embedded engine needs {error.name}: pip install 'seedbed[engine]', or name a server"
            raise EngineNotInstalledError(message) from None
        return transport
    raise EngineNotInstalledError("the embedded engine is not installed: pip install 'seedbed[engine]'")


class Client:
    """Fetches tensors. Made by :func:`connect`; safe to use from several threads; a context manager."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @property
    def target(self) -> str:
        """Who does the work, as given to :func:`connect`."""
        return self._transport.target

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<seedbed.Client of {self.target}>"

    def close(self) -> None:
        """Give back the connection; calls under way in other threads end with CancelledError."""
        self._transport.close()

    def wait_ready(self, timeout_seconds: float = 60.0) -> None:
        """Return when the server can answer, such as after it was started.

        Raises:
            UnavailableError: if it cannot within the time.
        """
        self._transport.wait_ready(_timeout(timeout_seconds) or 0.0)

    @overload
    def sample(
        self,
        spec: TensorSpec,
        *,
        slice: SliceLike = None,
        out: NDArray[Any] | None = None,
        device: None = None,
        progress: bool = False,
        timeout_seconds: float | None = None,
    ) -> NDArray[Any]: ...

    @overload
    def sample(
        self,
        spec: TensorSpec,
        *,
        slice: SliceLike = None,
        out: NDArray[Any] | None = None,
        device: str,
        progress: bool = False,
        timeout_seconds: float | None = None,
    ) -> Any: ...

    def sample(
        self,
        spec: TensorSpec,
        *,
        slice: SliceLike = None,
        out: NDArray[Any] | None = None,
        device: str | None = None,
        progress: bool = False,
        timeout_seconds: float | None = None,
    ) -> Any:
        """Return a tensor, or a rectangle of it.

        Args:
            spec: the whole tensor.
            slice: the part wanted: a TensorSlice or ``shard(...)``; the elements are those of the whole.
            out: a numpy array to fill and return: of the right shape and dtype, C-contiguous, writable.
            device: ``gpu`` or ``gpu:N`` leaves the tensor on a GPU of this machine: the embedded engine samples it
                there, and what comes from a server goes there by way of pinned memory. None and ``cpu`` are numpy.
            progress: show a progress bar on standard error.
            timeout_seconds: for the whole call; None is no limit.

        Returns:
            An array of the slice's shape (or the tensor's) and the spec's dtype: numpy's (bfloat16 is
            ``ml_dtypes.bfloat16``), or on a GPU CuPy's, which PyTorch and JAX take without a copy (DLPack).

        Raises:
            InvalidValueError: if an argument is not allowed, or the server's limits do not allow it.
            NoDeviceError: if there is no such device here, or CuPy is missing.
            OutOfDeviceMemoryError: if the device has no room.
            TransportError: if the call failed; see :mod:`seedbed.errors`. ``out`` may then be partly written.
        """
        request = _request(spec, slice)
        bar = progress_bar(request.size_bytes, spec.name or "tensor", is_shown=progress)
        if (gpu := _gpu(device)) is not None:
            if out is not None:
                raise bad_value("out", "None where `device` is a GPU, which gets an array of its own", out)
            return self._sample_on(gpu, [request], bar, timeout_seconds)[0]
        array = _output(request, out)
        self._fill([request], [array], bar, timeout_seconds)
        return array

    @overload
    def sample_all(
        self,
        manifest: Manifest,
        *,
        slice: Shard | None = None,
        out: Mapping[str, NDArray[Any]] | None = None,
        device: None = None,
        progress: bool = False,
        timeout_seconds: float | None = None,
    ) -> dict[str, NDArray[Any]]: ...

    @overload
    def sample_all(
        self,
        manifest: Manifest,
        *,
        slice: Shard | None = None,
        out: Mapping[str, NDArray[Any]] | None = None,
        device: str,
        progress: bool = False,
        timeout_seconds: float | None = None,
    ) -> dict[str, Any]: ...

    def sample_all(
        self,
        manifest: Manifest,
        *,
        slice: Shard | None = None,
        out: Mapping[str, NDArray[Any]] | None = None,
        device: str | None = None,
        progress: bool = False,
        timeout_seconds: float | None = None,
    ) -> dict[str, Any]:
        """Return all tensors of a manifest by name, in its order.

        Args:
            manifest: the tensors.
            slice: a ``shard(...)`` of each tensor; one that lacks the shard's axis comes whole.
            out: numpy arrays to fill, by name; names that are missing get new ones.
            device: ``gpu`` or ``gpu:N`` leaves the tensors on a GPU of this machine; see :meth:`sample`.
            progress: show a progress bar on standard error.
            timeout_seconds: for the whole call; None is no limit.

        Raises:
            InvalidValueError: if an argument is not allowed, or the server's limits do not allow it.
            TransportError: if the call failed; see :mod:`seedbed.errors`.
        """
        requests = [_request(spec, _shard_of(spec, slice)) for spec in _tensors(manifest)]
        given = {} if out is None else out
        if not isinstance(given, Mapping):
            raise bad_type("out", "a mapping from names to arrays, or None", out)
        for name in given:
            if name not in manifest:
                raise bad_value("out", "arrays of tensors that the manifest names", name)
        gpu = _gpu(device)
        if gpu is not None and given:
            raise bad_value("out", "None where `device` is a GPU, which gets arrays of its own", list(given))
        total = sum(request.size_bytes for request in requests)
        bar = progress_bar(total, f"{len(requests)} tensors", is_shown=progress)
        if gpu is not None:
            on_device = self._sample_on(gpu, requests, bar, timeout_seconds)
            return {request.spec.name: array for request, array in zip(requests, on_device, strict=True)}
        arrays = [_output(request, given.get(request.spec.name)) for request in requests]
        self._fill(requests, arrays, bar, timeout_seconds)
        return {request.spec.name: array for request, array in zip(requests, arrays, strict=True)}

    def chunks(
        self,
        spec: TensorSpec,
        *,
        slice: SliceLike = None,
        first_byte: int = 0,
        timeout_seconds: float | None = None,
    ) -> Iterator[Chunk]:
        """Yield a tensor's bytes piece by piece, for tensors larger than memory.

        Args:
            spec: the whole tensor.
            slice: the part wanted.
            first_byte: where in the slice to begin, at an element's boundary; a broken fetch goes on there.
            timeout_seconds: for the whole iteration; None is no limit.

        Yields:
            Chunks in order; each has ``byte_offset`` in the slice and ``data``, C order, little-endian, checked.

        Raises:
            InvalidValueError: if an argument is not allowed.
            TransportError: if the call failed; the chunks before it are good.
        """
        request = _request(spec, slice)
        itemsize = spec.dtype.itemsize
        first_byte = as_int("first_byte", first_byte)
        if not 0 <= first_byte <= request.size_bytes or first_byte % itemsize:
            allowed = f"a multiple of {itemsize} from 0 to {request.size_bytes}"
            raise bad_value("first_byte", allowed, first_byte)
        return self._transport.chunks(request, first_byte, _timeout(timeout_seconds))

    def describe(
        self, spec: TensorSpec, *, slice: SliceLike = None, timeout_seconds: float | None = None
    ) -> TensorDescription:
        """Return what sampling would give: fans, limit or stddev, size and cost. Moves no data."""
        return self._transport.describe([_request(spec, slice)], _timeout(timeout_seconds))[0]

    def describe_all(self, manifest: Manifest, *, timeout_seconds: float | None = None) -> dict[str, TensorDescription]:
        """Return what sampling each tensor of a manifest would give, by name."""
        requests = [TensorRequest(spec) for spec in _tensors(manifest)]
        found: list[TensorDescription] = []
        remaining = self._deadline(timeout_seconds)
        for batch in _batches(requests):
            found += self._transport.describe(batch, remaining())
        return {each.name: each for each in found}

    def digest(
        self,
        spec: TensorSpec,
        *,
        slice: SliceLike = None,
        algorithm: DigestAlgorithm = "xxh3_128",
        timeout_seconds: float | None = None,
    ) -> Digest:
        """Return the digest of a tensor's bytes without moving them: equal digests, equal tensors.

        Args:
            spec: the whole tensor.
            slice: the part wanted.
            algorithm: ``xxh3_128``, or ``sha256``, which is slower and cannot be forged.
            timeout_seconds: for the whole call; None is no limit.
        """
        _check_algorithm(algorithm)
        return self._transport.digest([_request(spec, slice)], algorithm, _timeout(timeout_seconds))[0]

    def digest_all(
        self,
        manifest: Manifest,
        *,
        slice: Shard | None = None,
        algorithm: DigestAlgorithm = "xxh3_128",
        timeout_seconds: float | None = None,
    ) -> dict[str, Digest]:
        """Return the digest of every tensor of a manifest (or of the shard of each), by name."""
        _check_algorithm(algorithm)
        requests = [_request(spec, _shard_of(spec, slice)) for spec in _tensors(manifest)]
        found: list[Digest] = []
        remaining = self._deadline(timeout_seconds)
        for batch in _batches(requests):
            found += self._transport.digest(batch, algorithm, remaining())
        return {request.spec.name: digest for request, digest in zip(requests, found, strict=True)}

    def list_initializers(self, *, timeout_seconds: float | None = None) -> list[InitializerInfo]:
        """Return every initializer there, with its parameters."""
        return self._transport.list_initializers(_timeout(timeout_seconds))

    def server_info(self, *, timeout_seconds: float | None = None) -> ServerInfo:
        """Return what does the work: version, numerics, device, limits."""
        return self._transport.server_info(_timeout(timeout_seconds))

    def _fill(
        self,
        requests: Sequence[TensorRequest],
        arrays: Sequence[NDArray[Any]],
        bar: AbstractContextManager[Callable[[int], None]],
        timeout_seconds: float | None,
    ) -> None:
        remaining = self._deadline(timeout_seconds)
        with bar as on_bytes:
            for batch in _batches(list(zip(requests, arrays, strict=True))):
                outs = [memoryview(array.reshape(-1).view(np.uint8)) for _, array in batch]
                self._transport.fill([request for request, _ in batch], outs, on_bytes, remaining())

    def _sample_on(
        self,
        device: LocalDevice,
        requests: Sequence[TensorRequest],
        bar: AbstractContextManager[Callable[[int], None]],
        timeout_seconds: float | None,
    ) -> list[Any]:
        remaining = self._deadline(timeout_seconds)
        arrays: list[Any] = []
        with bar as on_bytes:
            for batch in _batches(requests):
                arrays += self._transport.sample_on(device, batch, on_bytes, remaining())
        return arrays

    def _deadline(self, timeout_seconds: float | None) -> Callable[[], float | None]:
        """Return what tells how much of a call's time is left, for each of several requests that make it up."""
        timeout = _timeout(timeout_seconds)
        started = time.monotonic()

        def remaining() -> float | None:
            if timeout is None:
                return None
            left = timeout - (time.monotonic() - started)
            if left <= 0:
                message = f"{self.target} did not finish within {timeout:g} s; allow more with timeout_seconds"
                raise DeadlineError(message)
            return left

        return remaining


def _gpu(device: str | None) -> LocalDevice | None:
    name = DeviceName("cpu") if device is None else parse_device("device", device)
    return open_device(name) if name.kind == "gpu" else None


def _request(spec: TensorSpec, slice: SliceLike) -> TensorRequest:
    if not isinstance(spec, TensorSpec):
        raise bad_type("spec", "a TensorSpec", spec)
    return TensorRequest(spec, as_slice(slice, spec.shape))


def _tensors(manifest: Manifest) -> tuple[TensorSpec, ...]:
    if not isinstance(manifest, Manifest):
        raise bad_type("manifest", "a Manifest", manifest)
    return manifest.tensors


def _shard_of(spec: TensorSpec, shard: Shard | None) -> Shard | None:
    if shard is None:
        return None
    if not isinstance(shard, Shard):
        raise bad_type("slice", "shard(...) or None for many tensors", shard)
    return shard if -len(spec.shape) <= shard.axis < len(spec.shape) else None


def _output(request: TensorRequest, out: NDArray[Any] | None) -> NDArray[Any]:
    dtype = request.spec.dtype.numpy
    if out is None:
        return np.empty(request.shape, dtype)
    name = request.spec.name
    field = f"out[{name!r}]" if name else "out"
    if not isinstance(out, np.ndarray):
        raise bad_type(field, "a numpy array", out)
    if out.shape != request.shape or out.dtype != dtype:
        raise bad_value(field, f"of shape {request.shape} and dtype {dtype}", f"{out.shape}, {out.dtype}")
    if not out.flags.c_contiguous or not out.flags.writeable:
        received = ", ".join(f for f in ("c_contiguous", "writeable") if not getattr(out.flags, f))
        raise bad_value(field, "C-contiguous and writable", f"an array that is not {received}")
    return out


def _batches(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for begin in range(0, len(items), BATCH_TENSORS):
        yield items[begin : begin + BATCH_TENSORS]


def _timeout(seconds: float | None) -> float | None:
    if seconds is None:
        return None
    number = as_finite("timeout_seconds", seconds)
    if number <= 0:
        raise bad_value("timeout_seconds", "positive, or None for no limit", seconds)
    # gRPC counts nanoseconds in 64 bits, and takes a longer time for one that is over.
    return min(number, LONGEST_TIMEOUT_SECONDS)


def _check_algorithm(algorithm: str) -> None:
    if algorithm not in DIGEST_ALGORITHMS:
        raise bad_value("algorithm", "one of " + ", ".join(DIGEST_ALGORITHMS), algorithm)
