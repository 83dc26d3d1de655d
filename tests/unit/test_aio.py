"""The asynchronous client has the synchronous one's methods and results.

Its transport is the embedded engine.
"""

import asyncio
import gc
import importlib.metadata
import inspect
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_overloads

import numpy as np
import pytest

import seedbed as sb
from seedbed import aio, fetch
from seedbed.fetch import BATCH_TENSORS
from seedbed.interrupts.threads import Threads
from tests.event_loops import run
from tests.every_answer import every_answer, every_awaited_answer
from tests.waiting import LATE_SECONDS, wait_until

SPEC = sb.TensorSpec("w", (500, 33), "bfloat16", sb.RandomNormal(seed=1))
# Minutes of work, so that no test races with its end.
HUGE = sb.TensorSpec("h", (2**37,), "bfloat16", sb.RandomUniform(seed=1))
SLOW = sb.TensorSpec("o", (4096, 4096), "float32", sb.Orthogonal(seed=1))
MODEL = sb.Manifest(
    [
        SPEC,
        sb.TensorSpec("b", (3,), "float64", sb.Ones()),
        sb.TensorSpec("e", (0, 3), "int8", sb.Zeros()),
    ]
)
METHODS = {name: value for name, value in vars(sb.Client).items() if not name.startswith("_")}


def embedded() -> sb.aio.Client:
    """Return a client of the embedded engine."""
    return sb.aio.connect("embedded:")


def in_embedded(use: Callable[[sb.aio.Client], Any]) -> Any:
    """Return what a coroutine function returns when it uses the embedded engine."""

    async def main() -> Any:
        async with embedded() as client:
            return await use(client)

    return run(main())


async def started(call: Any) -> "asyncio.Task[Any]":
    """Return the task of a call that an engine is at work on."""
    task = asyncio.create_task(call)
    await asyncio.sleep(0.2)
    assert not task.done()
    return task


# The surface.


def test_nothing_is_added_but_the_name_that_aclosing_calls() -> None:
    assert {name for name in vars(sb.aio.Client) if not name.startswith("_")} == {
        *METHODS,
        "aclose",
    }


@pytest.mark.parametrize(
    "name", [name for name, value in METHODS.items() if inspect.isfunction(value)]
)
def test_a_method_has_the_parameters_and_the_result_of_the_synchronous_one(name: str) -> None:
    ours, theirs = getattr(sb.aio.Client, name), METHODS[name]
    for mine, other in [
        (ours, theirs),
        *zip(get_overloads(ours), get_overloads(theirs), strict=True),
    ]:
        assert inspect.signature(mine).parameters == inspect.signature(other).parameters
        if name != "chunks":
            assert (
                inspect.signature(mine).return_annotation
                == inspect.signature(other).return_annotation
            )
    # A stream is iterated over, and counts are there already.
    assert inspect.iscoroutinefunction(ours) != (name in {"chunks", "stats"})


def test_connecting_has_the_parameters_of_the_synchronous_one() -> None:
    assert inspect.signature(sb.aio.connect).parameters == inspect.signature(sb.connect).parameters


def test_a_client_says_who_does_the_work() -> None:
    client = sb.aio.connect("127.0.0.1:50051")
    assert client.target == "127.0.0.1:50051"
    assert repr(client) == "<seedbed.aio.Client of 127.0.0.1:50051>"
    assert embedded().target == "embedded:"


LAZY = {
    "nobody asks for it": "import seedbed; "
    "assert not {'asyncio', 'seedbed.aio'} & set(sys.modules)",
    "as an attribute": "import seedbed; seedbed.aio.connect('embedded:'); "
    "assert 'grpc' not in sys.modules",
    "as a module": "import seedbed.aio; seedbed.aio.Client; assert 'grpc' not in sys.modules",
    "from the package": "from seedbed import aio; aio.connect; assert 'grpc' not in sys.modules",
    "used": "import asyncio, seedbed\n"
    "async def main():\n"
    "    async with seedbed.aio.connect('embedded:') as client:\n"
    "        return await client.sample(seedbed.TensorSpec('w', (2,), 'float32', seedbed.Ones()))\n"
    "assert asyncio.run(main()).tolist() == [1.0, 1.0]; assert 'grpc' not in sys.modules",
}


@pytest.mark.parametrize("code", LAZY.values(), ids=LAZY.keys())
def test_it_is_imported_when_it_is_asked_for_and_grpc_when_a_server_is(code: str) -> None:
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", f"import sys\n{code}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "Traceback" not in done.stderr


