"""The asynchronous client on a real server: the synchronous one's bits and errors."""

import asyncio
import gc
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, aclosing
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import psutil
import pytest
from hypothesis import given, settings

import seedbed as sb
from seedbed import fetch
from seedbed.fetch import BATCH_TENSORS
from seedbed.spec.slices import TensorSlice
from seedbed.transports import remote
from tests.event_loops import run
from tests.every_answer import every_answer, every_awaited_answer
from tests.integration.liars import (
    damaging_proxy,
    digests_after_a_second,
    honest_parts,
    lying_server,
    serialized,
)
from tests.integration.test_lies import CONTENT, DIGEST_LIES, LIES, UNARY_LIES
from tests.integration.test_lies import SPEC as LIED_ABOUT
from tests.property.strategies import specs_and_slices
from tests.servers import ServerProcess, server_process, serving
from tests.unit.test_aio import FakeDevice, FakeLanding
from tests.waiting import LATE_SECONDS, wait_until

SPEC = sb.TensorSpec("w", (1000, 33), "bfloat16", sb.RandomNormal(seed=1))
LARGE = sb.TensorSpec("l", (3_000_000,), "float32", sb.RandomUniform(seed=2))
# Minutes of work, so that no test races with its end.
HUGE = sb.TensorSpec("h", (2**37,), "bfloat16", sb.RandomUniform(seed=1))
SLOW = sb.TensorSpec("o", (4096, 4096), "float32", sb.Orthogonal(seed=1))
MODEL = sb.Manifest([SPEC, LARGE, sb.TensorSpec("b", (3,), "float64", sb.Ones())])
CANCELLED = "code=CANCELLED"

Call = Callable[[sb.aio.Client], Any]


def with_client(address: str, use: Call, *, patience_seconds: float = 30.0) -> Any:
    """Return what a coroutine function returns that uses a client of that server."""

    async def main() -> Any:
        async with sb.aio.connect(address, patience_seconds=patience_seconds) as client:
            return await use(client)

    return run(main())


async def _read(chunks: Any) -> None:
    async for _ in chunks:
        pass


def _started(server: ServerProcess) -> float:
    return server.metric("grpc_server_started_total")


async def _under_way(server: ServerProcess, call: Any) -> "asyncio.Task[Any]":
    """Return the task of a call that the server has got.

    The server shows metrics, and nobody else asks it.
    """
    before = await asyncio.to_thread(_started, server)
    task = asyncio.create_task(call)
    async with asyncio.timeout(120):
        while await asyncio.to_thread(_started, server) == before:
            assert not task.done()
    return task


EVERY_CALL: dict[str, Call] = {
    "sample": lambda client: client.sample(SPEC),
    "sample_all": lambda client: client.sample_all(MODEL),
    "chunks": lambda client: _read(client.chunks(SPEC)),
    "describe": lambda client: client.describe(SPEC),
    "describe_all": lambda client: client.describe_all(MODEL),
    "digest": lambda client: client.digest(SPEC),
    "digest_all": lambda client: client.digest_all(MODEL),
    "server_info": lambda client: client.server_info(),
    "list_initializers": lambda client: client.list_initializers(),
    "wait_ready": lambda client: client.wait_ready(0.2),
}
LONG_CALLS: dict[str, Callable[[sb.aio.Client, float | None], Any]] = {
    "sample": lambda client, seconds: client.sample(
        HUGE, slice=sb.shard(0, 64), timeout_seconds=seconds
    ),
    "chunks": lambda client, seconds: _read(client.chunks(HUGE, timeout_seconds=seconds)),
    "digest": lambda client, seconds: client.digest(HUGE, timeout_seconds=seconds),
    "orthogonal": lambda client, seconds: client.digest(SLOW, timeout_seconds=seconds),
}


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address on which nobody listens, and nobody can begin to."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{bound.getsockname()[1]}"


# The same bits.


async def _everything(client: sb.aio.Client) -> list[Any]:
    return await every_awaited_answer(client, MODEL, LARGE)


def test_everything_is_what_the_synchronous_client_gets(server: ServerProcess) -> None:
    with sb.connect(server.address) as client:
        assert with_client(server.address, _everything) == every_answer(client, MODEL, LARGE)


