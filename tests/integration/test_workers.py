"""Several processes as one server: one port, one answer, one end."""

import re
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

import seedbed as sb
from tests.servers import SERVING, STOP_SECONDS, ServerProcess, server_process
from tests.waiting import wait_until

SPEC = sb.TensorSpec("workers", (300, 700), "float32", sb.GlorotNormal(seed=1))


def wait_serving(server: ServerProcess, workers: int) -> None:
    server.wait_for("(?s)" + ".*".join([SERVING] * workers))


def workers_of(server: ServerProcess) -> list[psutil.Process]:
    children: list[psutil.Process] = psutil.Process(server.process.pid).children(recursive=True)
    return [each for each in children if "resource_tracker" not in " ".join(each.cmdline())]


def calls_by_worker(server: ServerProcess) -> int:
    return len(re.findall(r"INFO rpc .* method=SampleTensors code=OK", server.log))


def test_workers_share_a_port_and_give_the_same_bits() -> None:
    with server_process("--device", "cpu", "--workers", "2") as server:
        wait_serving(server, 2)
        addresses = set(re.findall(r" INFO listening address=(\S+)", server.log))
        assert len(addresses) == 1
        here = sb.connect("embedded:").sample(SPEC)

        def fetch(_: int) -> bytes:
            with sb.connect(server.address) as client:
                return client.sample(SPEC).tobytes()

        with ThreadPoolExecutor(4) as pool:
            assert set(pool.map(fetch, range(16))) == {here.tobytes()}
        used = [each for each in workers_of(server) if each.num_threads() > 1]
        assert len(used) == 2
        server.signal(signal.SIGTERM)
        assert server.wait() == 0
        assert calls_by_worker(server) == 16
        assert server.log.count("INFO stopped") == 2


def test_a_worker_that_died_is_no_longer_counted_as_serving() -> None:
    arguments = ("--device", "cpu", "--workers", "2", "--admin-listen", "127.0.0.1:0")
    with server_process(*arguments, "--lame-duck-seconds", "600") as server:
        wait_serving(server, 2)
        assert server.metric("seedbed_serving") == 2
        first, second = workers_of(server)
        first.kill()
        server.wait_for("INFO lame duck")
        assert server.metric("seedbed_serving") == 0
        second.kill()
        assert server.wait() == 1


def test_a_server_that_is_stopped_while_its_workers_start_has_not_failed() -> None:
    with server_process("--device", "cpu", "--workers", "2") as server:
        while len(workers_of(server)) < 2:
            time.sleep(0.01)
        server.signal(signal.SIGTERM)
        assert server.wait() == 0


def test_when_a_worker_dies_the_server_ends_and_says_so() -> None:
    with server_process("--device", "cpu", "--workers", "2", "--grace-seconds", "1") as server:
        wait_serving(server, 2)
        workers = workers_of(server)
        workers[0].kill()
        assert server.wait() == 1
        assert "a worker ended; the others are told to stop" in server.log
        _, alive = psutil.wait_procs(workers, timeout=60)
        assert alive == []


def test_when_the_supervisor_is_killed_its_workers_end() -> None:
    with server_process("--device", "cpu", "--workers", "2", "--grace-seconds", "1") as server:
        wait_serving(server, 2)
        workers = workers_of(server)
        server.signal(signal.SIGKILL)
        server.wait()
        _, alive = psutil.wait_procs(workers, timeout=60)
        assert alive == []


def test_an_interrupt_from_the_terminal_ends_all_in_order() -> None:
    with server_process("--device", "cpu", "--workers", "2") as server:
        wait_serving(server, 2)
        for each in workers_of(server):  # a terminal sends it to every process
            each.send_signal(signal.SIGINT)
        time.sleep(0.2)
        server.signal(signal.SIGINT)
        assert server.wait() == 0
        assert server.log.count("INFO stopped") == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_workers_that_still_import_end_in_order(number: signal.Signals) -> None:
    with server_process("--device", "cpu", "--workers", "2") as server:
        wait_until(lambda: len(workers_of(server)) == 2)
        if number == signal.SIGINT:  # a terminal sends it to every process
            for each in workers_of(server):
                each.send_signal(number)
        server.signal(number)
        assert server.wait() == 0
        assert server.log.count("INFO stopped") == 2
        assert "Traceback" not in server.log


@pytest.mark.parametrize(
    ("number", "ducks"), [(signal.SIGTERM, 2), (signal.SIGINT, 0)], ids=["SIGTERM", "SIGINT"]
)
def test_workers_are_lame_ducks_unless_a_person_interrupts(
    number: signal.Signals, ducks: int
) -> None:
    arguments = ("--device", "cpu", "--workers", "2", "--lame-duck-seconds", "2")
    with server_process(*arguments) as server:
        wait_serving(server, 2)
        server.signal(number)
        assert server.wait() == 0
        assert server.log.count("INFO lame duck seconds_left=2") == ducks
        assert server.log.count("INFO stopped") == 2


def test_a_second_signal_ends_the_workers_too() -> None:
    arguments = ("--device", "cpu", "--workers", "2", "--lame-duck-seconds", "600")
    with server_process(*arguments) as server:
        wait_serving(server, 2)
        workers = workers_of(server)
        server.signal(signal.SIGTERM)
        server.wait_for("(?s)INFO lame duck.*INFO lame duck")
        server.signal(signal.SIGTERM)
        assert server.wait() == 143
        _, alive = psutil.wait_procs(workers, timeout=60)
        assert alive == []


def test_two_signals_at_once_end_the_workers_that_were_told_nothing_yet() -> None:
    arguments = ("--device", "cpu", "--workers", "2", "--lame-duck-seconds", "600")
    with server_process(*arguments) as server:
        wait_serving(server, 2)
        workers = workers_of(server)
        server.signal(signal.SIGTERM)
        server.signal(signal.SIGINT)
        assert server.process.wait(STOP_SECONDS) == 143
        _, alive = psutil.wait_procs(workers, timeout=60)
        for each in alive:
            each.kill()
        assert alive == []


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ("--workers", "2", "--listen", "unix:///tmp/seedbed-workers.sock"),
            "cannot share a Unix socket",
        ),
        (
            ("--workers", "2", "--insecure", "--listen", "192.0.2.1:50051"),
            r"cannot listen on 192\.0\.2\.1:50051: Cannot assign requested address",
        ),
        (
            ("--workers", "2", "--listen", "no-such-host.invalid:50051"),
            "cannot listen on no-such-host",
        ),
    ],
    ids=["unix", "not ours", "no host"],
)
def test_workers_that_cannot_listen_give_one_line(arguments: tuple[str, ...], line: str) -> None:
    with server_process("--device", "cpu", *arguments, listen="") as server:
        assert server.wait() == 1
        assert server.wait_for(f"ERROR .*{line}")
        assert "Traceback" not in server.log


def test_a_port_in_use_is_refused_to_workers() -> None:
    with (
        server_process("--device", "cpu") as first,
        server_process("--device", "cpu", "--workers", "2", listen=first.address) as second,
    ):
        assert second.wait() == 1
        assert "cannot listen on" in second.log


@pytest.mark.parametrize("workers", ["0", "-1", "two", "1025"])
def test_a_number_of_workers_that_makes_no_sense_is_refused(workers: str) -> None:
    with server_process("--workers", workers) as server:
        assert server.wait() == 2
        assert "--workers" in server.log
