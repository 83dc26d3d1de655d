"""A request to stop, made by signals of which one comes on top of another."""

from seedbed_server.stopping import StopRequest


def test_a_signal_that_comes_while_another_is_heeded_waits_for_no_lock_of_it() -> None:
    stop = StopRequest()
    woken = []

    class Wake:
        def set(self) -> None:
            woken.append("once")
            stop.make(hurried=True)

    stop._wake = Wake()  # type: ignore[assignment]
    stop.make()
    assert woken == ["once"]
    assert stop.is_made
    assert not stop.is_hurried
