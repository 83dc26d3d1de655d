"""A server process has every other one's bits, a quick second start and an orderly end."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import seedbed as sb
from seedbed_server.service.app import Server
from seedbed_server.service.running import serve
from seedbed_server.settings import Settings
from seedbed_server.stopping import StopRequest
from tests.servers import PROGRAM, ServerProcess, server_process, serving

SPECS = [
    sb.TensorSpec("u", (300, 41), "float32", sb.GlorotUniform(seed=1)),
    sb.TensorSpec("n", (100_001,), "float16", sb.RandomNormal(seed=2)),
    sb.TensorSpec("t", (7, 5, 3), "bfloat16", sb.HeNormal(seed=3)),
    sb.TensorSpec("d", (1000,), "float64", sb.TruncatedNormal(seed=4)),
    sb.TensorSpec("o", (40, 70), "float32", sb.Orthogonal(seed=5)),
    sb.TensorSpec("i", (9, 4), "int16", sb.Identity(3)),
]
MANIFEST = sb.Manifest(SPECS)
EMBEDDED = """
import json, sys, seedbed as sb
with sb.connect(sys.argv[1]) as client:
    for digest in client.digest_all(sb.Manifest.from_dict(json.load(sys.stdin))).values():
        print(digest)
"""


def _digests(target: str) -> list[str]:
    with sb.connect(target) as client:
        return [str(digest) for digest in client.digest_all(MANIFEST, timeout_seconds=300).values()]


def _kernels(directory: Path) -> dict[str, tuple[int, int]]:
    """Return size and time of every file of a kernel cache."""
    files = [path for path in directory.rglob("*") if path.is_file()]
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in files}


def test_fresh_processes_agree_on_every_digest(server: ServerProcess) -> None:
    here = _digests("embedded:")
    assert _digests(server.address) == here
    with serving() as other:
        assert _digests(other.address) == here
    fresh = subprocess.run(
        [sys.executable, "-c", EMBEDDED, "embedded:"],
        input=json.dumps(MANIFEST.to_dict()),
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    assert fresh.stdout.split() == here


@pytest.mark.parametrize("threads", [1, 3])
def test_the_number_of_threads_does_not_matter(server: ServerProcess, threads: int) -> None:
    with server_process("--threads", str(threads)) as other, sb.connect(other.address) as client:
        client.wait_ready()
        assert client.server_info().threads == threads
        assert _digests(other.address) == _digests(server.address)


def test_a_unix_socket_gives_what_tcp_gives_and_is_removed(
    server: ServerProcess, tmp_path: Path
) -> None:
    path = tmp_path / "seedbed.sock"
    with serving("--listen", "127.0.0.1:0", listen=f"unix://{path}") as both:
        assert path.is_socket()
        tcp = both.wait_for(r"listening address=(127\S+)")
        assert _digests(f"unix://{path}") == _digests(tcp) == _digests(server.address)
        both.signal(signal.SIGTERM)
        assert both.wait() == 0
        assert not path.exists()


def test_a_server_that_ends_leaves_the_next_ones_socket_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As soon as gRPC has closed its listener, another server may begin on the same path."""
    path = tmp_path / "seedbed.sock"
    stop = StopRequest()
    stop.make()
    with socket.socket(socket.AF_UNIX) as other:
        end = Server.stop

        async def end_and_begin(server: Server, **times: float) -> None:
            await end(server, **times)
            other.bind(str(path))

        monkeypatch.setattr(Server, "stop", end_and_begin)
        settings = Settings(listen=(f"unix://{path}",), lame_duck_seconds=0, grace_seconds=0)
        assert serve(settings, stop) == 0
        assert path.is_socket()


def test_a_start_does_not_wait_for_a_server_that_accepts_nobody(tmp_path: Path) -> None:
    path = tmp_path / "seedbed.sock"
    with socket.socket(socket.AF_UNIX) as hung, socket.socket(socket.AF_UNIX) as first:
        hung.bind(str(path))
        hung.listen(0)
        first.connect(str(path))
        with server_process(listen=f"unix://{path}") as server:
            assert server.wait(30) == 1
            assert f"cannot listen on unix://{path}: another server does" in server.log


@pytest.mark.parametrize("mode", ["600", "660", "666"])
@pytest.mark.parametrize("umask", [0o000, 0o077], ids=["umask 000", "umask 077"])
def test_a_unix_socket_has_its_mode_whatever_the_umask(
    tmp_path: Path, umask: int, mode: str
) -> None:
    path = tmp_path / "seedbed.sock"
    before = os.umask(umask)
    try:
        with server_process("--unix-mode", mode, listen=f"unix://{path}") as server:
            server.wait_for("INFO listening")
            assert oct(path.stat().st_mode & 0o777) == f"0o{mode}"
    finally:
        os.umask(before)