def test_the_package_has_no_other_attributes_for_that() -> None:
    with pytest.raises(AttributeError, match="module 'seedbed' has no attribute 'nonsense'"):
        _ = sb.nonsense  # type: ignore[attr-defined]  # that it fails is the test


# Arguments.


class Untouchable:
    """A transport that nobody may ask anything."""

    target = "nobody"

    def another(self) -> "Untouchable":
        return self

    def __getattr__(self, name: str) -> Any:
        def touch(*arguments: object) -> None:
            raise AssertionError(f"{name} was called with {arguments}")

        return touch


BAD_CALLS: dict[str, Callable[[Any], Any]] = {
    "no spec": lambda c: c.sample("w"),
    "no slice": lambda c: c.sample(SPEC, slice=(0, 1)),
    "a slice that does not fit": lambda c: c.sample(SPEC, slice=sb.TensorSlice((0,), (1,))),
    "a shard of an axis that is not there": lambda c: c.sample(SPEC, slice=sb.shard(0, 2, axis=5)),
    "out of another shape": lambda c: c.sample(SPEC, out=np.zeros(3, np.float32)),
    "out of another type": lambda c: c.sample(SPEC, out=[0.0]),
    "no device": lambda c: c.sample(SPEC, device="cuda"),
    "a device that is no name": lambda c: c.sample(SPEC, device=0),
    "no time": lambda c: c.sample(SPEC, timeout_seconds=0),
    "a time that is no number": lambda c: c.sample(SPEC, timeout_seconds="1"),
    "no manifest": lambda c: c.sample_all({"w": SPEC}),
    "a slice for many": lambda c: c.sample_all(MODEL, slice=sb.TensorSlice((0,), (1,))),
    "out of no tensor": lambda c: c.sample_all(MODEL, out={"nobody": np.zeros(3)}),
    "out that is no mapping": lambda c: c.sample_all(MODEL, out=[np.zeros(3)]),
    "out that does not fit": lambda c: c.sample_all(MODEL, out={"b": np.zeros(3, np.float32)}),
    "no time for many": lambda c: c.sample_all(MODEL, timeout_seconds=-1),
    "a part of an element": lambda c: c.chunks(SPEC, first_byte=1),
    "no time for chunks": lambda c: c.chunks(SPEC, timeout_seconds=float("nan")),
    "chunks of nothing": lambda c: c.chunks(None),
    "a description of nothing": lambda c: c.describe(MODEL),
    "no time for a description": lambda c: c.describe(SPEC, timeout_seconds=True),
    "descriptions of nothing": lambda c: c.describe_all(SPEC),
    "no algorithm": lambda c: c.digest(SPEC, algorithm="md5"),
    "a digest of nothing": lambda c: c.digest({}),
    "no algorithm for many": lambda c: c.digest_all(MODEL, algorithm=""),
    "digests of slices": lambda c: c.digest_all(MODEL, slice=3),
    "no time for a list": lambda c: c.list_initializers(timeout_seconds=0),
    "no time for an answer": lambda c: c.server_info(timeout_seconds=float("inf")),
    "no time to get ready": lambda c: c.wait_ready(-1),
}


@pytest.mark.parametrize("call", BAD_CALLS.values(), ids=BAD_CALLS.keys())
def test_a_bad_argument_is_the_synchronous_clients_error_before_anybody_is_asked(
    call: Callable[[Any], Any],
) -> None:
    with pytest.raises(sb.InvalidArgumentError) as theirs:
        call(sb.Client(Untouchable()))

    async def main() -> None:
        await call(sb.aio.Client(Untouchable()))

    with pytest.raises(sb.InvalidArgumentError) as ours:
        run(main())
    assert (type(ours.value), str(ours.value)) == (type(theirs.value), str(theirs.value))
    assert (ours.value.field, ours.value.reason) == (theirs.value.field, theirs.value.reason)


def test_an_iteration_checks_its_arguments_before_it_is_iterated() -> None:
    with pytest.raises(sb.InvalidValueError, match="`first_byte` must be a multiple of 2"):
        sb.aio.Client(Untouchable()).chunks(SPEC, first_byte=1)


@pytest.mark.parametrize("target", ["", "a b", "http://host", "host", None, 5], ids=repr)
def test_a_bad_target_is_the_synchronous_clients_error(target: Any) -> None:
    with pytest.raises(sb.InvalidArgumentError) as theirs:
        sb.connect(target)
    with pytest.raises(sb.InvalidArgumentError) as ours:
        sb.aio.connect(target)
    assert (type(ours.value), str(ours.value)) == (type(theirs.value), str(theirs.value))


