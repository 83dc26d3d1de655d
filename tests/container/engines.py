"""The checks' ways to containers: Docker, or a tool that runs images without an engine."""

import ast
import json
import re
import shlex
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import psutil

# Compiling every kernel takes about 20 s on a busy machine with two cores.
START_SECONDS = 180.0
STOP_SECONDS = 60.0
SERVER_PORT = 50051


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """What an image says about itself."""

    user: str
    entrypoint: list[str]
    command: list[str]
    stop_signal: str
    healthcheck: list[str]
    """The words that are run, without Docker's `CMD` before them."""
    size: str


@dataclass(frozen=True, slots=True)
class Memory:
    """What of a process is resident, in bytes."""

    now: int
    peak: int


class Server(Protocol):
    """A container that runs the image's entrypoint."""

    @property
    def target(self) -> str:
        """Where a client on this machine reaches it."""

    def log(self) -> list[dict[str, Any]]:
        """Return the log so far; what is no JSON is left out."""

    def memory(self) -> Memory | None:
        """Return the memory that it has, or None where this cannot be seen."""

    def check_health(self, words: Sequence[str]) -> int:
        """Run the health check and return its exit code."""

    def terminate(self) -> None:
        """Send SIGTERM, and do not wait."""

    def wait(self) -> int:
        """Return the exit code of the server when it has ended."""

    def remove(self) -> None:
        """End it, whatever it is doing, and leave nothing behind."""


class Engine(Protocol):
    """What builds and runs images."""

    def config(self, image: str) -> ImageConfig:
        """Return what the image says about itself."""

    def run(self, image: str, script: str) -> subprocess.CompletedProcess[str]:
        """Run a shell script in a fresh container, as the image's user."""

    def start(self, image: str, environment: Mapping[str, str]) -> Server:
        """Start the image's own entrypoint."""