def test_a_unix_socket_is_never_wider_than_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "seedbed.sock"
    program = f"""
import os, sys
from seedbed_server import cli
real = os.umask
def umask(mask):
    # What the server sets back has the socket behind it.
    if mask == 0:
        print(oct(os.stat({str(path)!r}).st_mode & 0o777), flush=True)
        os._exit(0)
    return real(mask)
real(0)
os.umask = umask
sys.exit(cli.main(["--listen", "unix://{path}"]))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=300, check=True
    )
    assert done.stdout == "0o600\n"


def test_the_socket_file_of_a_killed_server_is_taken_over(tmp_path: Path) -> None:
    address = f"unix://{tmp_path}/seedbed.sock"
    with serving(listen=address) as first:
        first.signal(signal.SIGKILL)
        first.wait()
        assert (tmp_path / "seedbed.sock").is_socket()
    with serving(listen=address), sb.connect(address) as client:
        assert client.server_info(timeout_seconds=120).backend == "cpu"


def test_a_unix_socket_in_use_is_not_taken_from_its_server(tmp_path: Path) -> None:
    path = tmp_path / "seedbed.sock"
    with serving(listen=f"unix://{path}"):
        with server_process(listen=f"unix://{path}") as second:
            assert second.wait() == 1
        assert path.is_socket()
        with sb.connect(f"unix://{path}") as client:
            assert client.server_info(timeout_seconds=120).backend == "cpu"


def test_a_second_start_uses_the_compiled_kernels(tmp_path: Path) -> None:
    environment = {"SEEDBED_KERNEL_CACHE_DIR": str(tmp_path)}
    with serving(environment=environment):
        pass
    kernels = _kernels(tmp_path)
    assert any(path.endswith(".kernel") for path in kernels)
    with serving(environment=environment):
        pass
    assert _kernels(tmp_path) == kernels


UNWRITABLE = {
    "a file": "file",
    "a folder below a file": "file/cache",
    "a folder of the kernel": "/proc/seedbed",
}


@pytest.mark.parametrize("name", UNWRITABLE.values(), ids=UNWRITABLE.keys())
def test_a_server_starts_where_it_cannot_cache(
    server: ServerProcess, tmp_path: Path, name: str
) -> None:
    (tmp_path / "file").write_text("in the way")
    # Its second choice, a folder in the temporary directory, is the one that the first run of this
    # test fills.
    with serving(environment={"SEEDBED_KERNEL_CACHE_DIR": str(tmp_path / name)}) as other:
        assert _digests(other.address) == _digests(server.address)
        assert "Traceback" not in other.log


def _run(*arguments: str, **environment: str) -> tuple[int, list[str]]:
    """Return the exit code and the lines on standard error of a server that must not start."""
    done = subprocess.run(
        [PROGRAM, *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, **environment},
    )
    assert done.stdout == ""
    return done.returncode, done.stderr.splitlines()


UNUSABLE = {
    "an address of nobody": ("192.0.2.1:0", "Cannot assign requested address"),
    "a host that does not exist": ("nobody.invalid:1", "[Nn]ame"),
    "a folder that does not exist": ("unix:///nonexistent/folder/x.sock", "No such file"),
    "a folder": ("unix:///usr", "something else is there"),
    "a folder of the kernel": ("unix:///proc/x.sock", "No such file|not permitted"),
    "a path that is too long": ("unix:///tmp/" + "x" * 200, "too long"),
}


@pytest.mark.parametrize(("address", "cause"), UNUSABLE.values(), ids=UNUSABLE.keys())
def test_an_unusable_address_is_one_clear_line(address: str, cause: str) -> None:
    code, lines = _run("--insecure", "--listen", address)
    assert code == 1
    [line] = [each for each in lines if "WARNING listening without TLS" not in each]
    assert re.search(f"ERROR cannot listen on {re.escape(address)}: .*({cause})", line)


def test_a_port_in_use_is_one_clear_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        code, lines = _run("--listen", address)
    assert code == 1
    assert len(lines) == 1, lines
    assert lines[0].endswith(f"cannot listen on {address}: Address already in use")


def test_a_file_in_the_way_of_a_socket_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("data")
    assert _run("--listen", f"unix://{tmp_path}/precious")[0] == 1
    assert (tmp_path / "precious").read_text() == "data"


BAD_ARGUMENTS = {
    "no port": ["--listen", "localhost"],
    "a port of 99999": ["--listen", "localhost:99999"],
    "a relative socket": ["--listen", "unix://x.sock"],
    "a web address": ["--listen", "http://localhost:1"],
    "threads 0": ["--threads", "0"],
    "threads of 1.5": ["--threads", "1.5"],
    "negative grace": ["--grace-seconds", "-1"],
    "grace of nan": ["--grace-seconds", "nan"],
    "messages of 100 GB": ["--max-request-message-bytes", "99999999999"],
    "tensors of 10**30 bytes": ["--max-tensor-bytes", "1" + "0" * 30],
    "chunks of 1 byte": ["--chunk-bytes", "1"],
    "chunks of 1 GB": ["--max-chunk-bytes", "1000000000"],
    "an unknown flag": ["--lisden", "127.0.0.1:0"],
}


@pytest.mark.parametrize("arguments", BAD_ARGUMENTS.values(), ids=BAD_ARGUMENTS.keys())
def test_a_bad_argument_is_named_and_exits_with_2(arguments: list[str]) -> None:
    # An address of nobody, so that a server that takes the argument does not run on.
    code, lines = _run(
        *arguments, *([] if arguments[0] == "--listen" else ["--listen", "192.0.2.1:0"])
    )
    assert code == 2
    assert lines[-1].startswith("seedbed-server: error: ")
    assert arguments[0] in lines[-1]
    assert not any("Traceback" in line for line in lines)


@pytest.mark.parametrize("value", ["localhost", "127.0.0.1:0,", "unix://x"])
def test_a_bad_variable_is_named_without_a_traceback(value: str) -> None:
    code, lines = _run(SEEDBED_LISTEN=value)
    assert code in {1, 2}
    assert "SEEDBED_LISTEN" in lines[-1] or "listen" in lines[-1]
    assert not any("Traceback" in line for line in lines)


def test_a_machine_that_gives_other_bits_does_not_serve() -> None:
    program = """
import sys
from seedbed_server.sampling import self_test
from seedbed_server import cli
vectors = self_test.golden_vectors()
next(v for v in vectors if v.get("self_test"))["xxh3_128"] = "00" * 16
self_test.golden_vectors = lambda: vectors
sys.exit(cli.main(["--listen", "127.0.0.1:0"]))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 1
    assert "gives other bits than the contract" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