def test_a_bad_option_is_the_synchronous_clients_error() -> None:
    options: Any = {"grpc.keepalive_time_ms": 1.5}
    with pytest.raises(
        sb.InvalidTypeError, match=r"`options\['grpc.keepalive_time_ms'\]` must be an integer or"
    ):
        sb.aio.connect("127.0.0.1:1", options=options)


@pytest.mark.parametrize(
    "target", ["embedded:", "unix:///run/seedbed.sock", ["127.0.0.1:1", "127.0.0.1:2"]], ids=str
)
@pytest.mark.parametrize("directory", [3, b"/dev/shm", Path("/dev/shm")], ids=repr)
def test_a_bad_folder_of_shared_memory_is_the_synchronous_clients_error(
    target: Any, directory: Any
) -> None:
    for connect in (sb.connect, sb.aio.connect):
        with pytest.raises(
            sb.InvalidTypeError, match="`shared_memory_dir` must be a string or None"
        ) as caught:
            connect(target, shared_memory_dir=directory)
        assert caught.value.field == "shared_memory_dir"


def test_an_asynchronous_client_is_no_default_client() -> None:
    client: Any = embedded()
    for use in (sb.set_default_client, lambda client: sb.Zeros()((2,), client=client)):
        with pytest.raises(sb.InvalidTypeError, match="`client` must be a Client or None"):
            use(client)


# The embedded engine.


def test_everything_is_what_the_synchronous_client_gives() -> None:
    async def ours(client: sb.aio.Client) -> list[Any]:
        return await every_awaited_answer(client, MODEL, SPEC)

    with sb.connect("embedded:") as client:
        assert in_embedded(ours) == every_answer(client, MODEL, SPEC)


def test_given_arrays_of_many_tensors_are_filled() -> None:
    out = {"b": np.zeros(3)}
    arrays = in_embedded(lambda client: client.sample_all(MODEL, out=out))
    assert list(arrays) == list(MODEL)
    assert arrays["b"] is out["b"]
    assert out["b"].tolist() == [1.0, 1.0, 1.0]


def test_more_tensors_than_one_request_takes_come_complete() -> None:
    names = [f"t{i}" for i in range(BATCH_TENSORS + 5)]
    model = sb.Manifest(
        [sb.TensorSpec(name, (1,), "float32", sb.RandomUniform(seed=3)) for name in names]
    )

    async def use(client: sb.aio.Client) -> list[Any]:
        return [
            await client.sample_all(model),
            await client.digest_all(model),
            await client.describe_all(model),
        ]

    arrays, digests, descriptions = in_embedded(use)
    assert list(arrays) == list(digests) == list(descriptions) == names
    assert all(digests[name] == sb.digest_bytes(arrays[name].tobytes()) for name in names)


def test_calls_of_several_tasks_go_on_at_the_same_time() -> None:
    specs = [
        sb.TensorSpec(str(i), (100_000 + i,), "float32", sb.RandomUniform(seed=i))
        for i in range(40)
    ]

    async def use(client: sb.aio.Client) -> list[bytes]:
        return [array.tobytes() for array in await asyncio.gather(*map(client.sample, specs))]

    with sb.connect("embedded:") as client:
        assert in_embedded(use) == [client.sample(spec).tobytes() for spec in specs]


def test_the_event_loop_goes_on_while_the_engine_works() -> None:
    async def use(client: sb.aio.Client) -> None:
        task = asyncio.create_task(client.digest(HUGE))
        for _ in range(100):
            await asyncio.sleep(0.001)
            assert not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    in_embedded(use)


def test_a_progress_bar_counts_all_bytes(capsys: pytest.CaptureFixture[str]) -> None:
    in_embedded(lambda client: client.sample_all(MODEL, progress=True))
    assert "3 tensors: 100%" in (drawn := capsys.readouterr().err)
    assert "32.2k/32.2k" in drawn


def test_a_missing_engine_is_said_on_entering_and_by_the_first_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda **_: ())

    async def enter() -> None:
        async with embedded():
            pass

    for use in (enter, lambda: embedded().wait_ready(), lambda: embedded().sample(SPEC)):
        with pytest.raises(sb.EngineNotInstalledError, match=r"pip install 'seedbed\[engine\]'"):
            run(use())


CANCELLED_CALLS: dict[str, Callable[[sb.aio.Client], Any]] = {
    "a digest": lambda client: client.digest(HUGE),
    "an orthogonal matrix": lambda client: client.sample(SLOW),
    "a large tensor": lambda client: client.sample(HUGE, slice=sb.shard(0, 64)),
    "chunks": lambda client: _read(client.chunks(HUGE)),
}