def wait_for(server: Server, message: str, seconds: float = START_SECONDS) -> dict[str, Any]:
    """Return the log's entry with this message, as soon as it is there.

    Raises:
        TimeoutError: with the log, if it does not come.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for entry in server.log():
            if entry["message"] == message:
                return entry
        time.sleep(0.1)
    raise TimeoutError(f"no {message!r} in the log after {seconds:g} s: {server.log()}")


class Docker:
    """Docker, or a program with its arguments; confines containers as docker-compose.yml does."""

    CONFINED = (
        "--read-only",
        "--tmpfs",
        "/tmp",
        "--cap-drop",
        "ALL",
        "--security-opt",
        "no-new-privileges",
    )

    def __init__(self, program: str) -> None:
        self._program = program

    def config(self, image: str) -> ImageConfig:
        document = json.loads(self.output("image", "inspect", image))[0]
        config = document["Config"]
        # podman has it beside the configuration.
        health = (config.get("Healthcheck") or document.get("Healthcheck") or {}).get("Test", [])
        size = f"{document['Size'] / 1e6:.0f} MB"
        signal = config.get("StopSignal", "")
        return ImageConfig(
            config["User"], config["Entrypoint"], config["Cmd"], signal, health[1:], size
        )

    def run(self, image: str, script: str) -> subprocess.CompletedProcess[str]:
        words = [
            self._program,
            "run",
            "--rm",
            *self.CONFINED,
            "--entrypoint",
            "sh",
            image,
            "-c",
            script,
        ]
        return subprocess.run(words, capture_output=True, text=True, check=False)

    def start(self, image: str, environment: Mapping[str, str]) -> "DockerServer":
        # The port is published to this machine only.
        environment = {"SEEDBED_INSECURE": "1", **environment}
        variables = [
            word for name, value in environment.items() for word in ("--env", f"{name}={value}")
        ]
        publish = f"127.0.0.1::{SERVER_PORT}"
        return DockerServer(
            self,
            self.output("run", "--detach", *self.CONFINED, "--publish", publish, *variables, image),
        )

    def output(self, *words: str) -> str:
        """Run a command that must succeed, and return what it prints."""
        return subprocess.run(
            [self._program, *words], stdout=subprocess.PIPE, text=True, check=True
        ).stdout.strip()

    def code(self, *words: str) -> int:
        """Run a command quietly, and return its exit code."""
        return subprocess.run([self._program, *words], capture_output=True, check=False).returncode

    def logs(self, container: str) -> str:
        """Return what a container wrote to both of its streams."""
        words = [self._program, "logs", container]
        return subprocess.run(
            words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        ).stdout


class DockerServer:
    """A server in a container of its own, with a network of its own."""

    def __init__(self, docker: Docker, container: str) -> None:
        self._docker = docker
        self._container = container

    @property
    def target(self) -> str:
        return self._docker.output("port", self._container, f"{SERVER_PORT}/tcp").splitlines()[0]

    def log(self) -> list[dict[str, Any]]:
        return _entries(self._docker.logs(self._container))

    def memory(self) -> Memory | None:
        return _memory(
            int(self._docker.output("inspect", "--format", "{{.State.Pid}}", self._container))
        )

    def check_health(self, words: Sequence[str]) -> int:
        return self._docker.code("exec", self._container, *words)

    def terminate(self) -> None:
        self._docker.output("kill", "--signal", "TERM", self._container)

    def wait(self) -> int:
        return int(self._docker.output("wait", self._container))

    def remove(self) -> None:
        self._docker.code("rm", "--force", self._container)


class ImageTool:
    """A tool that runs images in a changed root, on the machine's own network.

    run.sh lists its verbs.
    """

    def __init__(self, program: str) -> None:
        self._program = program

    def config(self, image: str) -> ImageConfig:
        text = self._run("inspect", image).stdout
        fields = dict(re.findall(r"^(\w+): (.*)$", text, re.MULTILINE))
        health = ast.literal_eval(fields["Healthcheck"])
        # A line `NAME:TAG  625 MB` follows the fields.
        size = re.search(r"^\S+\s+(\d[\d.]* ?[kMG]B)$", text, re.MULTILINE)
        return ImageConfig(
            fields["User"],
            ast.literal_eval(fields["Entrypoint"]),
            ast.literal_eval(fields["Cmd"]),
            fields["StopSignal"],
            (health or {}).get("Test", [])[1:],
            size[1] if size else "unknown",
        )

    def run(self, image: str, script: str) -> subprocess.CompletedProcess[str]:
        return self._run("run", image, "sh", "-c", script)

    def start(self, image: str, environment: Mapping[str, str]) -> "ToolServer":
        # The network is shared, so the ports that the image names may be in use.
        admin = _free_address()
        arguments = ["--listen", "127.0.0.1:0", "--admin-listen", admin, "--log-format", "json"]
        if not environment:
            return ToolServer(self, image, ["entry", image, *arguments], admin)
        variables = [f"{name}={value}" for name, value in environment.items()]
        words = ["run", image, "env", *variables, *self.config(image).entrypoint, *arguments]
        return ToolServer(self, image, words, admin)

    def open(self, words: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
        """Start the tool, with both of its streams in a file."""
        with log.open("wb") as file:
            return subprocess.Popen([self._program, *words], stdout=file, stderr=subprocess.STDOUT)

    def _run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([self._program, *words], capture_output=True, text=True, check=False)


class ToolServer:
    """A server below a process of the tool."""

    def __init__(self, tool: ImageTool, image: str, words: Sequence[str], admin: str) -> None:
        self._tool, self._image, self._admin = tool, image, admin
        self._folder = tempfile.TemporaryDirectory(prefix="seedbed-container-")
        self._log = Path(self._folder.name) / "log"
        self._process = tool.open(words, self._log)

    @property
    def target(self) -> str:
        return str(wait_for(self, "listening")["address"])

    def log(self) -> list[dict[str, Any]]:
        return _entries(self._log.read_text())

    def memory(self) -> Memory | None:
        return _memory(self._server().pid)

    def check_health(self, words: Sequence[str]) -> int:
        return self._tool.run(self._image, shlex.join([*words, self._admin])).returncode

    def terminate(self) -> None:
        self._server().terminate()

    def wait(self) -> int:
        return self._process.wait(STOP_SECONDS)

    def remove(self) -> None:
        if self._process.poll() is None:
            self._server().kill()  # the tool then clears its container away
            self._process.wait(STOP_SECONDS)
        self._folder.cleanup()

    def _server(self) -> psutil.Process:
        """Return the process of the server: the last of the chain below the tool."""
        for process in psutil.Process(self._process.pid).children(recursive=True):
            words = process.cmdline()
            if len(words) > 1 and words[1].endswith("/seedbed-server") and "python" in words[0]:
                return process
        raise ProcessLookupError("the server has ended")


def _entries(text: str) -> list[dict[str, Any]]:
    entries = []
    for line in text.splitlines():
        try:
            entry = json.loads(line)
        # The last line may be half written, and engines write lines of their own.
        except ValueError:
            continue
        if isinstance(entry, dict) and "message" in entry:
            entries.append(entry)
    return entries


def _memory(pid: int) -> Memory | None:
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:  # Docker may run in a virtual machine
        return None
    kilobytes = dict(re.findall(r"^(Vm\w+):\s+(\d+) kB$", text, re.MULTILINE))
    return Memory(int(kilobytes["VmRSS"]) * 1024, int(kilobytes["VmHWM"]) * 1024)


def _free_address() -> str:
    """Return an address of this machine that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"127.0.0.1:{listener.getsockname()[1]}"
