"""The client: asks a server, or the engine in this process, for tensors by their specs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import copy_context
from pathlib import Path
from typing import Any, Self, overload

from numpy.typing import NDArray

from seedbed.credentials import Credentials, credentials_of
from seedbed.deadlines import (
    DEFAULT_PATIENCE_SECONDS,
    checked_patience,
    checked_timeout,
    deadline,
)
from seedbed.fetch import (
    BATCH_TENSORS,
    Fetch,
    ManySlices,
    SliceLike,
    Tensors,
    as_manifest,
    batches,
    check_algorithm,
    check_connection,
    check_transport,
    checked_first_byte,
    checked_targets,
    compare_digests,
    fetch_of_manifest,
    fetch_of_tensor,
    request_of,
    requests_of,
)
from seedbed.progress import OnBytes
from seedbed.spec.digests import Digest, DigestAlgorithm, Digests
from seedbed.spec.info import InitializerInfo, ServerInfo, TensorDescription
from seedbed.spec.stats import ClientStats
from seedbed.spec.targets import EMBEDDED
from seedbed.spec.tensors import TensorRequest, TensorSpec
from seedbed.spec.tls import Tls
from seedbed.transports.base import Transport, embedded_transport
from seedbed.transports.endings import closed
from seedbed.wire.parts import Chunk

__all__ = ["BATCH_TENSORS", "EMBEDDED", "Client", "SliceLike", "connect"]


def connect(
    target: str | Sequence[str] | None = None,
    *,
    options: Mapping[str, int | str] | None = None,
    channels: int = 1,
    patience_seconds: float = DEFAULT_PATIENCE_SECONDS,
    shared_memory_dir: str | None = None,
    tls: Tls | bool | None = None,
    token: str | Path | None = None,
) -> "Client":
    """Return a client.

    Args:
        target: ``host:port``, ``dns:///host:port``, ``unix:///path``, or ``embedded:`` for the
            engine in this process, which needs no server. A connection is made at the first call.
            None is ``$SEEDBED_TARGET``. Several targets are replicas: a fetch is cut into ranges
            that come from all of them, and what one fails to give another one does. A call that
            breaks goes on where it broke; see docs/reliability.md.
        options: gRPC channel arguments, an escape hatch for the network's needs. With any, with
            TLS, or with a proxy in the environment, gRPC makes the calls. It takes twice the
            client's processor time, and no process that is forked after a call can use it.
        channels: connections to each server that a fetch uses; several fetch ranges of large
            tensors, or of many, at the same time.
        patience_seconds: how long a call without a ``timeout_seconds`` of its own goes on without
            progress, while servers do not answer or have no room, before it fails. 0 makes each
            failure one of the call.
        shared_memory_dir: where a server's folder of shared memory is for this process, if that is
            not where it is for the server; see docs/operations.md. Used with one ``unix:`` target
            and one channel.
        tls: True for TLS with a server whose certificate the system trusts, a :class:`Tls` for
            certificates of your own, False for none. None is what ``$SEEDBED_TLS`` and
            ``$SEEDBED_TLS_CA``, ``..._CERT``, ``..._KEY`` and ``..._SERVER_NAME`` say. For all
            targets; ``unix:`` and ``embedded:`` stay on this host, and need none.
        token: what the server asks for to know the client: a string, or the pathlib.Path of a file
            that has it, which is read again when it changes. None is that of ``$SEEDBED_TOKEN``,
            or of the file ``$SEEDBED_TOKEN_FILE``. It is sent to other hosts over TLS only.

    Raises:
        InvalidValueError: unless the target is one of these, or if a file cannot be used.
        EngineNotInstalledError: for ``embedded:``, if the engine's packages are missing.

    Example:
        >>> with connect("embedded:") as client:
        ...     client.sample(TensorSpec("b", (3,), "float32", Zeros()))
        array([0., 0., 0.], dtype=float32)
    """
    targets = checked_targets(target, channels)
    for each in targets:
        check_connection(each, options, shared_memory_dir)
    patience_seconds = checked_patience(patience_seconds)
    credentials = credentials_of(targets, tls, token)
    if targets == [EMBEDDED]:
        return Client(embedded_transport())
    return Client(
        remote_transport(
            targets,
            options or {},
            channels=channels,
            patience_seconds=patience_seconds,
            shared_memory_dir=shared_memory_dir,
            credentials=credentials,
        )
    )


def remote_transport(
    targets: Sequence[str],
    options: Mapping[str, int | str],
    *,
    channels: int,
    patience_seconds: float,
    shared_memory_dir: str | None,
    credentials: Credentials,
) -> Transport:
    """Return the transport to one server or to several; the arguments have been checked.

    Raises:
        InvalidValueError: if a target is not allowed, or a file cannot be used.
    """
    # GRPC takes time to import, and embedded use does not need it.
    from seedbed.transports.remote import RemoteTransport

    return RemoteTransport.open(
        targets,
        options,
        channels=channels,
        patience_seconds=patience_seconds,
        shared_memory_dir=shared_memory_dir,
        tls=credentials.tls,
        token=credentials.token,
    )


class Client:
    """Fetches tensors from one server or several, or from the embedded engine.

    Made by :func:`connect`; safe to use from several threads; a context manager.
    """

    def __init__(
        self,
        transport: Transport,
        open_engine: Callable[[], Transport] = embedded_transport,
        another: Callable[[], Transport] | None = None,
    ) -> None:
        check_transport(transport)
        self._transport = transport
        self._open_engine = open_engine
        self._another = another
        self._is_closed = False

    @property
    def _open(self) -> Transport:
        """The transport, until the client is closed: the engine itself knows no end.

        Raises:
            CancelledError: from then on, as where a server is asked.
        """
        if self._is_closed:
            raise closed(self.target)
        return self._transport

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
        """Give back the connection; calls under way in other threads end with CancelledError.

        So does every later call.
        """
        self._is_closed = True
        self._transport.close()

    def stats(self) -> ClientStats:
        """Return what has been asked of each server since the client was made."""
        return self._transport.stats()

    def wait_ready(self, timeout_seconds: float = 60.0) -> None:
        """Return when the server can answer, such as after it was started; of several, one.

        Raises:
            UnavailableError: if it cannot within the time.
        """
        self._open.wait_ready(checked_timeout(timeout_seconds) or 0.0)

    @overload
    def sample(
        self,
        spec: TensorSpec,
        *,
        slice: SliceLike = None,
        out: NDArray[Any] | None = None,
        device: None = None,
        local: bool = False,
        progress: bool | OnBytes = False,
        timeout_seconds: float | None = None,
    ) -> NDArray[Any]: ...

    @overload
    def sample(
        self,
        spec: TensorSpec,
        *,
        slice: SliceLike = None,
        out: NDArray[Any] | None = None,
        device: str | None,
        local: bool = False,
        progress: bool | OnBytes = False,
        timeout_seconds: float | None = None,
    ) -> Any: ...

    def sample(
        self,
        spec: TensorSpec,
        *,
        slice: SliceLike = None,
        out: NDArray[Any] | None = None,
        device: str | None = None,
        local: bool = False,
        progress: bool | OnBytes = False,
        timeout_seconds: float | None = None,
    ) -> Any:
        """Return a tensor, or a rectangle of it.

        Args:
            spec: the whole tensor.
            slice: the part wanted: a TensorSlice, ``shard(...)``, or slices as numpy writes them
                (``numpy.s_[0:128, :]``, with ends inside the tensor and no steps or integers); the
                elements are those of the whole.
            out: a numpy array to fill and return: of the right shape and dtype, C-contiguous,
                writable.
            device: ``gpu`` or ``gpu:N`` leaves the tensor on a GPU of this machine: the embedded
                engine samples it there, and what comes from a server goes there by way of pinned
                memory. None and ``cpu`` are numpy.
            local: sample in this process, and compare with the server's digest: the server's
                authority without its bandwidth. Needs the engine (``pip install
                'seedbed[engine]'``).
            progress: show a progress bar on standard error, or a function to call with the count of
                new bytes.
            timeout_seconds: for the whole call; None is no limit.

        Returns:
            An array of the slice's shape (or the tensor's) and the spec's dtype: numpy's (bfloat16
            is ``ml_dtypes.bfloat16``), or on a GPU CuPy's, which PyTorch and JAX take without a
            copy (DLPack).

        Raises:
            InvalidValueError: if an argument is not allowed, or the server's limits do not allow
                it.
            NoDeviceError: if there is no such device here, or CuPy is missing.
            OutOfDeviceMemoryError: if the device has no room.
            TransportError: if the call failed; see :mod:`seedbed.errors`. ``out`` may then be
                partly written.
        """
        fetch = fetch_of_tensor(
            self.target,
            spec,
            slice=slice,
            out=out,
            device=device,
            local=local,
            progress=progress,
            timeout_seconds=timeout_seconds,
        )
        return self._fetch(fetch)[0]

    @overload
    def sample_all(
        self,
        manifest: Tensors,
        *,
        slice: ManySlices = None,
        out: Mapping[str, NDArray[Any]] | None = None,
        device: None = None,
        local: bool = False,
        progress: bool | OnBytes = False,
        timeout_seconds: float | None = None,
    ) -> dict[str, NDArray[Any]]: ...

    @overload
    def sample_all(
        self,
        manifest: Tensors,
        *,
        slice: ManySlices = None,
        out: Mapping[str, NDArray[Any]] | None = None,
        device: str | None,
        local: bool = False,
        progress: bool | OnBytes = False,
        timeout_seconds: float | None = None,
    ) -> dict[str, Any]: ...

    def sample_all(
        self,
        manifest: Tensors,
        *,
        slice: ManySlices = None,
        out: Mapping[str, NDArray[Any]] | None = None,
        device: str | None = None,
        local: bool = False,
        progress: bool | OnBytes = False,
        timeout_seconds: float | None = None,
    ) -> dict[str, Any]:
        """Return all tensors of a manifest by name, in its order.

        Args:
            manifest: the tensors; a list of specs with different names is one, too.
            slice: a ``shard(...)`` of each tensor; one that lacks the shard's axis comes whole. Or
                the part wanted of each tensor, by name; what is not named comes whole.
            out: numpy arrays to fill, by name; names that are missing get new ones.
            device: ``gpu`` or ``gpu:N`` leaves the tensors on a GPU of this machine; see
                :meth:`sample`.
            local: sample in this process, and compare with the server's digests; see
                :meth:`sample`.
            progress: show a progress bar on standard error, or a function to call with the count of
                new bytes.
            timeout_seconds: for the whole call; None is no limit.

        Raises:
            InvalidValueError: if an argument is not allowed, or the server's limits do not allow
                it.
            TransportError: if the call failed; see :mod:`seedbed.errors`.
        """
        manifest = as_manifest(manifest)
        fetch = fetch_of_manifest(
            self.target,
            manifest,
            slice=slice,
            out=out,
            device=device,
            local=local,
            progress=progress,
            timeout_seconds=timeout_seconds,
        )
        return dict(zip(manifest, self._fetch(fetch), strict=True))

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
            first_byte: where in the slice to begin, at an element's boundary; a broken fetch goes
                on there.
            timeout_seconds: for the whole iteration; None is no limit.

        Yields:
            Chunks in order; each has ``byte_offset`` in the slice and ``data``, C order,
            little-endian, checked.

        Raises:
            InvalidValueError: if an argument is not allowed.
            TransportError: if the call failed; the chunks before it are good.
        """
        request = request_of(spec, slice)
        first_byte = checked_first_byte(request, first_byte)
        return self._open.chunks(request, first_byte, checked_timeout(timeout_seconds))

    def describe(
        self, spec: TensorSpec, *, slice: SliceLike = None, timeout_seconds: float | None = None
    ) -> TensorDescription:
        """Return what sampling would give: fans, limit or stddev, size and cost. Moves no data."""
        return self._open.describe([request_of(spec, slice)], checked_timeout(timeout_seconds))[0]

    def describe_all(
        self, manifest: Tensors, *, timeout_seconds: float | None = None
    ) -> dict[str, TensorDescription]:
        """Return what sampling each tensor of a manifest would give, by name."""
        requests = requests_of(as_manifest(manifest))
        found: list[TensorDescription] = []
        remaining = deadline(self.target, timeout_seconds)
        for batch in batches(requests):
            found += self._open.describe(batch, remaining())
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
        check_algorithm(algorithm)
        return self._open.digest(
            [request_of(spec, slice)], algorithm, checked_timeout(timeout_seconds)
        )[0]

    def digest_all(
        self,
        manifest: Tensors,
        *,
        slice: ManySlices = None,
        algorithm: DigestAlgorithm = "xxh3_128",
        timeout_seconds: float | None = None,
    ) -> dict[str, Digest]:
        """Return the digest of each tensor of a manifest, or of its ``slice``, by name."""
        check_algorithm(algorithm)
        manifest = as_manifest(manifest)
        requests = requests_of(manifest, slice)
        found: list[Digest] = []
        remaining = deadline(self.target, timeout_seconds)
        for batch in batches(requests):
            found += self._open.digest(batch, algorithm, remaining())
        return Digests(zip(manifest, found, strict=True))

    def list_initializers(self, *, timeout_seconds: float | None = None) -> list[InitializerInfo]:
        """Return every initializer there, with its parameters."""
        return self._open.list_initializers(checked_timeout(timeout_seconds))

    def server_info(self, *, timeout_seconds: float | None = None) -> ServerInfo:
        """Return what does the work: version, numerics, device, limits."""
        return self._open.server_info(checked_timeout(timeout_seconds))

    def _fetch(self, fetch: Fetch) -> Sequence[Any]:
        arrays: list[Any] = []
        with fetch.bar as on_bytes:
            for requests, outs in fetch.batches():
                if fetch.device is not None:
                    arrays += self._open.sample_on(
                        fetch.device, requests, on_bytes, fetch.remaining()
                    )
                    continue
                memories: Sequence[memoryview] = outs
                if fetch.is_local:
                    self._fill_here(requests, outs, on_bytes, fetch.remaining())
                else:
                    memories = self._open.fill(
                        requests, outs, on_bytes, fetch.remaining(), may_map=fetch.are_ours
                    )
                arrays += fetch.arrays_of_batch(len(arrays), outs, memories)
        return arrays

    def _fill_here(
        self,
        requests: Sequence[TensorRequest],
        outs: Sequence[memoryview],
        on_bytes: Callable[[int], None],
        timeout_seconds: float | None,
    ) -> None:
        """Sample in this process while the server computes its digests, and compare."""
        from seedbed.interrupts.threads import Threads  # few need it, and logging comes along

        asked = (self._another or self._open.another)()
        with Threads(1, thread_name_prefix="seedbed-digest") as pool:
            try:
                run = copy_context().run  # the call is a part of the caller's trace
                said = pool.submit(run, asked.digest, requests, "xxh3_128", timeout_seconds)
                self._open_engine().fill(requests, outs, on_bytes)
                compare_digests(self.target, requests, outs, said.result())
            except BaseException:
                asked.cancel()  # else an interrupt would wait for the server
                raise
