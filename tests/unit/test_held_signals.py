"""What signals' handlers raise waits for code that it must not break off."""

import asyncio
import gc
import os
import signal
import threading
import weakref
from collections.abc import Callable, Iterator

import pytest

from seedbed.interrupts.held_signals import signals_held
from seedbed_server.backends import cpu_kernels
from seedbed_server.backends.cpu_kernels import CpuKernels


class Came(BaseException):
    """A handler has been called."""


def raises(number: int, frame: object) -> None:
    raise Came(number)


@pytest.fixture(params=[signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def number(request: pytest.FixtureRequest) -> Iterator[signal.Signals]:
    """A signal whose handler raises."""
    number: signal.Signals = request.param
    previous = signal.signal(number, raises)
    yield number
    signal.signal(number, previous)


def test_a_signal_raises_at_the_end_of_the_block(number: signal.Signals) -> None:
    steps = []

    def work() -> None:
        with signals_held():
            os.kill(os.getpid(), number)
            os.kill(os.getpid(), number)
            steps.append("all of it")

    with pytest.raises(Came):
        work()
    assert steps == ["all of it"]
    assert signal.getsignal(number) is raises


def test_the_block_is_told_that_a_handler_has_raised(number: signal.Signals) -> None:
    is_wanted = threading.Event()
    is_wanted.set()
    steps = []

    def work() -> None:
        with signals_held(is_wanted.clear):
            while is_wanted.is_set():
                os.kill(os.getpid(), number)
            steps.append("an end in order")

    with pytest.raises(Came):
        work()
    assert steps == ["an end in order"]


def test_a_handler_that_raises_nothing_is_called_at_once(number: signal.Signals) -> None:
    called: list[int] = []
    signal.signal(number, lambda number, _: called.append(number))
    told: list[str] = []
    with signals_held(lambda: told.append("to end")):
        os.kill(os.getpid(), number)
        assert called == [number]
    assert (called, told) == ([number], [])


def test_a_handler_may_put_another_in_its_place(number: signal.Signals) -> None:
    """So that a second Ctrl-C ends a program whose first one only asks it to."""
    signal.signal(number, lambda number, _: signal.signal(number, raises))
    with signals_held(), signals_held():
        os.kill(os.getpid(), number)
    assert signal.getsignal(number) is raises


def test_what_was_raised_keeps_no_memory_of_the_block(number: signal.Signals) -> None:
    class Large:
        pass

    kept: list[weakref.ref[Large]] = []

    def work() -> None:
        large = Large()
        kept.append(weakref.ref(large))
        with signals_held():
            os.kill(os.getpid(), number)

    gc.collect()
    gc.disable()
    try:
        with pytest.raises(Came) as caught:
            work()
        del caught
        assert kept[0]() is None
    finally:
        gc.enable()


def test_a_signal_while_the_block_ends_gives_the_handler_back(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    gave = signal.signal

    def give(given: int, handler: Callable[[int, object], object]) -> object:
        monkeypatch.undo()
        os.kill(os.getpid(), number)
        return gave(given, handler)

    def work() -> None:
        with signals_held():
            monkeypatch.setattr(signal, "signal", give)

    with pytest.raises(Came):
        work()
    assert signal.getsignal(number) is raises


def test_an_error_in_the_block_gives_the_handlers_back(number: signal.Signals) -> None:
    def work() -> None:
        with signals_held():
            assert signal.getsignal(number) is not raises
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    assert signal.getsignal(number) is raises


def test_a_signal_while_the_block_begins_gives_the_handlers_back(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    took = signal.signal

    def take(number: int, handler: Callable[[int, object], object]) -> None:
        monkeypatch.undo()
        took(number, handler)
        raise Came

    def work() -> None:
        with signals_held():
            raise AssertionError("The block has begun.")

    previous = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    monkeypatch.setattr(signal, "signal", take)
    with pytest.raises(Came):
        work()
    assert {each: signal.getsignal(each) for each in previous} == previous


@pytest.mark.parametrize("handler", [signal.SIG_IGN, signal.SIG_DFL])
def test_what_python_does_not_handle_stays(
    handler: signal.Handlers, number: signal.Signals
) -> None:
    signal.signal(number, handler)
    with signals_held():
        assert signal.getsignal(number) is handler
    assert signal.getsignal(number) is handler


def test_another_thread_changes_nothing(number: signal.Signals) -> None:
    seen: list[object] = []

    def look() -> None:
        with signals_held():
            seen.append(signal.getsignal(number))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [raises]


def test_an_event_loop_is_told_once(number: signal.Signals) -> None:
    told: list[int] = []

    async def hold() -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(number, told.append, number)
        with signals_held():
            os.kill(os.getpid(), number)
        await asyncio.sleep(0.05)
        loop.remove_signal_handler(number)

    asyncio.run(hold())
    assert told == [number]


def test_a_kernel_that_is_loaded_when_a_signal_comes_is_loaded_whole(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []

    def load(function: Callable[..., None], signature: str, path: object) -> Callable[..., None]:
        os.kill(os.getpid(), number)
        loaded.append(function.__name__)
        return function

    monkeypatch.setattr(cpu_kernels, "compile_kernel", load)
    monkeypatch.setattr(cpu_kernels, "_compile_elsewhere", lambda names: None)
    kernels = CpuKernels()
    with pytest.raises(Came):
        kernels.load(["reflect", "plain_words"])
    assert loaded == ["reflect", "plain_words"]
    assert kernels["reflect"].__name__ == "reflect"
    assert len(loaded) == 2
