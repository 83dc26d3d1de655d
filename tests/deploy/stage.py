"""The setup of deploy/compose on this host: each container's name is a loopback address of its own.

So every file is used as it is but for the names in it, with the ports that it has.
"""

import random
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from seedbed_server.security.tokens import new_token
from tests.deploy.programs import DEPLOY, program, read_yaml, run
from tests.faults.replicas import Replica, replica

SERVERS = ("server-1", "server-2", "server-3")
PROXY_PORT = 8443
START_SECONDS = 180.0


class Stage:
    """Servers, and what it takes to put something before them or beside them.

    Args:
        folder: for what programs write, and for copies of the files.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(DEPLOY, folder / "deploy")
        self.compose = folder / "deploy" / "compose"
        # Of the 16 million addresses of the loopback, four that nobody else has.
        network = "127.{}.{}".format(*random.SystemRandom().choices(range(1, 255), k=2))
        names = (*SERVERS, "haproxy", "prometheus")
        self.hosts = {name: f"{network}.{i + 1}" for i, name in enumerate(names)}
        run(self.compose / "make-certificates.sh", "localhost", folder=folder)
        self.secrets = self.compose / "secrets"
        self.token, line = new_token("tests")
        (self.secrets / "server" / "tokens").write_text(line + "\n")
        (self.secrets / "server" / "tokens").chmod(0o640)
        self.servers: dict[str, Replica] = {}

    @contextmanager
    def running(self) -> Iterator["Stage"]:
        """Start the servers, with the variables of compose.yaml, and end them after the block."""
        compose = read_yaml(self.compose / "compose.yaml")
        variables = {
            name: text.replace("/etc/seedbed", str(self.secrets / "server"))
            for name, text in compose["services"]["server-1"]["environment"].items()
        }
        with ExitStack() as stack:
            for name in SERVERS:
                host = self.hosts[name]
                variables["SEEDBED_ADMIN_LISTEN"] = f"{host}:9464"
                # HAProxy asks once a second.
                quick = ("--lame-duck-seconds", "3")
                self.servers[name] = stack.enter_context(
                    replica(*quick, address=f"{host}:50051", environment=dict(variables))
                )
            yield self

    @property
    def target(self) -> str:
        """Where the proxy listens."""
        return f"{self.hosts['haproxy']}:{PROXY_PORT}"

    @property
    def variables(self) -> Mapping[str, str]:
        """What a client must know."""
        return {
            "SEEDBED_TLS_CA": str(self.secrets / "ca.crt"),
            "SEEDBED_TLS_SERVER_NAME": "localhost",
            "SEEDBED_TOKEN": self.token,
        }

    def written(self, path: str, *changes: tuple[str, str]) -> Path:
        """Write a copy of a file of deploy/ for this host, and return its path.

        Args:
            path: below deploy/.
            changes: what is replaced, each with what it becomes; it must be there.
        """
        text = (DEPLOY / path).read_text()
        for before, after in changes:
            assert before in text, f"{before} is not in {path}"
            text = text.replace(before, after)
        for name, host in self.hosts.items():
            text = re.sub(rf"\b{name}:(?=\d)", f"{host}:", text)
        file = self.folder / "deploy" / path
        file.write_text(text)
        return file

    @contextmanager
    def process(self, *command: str | Path, is_ready: Callable[[], bool]) -> Iterator[None]:
        """Run a program in the block, which begins when it is ready."""
        log = self.folder / f"{Path(command[0]).name}.log"
        with (
            log.open("w") as file,
            subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT) as process,
        ):
            try:
                end = time.monotonic() + START_SECONDS
                while not is_ready():
                    assert process.poll() is None, log.read_text()
                    assert time.monotonic() < end, log.read_text()
                    time.sleep(0.1)
                yield
            finally:
                process.terminate()


@contextmanager
def haproxy(stage: Stage) -> Iterator[None]:
    """Run HAProxy before the servers, by deploy/compose/haproxy.cfg."""
    host = stage.hosts["haproxy"]
    file = stage.written(
        "compose/haproxy.cfg",
        ("bind :", f"bind {host}:"),
        ("/etc/haproxy", str(stage.secrets / "haproxy")),
    )

    def sees_all() -> bool:
        servers = re.findall(
            r'^haproxy_server_status\{.*state="UP"\} 1$',
            fetched(f"{host}:8405/metrics"),
            re.MULTILINE,
        )
        return len(servers) == len(SERVERS)

    with stage.process(program("haproxy"), "-db", "-f", file, is_ready=sees_all):
        yield


@contextmanager
def nginx(stage: Stage) -> Iterator[None]:
    """Run nginx before the servers, by deploy/nginx/nginx.conf."""
    folder = stage.secrets / "haproxy"
    file = stage.written(
        "nginx/nginx.conf",
        ("listen 8443", f"listen {stage.target}"),
        ("/etc/nginx/seedbed/proxy", str(folder / "haproxy")),
        ("/etc/nginx/seedbed/ca.crt", str(folder / "ca.crt")),
        ("/tmp/nginx.pid", str(stage.folder / "nginx.pid")),
    )
    pid = stage.folder / "nginx.pid"
    command = (program("nginx"), "-e", "stderr", "-c", file, "-g", "daemon off;")
    with stage.process(*command, is_ready=pid.exists):
        yield


@contextmanager
def prometheus(stage: Stage) -> Iterator[str]:
    """Run Prometheus beside the servers, by deploy/prometheus; yield its address."""
    address = f"{stage.hosts['prometheus']}:9090"
    file = stage.written("prometheus/prometheus.yml", ("interval: 5s", "interval: 1s"))
    command = (
        program("prometheus"),
        f"--config.file={file}",
        f"--storage.tsdb.path={stage.folder / 'prometheus'}",
        f"--web.listen-address={address}",
    )

    def is_ready() -> bool:
        return "is Ready" in fetched(f"{address}/-/ready")

    with stage.process(*command, is_ready=is_ready):
        yield address


def fetched(url: str) -> str:
    """Return what an HTTP server answers; empty while it does not."""
    try:
        with urllib.request.urlopen(f"http://{url}", timeout=10) as answer:
            return str(answer.read().decode())
    except (OSError, urllib.error.URLError):
        return ""