def test_a_unix_socket_gives_the_same(tmp_path: Path) -> None:
    with (
        serving(listen=f"unix://{tmp_path}/socket") as server,
        sb.connect(server.address) as client,
    ):
        assert with_client(server.address, _everything) == every_answer(client, MODEL, LARGE)


@settings(max_examples=40)
@given(specs_and_slices())
def test_any_slice_is_that_of_the_embedded_engine(
    server: ServerProcess, asked: tuple[sb.TensorSpec, TensorSlice]
) -> None:
    spec, part = asked

    async def use(client: sb.aio.Client) -> tuple[bytes, sb.Digest]:
        array, digest = await asyncio.gather(
            client.sample(spec, slice=part), client.digest(spec, slice=part)
        )
        return array.tobytes(), digest

    with sb.connect("embedded:") as embedded:
        assert with_client(server.address, use) == (
            embedded.sample(spec, slice=part).tobytes(),
            embedded.digest(spec, slice=part),
        )


def test_calls_of_many_tasks_go_on_together(server: ServerProcess) -> None:
    specs = [
        sb.TensorSpec(str(i), (100_000 + i,), "float32", sb.RandomUniform(seed=i))
        for i in range(48)
    ]
    specs += [sb.TensorSpec(str(i), (i,), "float32", sb.RandomUniform(seed=i)) for i in range(500)]

    async def use(client: sb.aio.Client) -> list[bytes]:
        async with asyncio.timeout(120):
            arrays = await asyncio.gather(*map(client.sample, specs))
        return [array.tobytes() for array in arrays]

    with sb.connect(server.address) as client:
        assert with_client(server.address, use) == [client.sample(spec).tobytes() for spec in specs]