async def _read(chunks: Any) -> None:
    async for _ in chunks:
        pass


@pytest.mark.parametrize("call", CANCELLED_CALLS.values(), ids=CANCELLED_CALLS.keys())
def test_a_task_that_is_cancelled_stops_the_engine(call: Callable[[sb.aio.Client], Any]) -> None:
    async def use(client: sb.aio.Client) -> None:
        task = await started(call(client))
        begun = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        # The engine's threads are free: else these would wait for minutes.
        assert (await client.sample(SPEC)).shape == SPEC.shape
        assert time.monotonic() - begun < LATE_SECONDS

    in_embedded(use)


def test_a_time_limit_of_asyncio_works_around_a_call() -> None:
    async def use(client: sb.aio.Client) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await client.digest(HUGE)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.digest(HUGE), 0.1)
        await client.digest(SPEC)

    in_embedded(use)


def test_memory_is_the_callers_again_when_a_call_was_cancelled() -> None:
    spec = sb.TensorSpec("w", (2**28,), "float32", sb.RandomNormal(seed=1))
    out = np.zeros(spec.shape, np.float32)

    async def use(client: sb.aio.Client) -> None:
        task = asyncio.create_task(client.sample(spec, out=out))
        while not out[:1024].any():
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        written = np.count_nonzero(out)
        assert written < out.size
        await asyncio.sleep(0.3)
        assert np.count_nonzero(out) == written

    in_embedded(use)


def test_a_second_cancellation_changes_nothing() -> None:
    async def use(client: sb.aio.Client) -> None:
        task = await started(client.sample(SLOW))
        for _ in range(3):
            task.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await task

    in_embedded(use)


@pytest.fixture
def few_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients make two calls at the same time."""
    monkeypatch.setattr(aio, "MOST_CALLS", 2)


@pytest.mark.usefixtures("few_threads")
def test_a_call_that_waits_for_its_turn_can_be_cancelled() -> None:
    async def use(client: sb.aio.Client) -> None:
        busy = [await started(client.digest(HUGE)) for _ in range(2)]
        waiting = await started(client.digest(SPEC))
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(waiting, 60)
        assert not any(task.done() for task in busy)
        await client.close()
        await asyncio.gather(*busy, return_exceptions=True)

    in_embedded(use)


@pytest.mark.usefixtures("few_threads")
def test_the_time_of_a_call_runs_while_it_waits_for_its_turn() -> None:
    async def use(client: sb.aio.Client) -> None:
        busy = [await started(client.digest(HUGE)) for _ in range(2)]
        begun = time.monotonic()
        with pytest.raises(sb.DeadlineError, match=r"did not finish within 0\.3 s"):
            await client.sample(SPEC, timeout_seconds=0.3)
        assert 0.3 <= time.monotonic() - begun < LATE_SECONDS
        await client.close()
        await asyncio.gather(*busy, return_exceptions=True)

    in_embedded(use)


@pytest.mark.usefixtures("few_threads")
def test_iterations_go_on_beside_as_many_calls_as_there_may_be() -> None:
    async def use(client: sb.aio.Client) -> None:
        busy = [await started(client.digest(HUGE)) for _ in range(2)]
        async with asyncio.timeout(120):
            got = [bytes(chunk.data) async for chunk in client.chunks(SPEC)]
        with sb.connect("embedded:") as other:
            assert b"".join(got) == other.sample(SPEC).tobytes()
        await client.close()
        await asyncio.gather(*busy, return_exceptions=True)

    in_embedded(use)


def test_a_cancelled_call_leaves_the_others_alone() -> None:
    async def use(client: sb.aio.Client) -> None:
        chunks = client.chunks(HUGE)
        await anext(chunks)
        other, cancelled = [await started(client.digest(HUGE)) for _ in range(2)]
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        await anext(chunks)
        assert not other.done()
        await client.close()
        with pytest.raises(sb.CancelledError):
            await other
        with pytest.raises(sb.CancelledError):
            await anext(chunks)

    in_embedded(use)


def test_closing_ends_calls_that_wait_for_their_turn() -> None:
    async def use(client: sb.aio.Client) -> None:
        calls = [asyncio.create_task(client.digest(HUGE)) for _ in range(aio.MOST_CALLS + 5)]
        await asyncio.sleep(0.2)
        await client.close()
        found = await asyncio.gather(*calls, return_exceptions=True)
        assert {type(each) for each in found} == {sb.CancelledError}

    in_embedded(use)


def test_hundreds_of_calls_at_once_all_come_back() -> None:
    specs = [sb.TensorSpec(str(i), (5,), "float32", sb.RandomUniform(seed=i)) for i in range(500)]

    async def use(client: sb.aio.Client) -> list[bytes]:
        async with asyncio.timeout(300):
            return [a.tobytes() for a in await asyncio.gather(*map(client.sample, specs))]

    with sb.connect("embedded:") as client:
        assert in_embedded(use) == [client.sample(spec).tobytes() for spec in specs]


def _call_threads() -> int:
    return sum(each.name.startswith("seedbed-c") for each in threading.enumerate())


def test_no_threads_are_left_when_a_client_is_closed_or_forgotten() -> None:
    async def use(client: sb.aio.Client) -> None:
        await asyncio.gather(*(client.sample(SPEC) for _ in range(10)))
        async for _ in client.chunks(HUGE):
            break

    for main in (lambda: in_embedded(use), lambda: run(use(embedded()))):
        main()
        gc.collect()
        wait_until(lambda: not _call_threads())


def test_closing_the_client_ends_calls_of_other_tasks() -> None:
    async def use(client: sb.aio.Client) -> None:
        chunks = client.chunks(HUGE)
        await anext(chunks)
        running = [await started(call(client)) for call in CANCELLED_CALLS.values()]
        await client.close()
        for task in running:
            with pytest.raises(
                sb.CancelledError, match="the call to embedded: was cancelled; call again"
            ):
                await task
        with pytest.raises(sb.CancelledError):
            await anext(chunks)
        await client.aclose()
        with pytest.raises(sb.CancelledError, match="is closed; connect again"):
            await client.sample(SPEC)

    in_embedded(use)


def test_closing_in_another_thread_ends_a_call_that_is_about_to_begin(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Late(Threads):
        """Threads that are asked for when somebody has just closed the client."""

        def submit(self, *arguments: Any, **options: Any) -> Any:
            closing = threading.Thread(target=lambda: asyncio.run(client.close()))
            closing.start()
            closing.join()
            return super().submit(*arguments, **options)

    client = embedded()
    monkeypatch.setattr(aio, "Threads", Late)
    with pytest.raises(sb.CancelledError):
        run(client.sample(SPEC))


# A device of this machine.


class FakeLanding:
    """Host memory in place of a device's, which says by which threads it was used."""

    def __init__(self, request: Any) -> None:
        self.request = request
        self.memory = bytearray(request.size_bytes)
        self.threads = {threading.get_ident()}

    def write(self, byte_offset: int, data: memoryview) -> None:
        self.threads.add(threading.get_ident())
        self.memory[byte_offset : byte_offset + len(data)] = data

    def array(self) -> "FakeLanding":
        return self


