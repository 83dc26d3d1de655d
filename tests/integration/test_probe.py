"""The health check of a container: a small program asks a server's admin endpoint."""

import ast
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from seedbed_server.admin import probe
from tests.free_addresses import free_address
from tests.servers import serving

PROGRAM = str(Path(probe.__file__))


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The program with more time for an answer than a busy machine takes for one."""
    source = Path(PROGRAM).read_text()
    patience = source.replace("TIMEOUT_SECONDS = 3.0", "TIMEOUT_SECONDS = 60.0")
    assert patience != source
    path = tmp_path_factory.mktemp("probe") / "probe.py"
    path.write_text(patience)
    return str(path)


def probed(address: str, program: str = PROGRAM) -> tuple[int, str]:
    command = [sys.executable, "-I", "-S", program, address]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout


@contextmanager
def answering(*parts: bytes) -> Iterator[str]:
    """Yield the address of a server that answers one connection so, and closes it."""

    def answer() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(4096)
            for part in parts:
                connection.sendall(part)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        thread.join()


def test_a_server_that_serves_is_ready(patient: str) -> None:
    with serving("--admin-listen", "127.0.0.1:0") as server:
        address = server.wait_for(r" INFO admin address=(\S+)")
        assert probed(address, patient) == (0, "1 of 1 processes serve\n")
        assert probed(address.replace("127.0.0.1", "localhost"), patient)[0] == 0


def test_a_server_on_ipv6_is_ready(patient: str) -> None:
    with serving("--admin-listen", "[::1]:0") as server:
        address = server.wait_for(r" INFO admin address=(\S+)")
        assert probed(address, patient) == (0, "1 of 1 processes serve\n")


def test_a_server_on_any_address_of_ipv6_is_ready_on_ipv4_as_well(patient: str) -> None:
    with serving("--admin-listen", "[::]:0") as server:
        address = server.wait_for(r" INFO admin address=(\S+)")
        for host in ("[::1]", "127.0.0.1"):
            ready = (0, "1 of 1 processes serve\n")
            assert probed(address.replace("[::]", host), patient) == ready


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        (
            (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", b"0 of 2 ", b"processes serve\n"),
            "0 of 2 processes serve\n",
        ),
        ((b"HTTP/1.1 200 OK\r\n",), " gave no answer\n"),
        ((), " gave no answer\n"),
        ((b"SSH-2.0\xff\r\n\r\nhello\n",), "hello\n"),
    ],
    ids=["503", "cut off", "closed", "another protocol"],
)
def test_any_other_answer_is_not_ready(parts: tuple[bytes, ...], said: str, patient: str) -> None:
    with answering(*parts) as address:
        code, line = probed(address, patient)
    assert line.endswith(said)
    assert code == 1


def test_where_nothing_listens_nothing_is_ready() -> None:
    code, line = probed(free_address())
    assert code == 1
    assert "refused" in line


def test_a_server_that_says_nothing_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        code, line = probed(f"127.0.0.1:{listener.getsockname()[1]}")
    assert code == 1
    assert "timed out" in line


def test_it_imports_nothing_that_takes_time() -> None:
    tree = ast.parse(Path(PROGRAM).read_text())
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [alias.name for each in imports for alias in each.names] == ["_socket", "sys"]