def test_tensors_are_put_on_a_device_as_they_arrive(
    server: ServerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = FakeDevice()
    monkeypatch.setattr(fetch, "open_device", device.open)
    landings: dict[str, FakeLanding] = with_client(
        server.address, lambda client: client.sample_all(MODEL, slice=sb.shard(0, 2), device="gpu")
    )
    # The event loop does not wait for the device: threads do.
    assert threading.get_ident() not in {device.opened_by, *landings["l"].threads}
    with sb.connect(server.address) as client:
        expected = client.sample_all(MODEL, slice=sb.shard(0, 2))
    assert {name: bytes(landing.memory) for name, landing in landings.items()} == {
        name: array.tobytes() for name, array in expected.items()
    }


# Errors.


@pytest.mark.parametrize("call", EVERY_CALL.values(), ids=EVERY_CALL.keys())
def test_a_call_to_nobody_says_so(nobody: str, call: Call) -> None:
    with pytest.raises(sb.UnavailableError, match=r"check that seedbed-server runs") as caught:
        with_client(nobody, call, patience_seconds=0)
    assert nobody in str(caught.value)


@pytest.mark.parametrize("call", EVERY_CALL.values(), ids=EVERY_CALL.keys())
@pytest.mark.parametrize("is_embedded", [False, True], ids=["server", "embedded"])
def test_a_call_of_a_closed_client_says_so(
    server: ServerProcess, call: Call, is_embedded: bool
) -> None:
    async def use(client: sb.aio.Client) -> None:
        await client.server_info()
        await client.close()
        await client.aclose()
        with pytest.raises(sb.CancelledError, match="is closed; connect again"):
            await call(client)

    with_client("embedded:" if is_embedded else server.address, use)


@pytest.mark.parametrize("call", LONG_CALLS.values(), ids=LONG_CALLS.keys())
def test_a_deadline_ends_a_call(
    server: ServerProcess, call: Callable[[sb.aio.Client, float | None], Any]
) -> None:
    with pytest.raises(
        sb.DeadlineError, match=r"within 0\.(3|[0-2]\d*) s; allow more with timeout_seconds"
    ):
        with_client(server.address, lambda client: call(client, 0.3))


def test_the_longest_time_limits_are_none(server: ServerProcess) -> None:
    with_client(server.address, lambda client: client.sample(SPEC, timeout_seconds=1e300))


def test_a_deadline_covers_all_batches_of_a_manifest() -> None:
    specs = [sb.TensorSpec(str(i), (), "float32", sb.Zeros()) for i in range(2 * BATCH_TENSORS)]
    manifest = sb.Manifest(specs)
    answer = digests_after_a_second(specs[:BATCH_TENSORS], specs[BATCH_TENSORS:])
    seconds_left: list[float] = []

    with lying_server({"DigestTensors": answer}, seconds_left) as address:
        found = with_client(address, lambda client: client.digest_all(manifest, timeout_seconds=90))
    assert len(found) == 2 * BATCH_TENSORS
    assert seconds_left[1] < seconds_left[0] - 0.9


def test_a_refusal_says_what_the_synchronous_client_says(server: ServerProcess) -> None:
    long_name = sb.TensorSpec("x" * 1024, (2**50,), "float32", sb.Zeros())
    with sb.connect(server.address) as client, pytest.raises(sb.InvalidValueError) as theirs:
        client.digest(long_name)
    with pytest.raises(sb.InvalidValueError) as ours:
        with_client(server.address, lambda client: client.digest(long_name))
    assert str(ours.value) == str(theirs.value)
    assert (ours.value.field, ours.value.reason) == (theirs.value.field, theirs.value.reason)
    assert ours.value.reason == "OVER_LIMIT"


def test_a_server_without_room_says_when_to_try_again() -> None:
    async def use(client: sb.aio.Client) -> None:
        async with aclosing(client.chunks(HUGE)) as chunks:
            await anext(chunks)
            with pytest.raises(sb.OverloadedError, match=r"try again in 0\.\d+ s") as caught:
                await client.sample(SPEC)
        assert 0.2 <= (caught.value.retry_after_seconds or 0.0) < 1.0

    with serving("--max-concurrent-streams", "1") as server:
        with_client(server.address, use, patience_seconds=0)


def test_a_server_that_is_killed_in_a_stream_is_unavailable() -> None:
    async def use(client: sb.aio.Client) -> None:
        chunks = client.chunks(HUGE)
        await anext(chunks)
        digest = await _under_way(server, client.digest(HUGE))
        server.signal(signal.SIGKILL)
        with pytest.raises(sb.UnavailableError, match="check that seedbed-server runs"):
            await _read(chunks)
        with pytest.raises(sb.UnavailableError):
            await digest
        with pytest.raises(sb.UnavailableError):
            await client.sample(SPEC)

    with serving("--admin-listen", "127.0.0.1:0") as server:
        with_client(server.address, use, patience_seconds=0.5)


def test_a_client_waits_for_a_server_that_starts() -> None:
    async def use(client: sb.aio.Client) -> sb.ServerInfo:
        await client.wait_ready(120)
        return await client.server_info()

    with server_process("--threads", "2") as server:
        assert with_client(server.address, use).threads == 2


# Lies.


@pytest.mark.parametrize("answer", LIES.values(), ids=LIES.keys())
def test_a_lie_is_found_out(answer: Callable[[], Iterable[bytes]]) -> None:
    async def use(client: sb.aio.Client) -> None:
        with pytest.raises(sb.DataLossError) as caught:
            await client.sample(LIED_ABOUT)
        assert "again" in str(caught.value) or "check" in str(caught.value)
        with pytest.raises(sb.DataLossError):
            await _read(client.chunks(LIED_ABOUT))

    with lying_server({"SampleTensors": answer}) as address:
        with_client(address, use, patience_seconds=0)


def test_the_honest_form_of_the_lies_is_believed() -> None:
    def answer() -> Iterable[bytes]:
        return serialized(honest_parts(CONTENT, LIED_ABOUT))

    with lying_server({"SampleTensors": answer}) as address:
        array = with_client(address, lambda client: client.sample(LIED_ABOUT, timeout_seconds=30))
    assert array.tobytes() == CONTENT


@pytest.mark.parametrize("answer", DIGEST_LIES.values(), ids=DIGEST_LIES.keys())
def test_a_lie_about_a_digest_is_found_out(answer: Callable[[], Iterable[bytes]]) -> None:
    with lying_server({"DigestTensors": answer}) as address, pytest.raises(sb.DataLossError):
        with_client(address, lambda client: client.digest(LIED_ABOUT), patience_seconds=0)


@pytest.mark.parametrize(("method", "message"), UNARY_LIES.values(), ids=UNARY_LIES.keys())
def test_a_lie_in_one_message_is_one_of_our_errors(method: str, message: bytes) -> None:
    unary: dict[str, Call] = {
        "DescribeTensors": lambda client: client.describe(LIED_ABOUT),
        "ListInitializers": lambda client: client.list_initializers(),
        "GetServerInfo": lambda client: client.server_info(),
    }
    with (
        lying_server({method: lambda: [message]}) as address,
        pytest.raises((sb.DataLossError, sb.UnsupportedError)),
    ):
        with_client(address, unary[method], patience_seconds=0)


def test_a_message_larger_than_any_announced_is_no_overload() -> None:
    parts = honest_parts(CONTENT, LIED_ABOUT)
    parts[-1].chunk.data = bytes(5 * 2**20)
    with (
        lying_server({"SampleTensors": lambda: serialized(parts)}) as address,
        pytest.raises(sb.DataLossError, match="larger than"),
    ):
        with_client(address, lambda client: client.sample(LIED_ABOUT), patience_seconds=0)


def test_a_bit_that_flips_on_the_way_costs_another_try(server: ServerProcess) -> None:
    flipped: list[int] = []

    def flip(passed: int, block: bytearray) -> None:
        # Once, well inside the payload: HTTP/2's own framing would notice by itself.
        if not flipped and passed > 2**22 and len(block) > 20_000:
            block[10_000] ^= 4
            flipped.append(passed)

    async def use(client: sb.aio.Client) -> bytes:
        array = await client.sample(LARGE, timeout_seconds=60)
        (replica,) = client.stats().replicas
        assert (replica.tries, replica.failures, replica.resumes) == (2, 1, 1)
        assert replica.bytes_received == array.nbytes  # nothing that was verified came again
        return array.tobytes()

    with damaging_proxy(server.address, flip) as address, sb.connect(server.address) as direct:
        assert with_client(address, use) == direct.sample(LARGE).tobytes()
    assert flipped


# Cancellation.


@pytest.mark.parametrize("call", LONG_CALLS.values(), ids=LONG_CALLS.keys())
def test_a_task_that_is_cancelled_ends_its_call_on_the_server(
    server: ServerProcess, call: Callable[[sb.aio.Client, float | None], Any]
) -> None:
    async def use(client: sb.aio.Client) -> bytes:
        before = server.log.count(CANCELLED)
        task = await _under_way(server, call(client, None))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.to_thread(server.wait_for_count, CANCELLED, before + 1)
        return (await client.sample(SPEC)).tobytes()

    with sb.connect("embedded:") as embedded:
        assert with_client(server.address, use) == embedded.sample(SPEC).tobytes()


def test_a_task_that_is_cancelled_before_its_call_is_sent_sends_nothing(
    server: ServerProcess,
) -> None:
    async def use(client: sb.aio.Client) -> None:
        for turns in range(4):
            task = asyncio.create_task(client.sample(SPEC))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        await client.sample(SPEC)

    with_client(server.address, use)


def test_time_limits_of_asyncio_and_task_groups_work_around_a_call(server: ServerProcess) -> None:
    async def use(client: sb.aio.Client) -> None:
        with pytest.raises(TimeoutError) as caught:
            async with asyncio.timeout(0.2):
                await client.digest(HUGE)
        assert not isinstance(caught.value, sb.SeedbedError)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(_read(client.chunks(HUGE)), 0.2)

        async def in_a_group() -> None:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(client.digest(HUGE))
                tasks.create_task(client.digest(SLOW, timeout_seconds=0.2))

        with pytest.raises(ExceptionGroup) as group:
            await in_a_group()
        assert [type(error) for error in group.value.exceptions] == [sb.DeadlineError]
        # Some may have been over before the server had them.
        await asyncio.to_thread(wait_until, lambda: not server.metric("seedbed_inflight_streams"))

    with_client(server.address, use)


def test_a_reader_that_stops_reading_stops_the_server(server: ServerProcess) -> None:
    async def use(client: sb.aio.Client) -> None:
        before = server.log.count(CANCELLED)
        async with aclosing(client.chunks(HUGE)) as chunks:
            async for _ in chunks:
                break
        await asyncio.to_thread(server.wait_for_count, CANCELLED, before + 1)
        async for _ in client.chunks(HUGE):
            break
        gc.collect()
        await asyncio.to_thread(server.wait_for_count, CANCELLED, before + 2)

    with_client(server.address, use)


@pytest.mark.parametrize("call", LONG_CALLS.values(), ids=LONG_CALLS.keys())
def test_closing_the_client_ends_calls_of_other_tasks(
    server: ServerProcess, call: Callable[[sb.aio.Client, float | None], Any]
) -> None:
    async def use(client: sb.aio.Client) -> None:
        before = server.log.count(CANCELLED)
        running = await _under_way(server, call(client, None))
        cancelled = await _under_way(server, call(client, None))
        cancelled.cancel()
        await client.close()
        with pytest.raises(sb.CancelledError, match="call again"):
            await running
        # Whoever cancelled a task hears from asyncio, whatever else went on.
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        await asyncio.to_thread(server.wait_for_count, CANCELLED, before + 2)

    with_client(server.address, use)


def test_cancelled_calls_give_their_places_back() -> None:
    async def use(client: sb.aio.Client) -> None:
        for done in range(0, 100, 10):
            tasks = [await _under_way(server, client.digest(HUGE)) for _ in range(10)]
            for task in tasks:
                task.cancel()
            assert len(await asyncio.gather(*tasks, return_exceptions=True)) == 10
            await asyncio.to_thread(server.wait_for_count, CANCELLED, done + 10)

    # Of these, one client may have 10.
    arguments = ("--max-concurrent-streams", "19", "--admin-listen", "127.0.0.1:0")
    with serving(*arguments) as server:
        with_client(server.address, use)
        assert "Traceback" not in server.log


# Event loops.


def test_clients_leave_no_connections_behind(server: ServerProcess) -> None:
    async def use(client: sb.aio.Client) -> None:
        await client.sample(SPEC)
        async for _ in client.chunks(HUGE):
            break

    with_client(server.address, use)
    gc.collect()
    before, channels = psutil.Process().num_fds(), _channels()
    for _ in range(20):
        with_client(server.address, use)
    gc.collect()
    # The thread that read a stream closes its connection, a moment after the stream was left.
    wait_until(lambda: psutil.Process().num_fds() <= before + 5)
    wait_until(lambda: gc.collect() >= 0 and _channels() <= channels)


def _channels() -> set[int]:
    """Return the identities of the gRPC channels of this process, those of other tests too."""
    # By type: to ask a weak proxy what it is fails when its object is gone.
    return {id(each) for each in gc.get_objects() if issubclass(type(each), grpc.Channel)}


ENDINGS: dict[str, Callable[[sb.aio.Client, "asyncio.Task[Any]"], Any]] = {
    "cancelling": lambda client, task: task.cancel(),
    "closing": lambda client, task: None,
}


@pytest.mark.parametrize("end", ENDINGS.values(), ids=ENDINGS.keys())
def test_an_event_loop_may_end_right_after_a_call(
    server: ServerProcess, end: Callable[[sb.aio.Client, "asyncio.Task[Any]"], Any]
) -> None:
    complaints: list[Any] = []

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: complaints.append(context)
        )
        async with sb.aio.connect(server.address) as client:
            await client.server_info()
            tasks = [await _under_way(server, call(client, None)) for call in LONG_CALLS.values()]
            for task in tasks:
                end(client, task)
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(each, (asyncio.CancelledError, sb.CancelledError)) for each in found)

    for _ in range(10):
        asyncio.run(main())
    run(asyncio.sleep(0.1))
    assert complaints == []


