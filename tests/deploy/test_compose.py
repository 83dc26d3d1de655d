"""Compose takes the file, and its parts fit each other, the server and the other files."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from seedbed_server import cli as server_cli
from seedbed_server.settings import Settings
from tests.deploy.programs import DEPLOY, program, read_yaml, run

FOLDER = DEPLOY / "compose"
SERVERS = ["server-1", "server-2", "server-3"]


@pytest.fixture(scope="module")
def services() -> Any:
    """The services as Compose itself reads them, with paths that are absolute."""
    command = ("config", "--format", "json")
    text = run(program("docker-compose"), "--file", FOLDER / "compose.yaml", *command)
    return json.loads(text)["services"]


@pytest.fixture
def settings(services: Any) -> Settings:
    """What the first server makes of its arguments and variables."""
    server = services["server-1"]
    return server_cli.read_arguments(server["command"], server["environment"]).settings


def test_a_field_that_compose_does_not_know_is_found_out(tmp_path: Path) -> None:
    text = (FOLDER / "compose.yaml").read_text()
    (tmp_path / "compose.yaml").write_text(text.replace("cap_drop:", "caps_drop:"))
    with pytest.raises(AssertionError, match="caps_drop"):
        run(program("docker-compose"), "--file", tmp_path / "compose.yaml", "config")


def test_the_servers_are_alike(services: Any) -> None:
    assert [name for name in sorted(services) if name.startswith("server")] == SERVERS
    assert all(services[name] == services[SERVERS[0]] for name in SERVERS)


def test_files_that_are_mounted_are_there(services: Any) -> None:
    binds = [
        Path(volume["source"])
        for service in services.values()
        for volume in service.get("volumes", [])
        if volume["type"] == "bind"
    ]
    secrets = FOLDER / "secrets"
    assert {path for path in binds if path.is_relative_to(secrets)} == {
        secrets / "server",
        secrets / "haproxy",
    }
    assert all(path.exists() for path in binds if not path.is_relative_to(secrets))


def test_the_servers_files_are_those_that_are_made(services: Any, settings: Settings) -> None:
    (volume,) = services["server-1"]["volumes"]
    folder = Path(volume["target"])
    assert settings.tls_cert == folder / "server.crt"
    assert settings.tls_key == folder / "server.key"
    assert settings.tokens == folder / "tokens"
    assert "certificate server server server-1 server-2 server-3\n" in made()


def test_haproxy_finds_its_files(services: Any) -> None:
    targets = {volume["target"] for volume in services["haproxy"]["volumes"]}
    named = set(re.findall(r"/etc/haproxy/[\w.]+", (FOLDER / "haproxy.cfg").read_text()))
    assert {str(Path(path).parent) for path in named} == {"/etc/haproxy"}
    assert "/etc/haproxy" in targets
    assert all(f"secrets/haproxy/{Path(path).name}" in made() for path in named)


def test_ports_fit(services: Any, settings: Settings) -> None:
    haproxy = (FOLDER / "haproxy.cfg").read_text()
    (port,) = services["haproxy"]["ports"]
    assert f"  bind :{port['target']} ssl " in haproxy
    assert settings.admin_listen == "0.0.0.0:9464"
    assert " check port 9464 " in haproxy
    for name in SERVERS:
        assert f"  server {name} {name}:50051 verifyhost {name}\n" in haproxy
    jobs = read_yaml(DEPLOY / "prometheus/prometheus.yml")["scrape_configs"]
    assert {job["job_name"]: job["static_configs"][0]["targets"] for job in jobs} == {
        "seedbed": [f"{name}:9464" for name in SERVERS],
        "haproxy": ["haproxy:8405"],
    }
    assert "  bind :8405\n" in haproxy
    source = read_yaml(FOLDER / "grafana/datasource.yaml")["datasources"][0]
    (port,) = services["prometheus"]["ports"]
    assert source["url"] == f"http://prometheus:{port['target']}"


def test_who_talks_to_whom_is_in_one_network(services: Any) -> None:
    networks = {name: set(service["networks"]) for name, service in services.items()}
    assert networks == {
        **{name: {"servers"} for name in SERVERS},
        "haproxy": {"default", "servers"},
        "prometheus": {"default", "servers"},
        "grafana": {"default"},
    }


def test_only_haproxy_is_open_to_other_hosts(services: Any) -> None:
    ports = {
        (name, port.get("host_ip"))
        for name, service in services.items()
        for port in service.get("ports", [])
    }
    own = "127.0.0.1"
    assert ports == {("haproxy", None), ("prometheus", own), ("grafana", own)}


def test_each_container_is_confined(services: Any) -> None:
    for service in services.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        # A name without a version would be another program tomorrow.
        assert re.fullmatch(r"[\w/]+:[\w.]+", service["image"])
        assert not service["image"].endswith(":latest")


def test_containers_are_given_time_to_drain(services: Any, settings: Settings) -> None:
    drains = settings.lame_duck_seconds + settings.grace_seconds
    assert seconds(services["server-1"]["stop_grace_period"]) > drains
    stops = re.findall(r"hard-stop-after (\d+)s", (FOLDER / "haproxy.cfg").read_text())
    assert seconds(services["haproxy"]["stop_grace_period"]) > int(stops[0]) > drains


def test_the_server_has_the_memory_and_the_processors_that_it_uses(
    services: Any, settings: Settings
) -> None:
    limits = services["server-1"]["deploy"]["resources"]["limits"]
    used = settings.max_inflight_bytes + settings.max_working_bytes + 512 * 2**20
    assert used <= int(limits["memory"])
    assert settings.threads == limits["cpus"]


def made() -> str:
    """Return what makes the secrets."""
    return (FOLDER / "make-certificates.sh").read_text()


def seconds(text: str) -> int:
    """Return a duration of Compose's."""
    match = re.fullmatch(r"(?:(\d+)m)?(\d+)s", text)
    assert match is not None
    return int(match[1] or 0) * 60 + int(match[2])