class FakeDevice:
    """A device that samples by the embedded engine."""

    def __init__(self) -> None:
        self.opened_by: int = 0

    def open(self, name: Any) -> "FakeDevice":
        self.opened_by = threading.get_ident()
        return self

    def sample(self, request: Any) -> FakeLanding:
        landing = FakeLanding(request)
        with sb.connect("embedded:") as client:
            landing.memory[:] = client.sample(request.spec, slice=request.slice).tobytes()
        return landing

    def landing(self, request: Any) -> FakeLanding:
        return FakeLanding(request)


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> FakeDevice:
    """A device named ``gpu``."""
    fake = FakeDevice()
    monkeypatch.setattr(fetch, "open_device", fake.open)
    return fake


def test_tensors_stay_on_a_device_and_the_loop_does_not_wait_for_it(device: FakeDevice) -> None:
    async def use(client: sb.aio.Client) -> tuple[FakeLanding, dict[str, FakeLanding]]:
        one = await client.sample(SPEC, slice=sb.shard(0, 2), device="gpu")
        return one, await client.sample_all(MODEL, device="gpu:1")

    one, many = in_embedded(use)
    assert threading.get_ident() not in {device.opened_by, *one.threads}
    with sb.connect("embedded:") as client:
        assert bytes(one.memory) == client.sample(SPEC, slice=sb.shard(0, 2)).tobytes()
        assert {n: bytes(each.memory) for n, each in many.items()} == {
            n: each.tobytes() for n, each in client.sample_all(MODEL).items()
        }


@pytest.mark.usefixtures("device")
def test_an_array_to_fill_and_a_device_exclude_each_other() -> None:
    async def main() -> None:
        await sb.aio.Client(Untouchable()).sample(
            SPEC, device="gpu", out=np.zeros(SPEC.shape, SPEC.dtype.numpy)
        )

    with pytest.raises(sb.InvalidValueError, match="`out` must be None where `device` is a GPU"):
        run(main())