def test_a_client_may_be_made_before_its_event_loop_and_used_in_one_after_another(
    server: ServerProcess,
) -> None:
    client = sb.aio.connect(server.address)
    first = run(client.sample(SPEC))
    assert run(client.sample(SPEC)).tobytes() == first.tobytes()
    run(client.close())


def test_a_client_may_be_used_in_several_event_loops_at_the_same_time(
    server: ServerProcess,
) -> None:
    async def use(client: sb.aio.Client) -> None:
        digest = await _under_way(server, client.digest(HUGE))
        elsewhere = await asyncio.to_thread(lambda: asyncio.run(client.sample(SPEC)))
        assert elsewhere.tobytes() == (await client.sample(SPEC)).tobytes()
        assert not digest.done()
        digest.cancel()
        await asyncio.gather(digest, return_exceptions=True)

    with_client(server.address, use)


# The same transports as the synchronous client's.


def test_arrays_do_not_pass_through_grpc(
    server: ServerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a call by gRPC")

    monkeypatch.setattr(remote, "GrpcCalls", refuse)
    arrays = with_client(server.address, lambda client: client.sample_all(MODEL))
    with sb.connect("embedded:") as embedded:
        expected = embedded.sample_all(MODEL)
    assert {name: array.tobytes() for name, array in arrays.items()} == {
        name: array.tobytes() for name, array in expected.items()
    }


@pytest.mark.parametrize(
    "options", [None, {"grpc.enable_retries": 0}], ids=["by HTTP/2", "by gRPC"]
)
def test_a_read_that_is_cancelled_in_its_middle_ends_the_stream_and_leaves_memory_alone(
    server: ServerProcess, options: dict[str, int | str] | None
) -> None:
    spec = sb.TensorSpec("w", (2**29,), "float32", sb.RandomNormal(seed=1))
    out = np.zeros(spec.shape, np.float32)

    async def main() -> None:
        async with sb.aio.connect(server.address, options=options) as client:
            before = server.log.count(CANCELLED)
            task = asyncio.create_task(client.sample(spec, out=out))
            other = asyncio.create_task(client.digest(HUGE))
            while not out[2**20] and not task.done():
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            written = np.count_nonzero(out)
            assert 2**20 < written < out.size
            await asyncio.to_thread(server.wait_for_count, CANCELLED, before + 1)
            assert np.count_nonzero(out) == written
            assert not other.done()
            assert (await client.sample(SPEC)).shape == SPEC.shape
            await client.close()
            await asyncio.gather(other, return_exceptions=True)

    run(main())


def test_several_connections_are_cancelled_together(server: ServerProcess) -> None:
    spec = sb.TensorSpec("w", (2**29,), "float32", sb.RandomNormal(seed=1))

    async def main() -> None:
        async with sb.aio.connect(server.address, channels=3) as client:
            assert (await client.sample(LARGE)).shape == LARGE.shape
            out = np.zeros(spec.shape, np.float32)
            task = asyncio.create_task(client.sample(spec, out=out))
            while not out[2**20] and not task.done():
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            written = np.count_nonzero(out)
            await asyncio.sleep(0.2)
            assert np.count_nonzero(out) == written < out.size
            assert not [t for t in threading.enumerate() if t.name.startswith("seedbed-fetch")]
            assert (await client.digest(SPEC)).size_bytes > 0

    run(main())


def test_a_local_sample_that_is_cancelled_stops_the_engine_too(server: ServerProcess) -> None:
    async def use(client: sb.aio.Client) -> None:
        task = asyncio.create_task(client.sample(SLOW, local=True))
        await asyncio.sleep(0.3)
        begun = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert time.monotonic() - begun < LATE_SECONDS

    with_client(server.address, use)


def test_a_task_can_be_cancelled_while_its_call_connects() -> None:
    async def main(port: int) -> None:
        client = sb.aio.connect(f"127.0.0.1:{port}")
        task = asyncio.create_task(client.sample(SPEC))
        await asyncio.sleep(0.3)
        assert not task.done()
        begun = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert time.monotonic() - begun < LATE_SECONDS
        await client.close()

    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        while True:  # until its queue is full, and no connection comes about
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0.2)
            try:
                waiting.connect(listener.getsockname())
            except TimeoutError:
                break
        run(main(listener.getsockname()[1]))
