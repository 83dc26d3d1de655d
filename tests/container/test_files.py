"""Dockerfile and docker-compose.yml say what they must. Needs no engine; run.sh beside this file runs the image."""

import argparse
import json
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from seedbed.cli import program
from seedbed.manifest import Manifest
from seedbed_server import cli as server_cli
from seedbed_server.backends.compilation import CACHE_VARIABLE
from seedbed_server.settings import Settings

ROOT = Path(__file__).parents[2]
Instructions = list[tuple[str, str]]


@pytest.fixture(scope="module")
def stages() -> list[Instructions]:
    """The Dockerfile's instructions by stage, with continued lines joined."""
    lines = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if not line.startswith("#")]
    found: list[Instructions] = []
    for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        name, _, rest = line.partition(" ")
        if name == "FROM":
            found.append([])
        if name:
            found[-1].append((name, rest))
    return found


@pytest.fixture(scope="module")
def final(stages: list[Instructions]) -> dict[str, str]:
    """What the image says about itself: the last of each instruction in the last stage."""
    return dict(stages[-1])


@pytest.fixture(scope="module")
def environment(final: dict[str, str]) -> dict[str, str]:
    return dict(word.split("=", 1) for word in shlex.split(final["ENV"]))


@pytest.fixture(scope="module")
def compose() -> Any:
    """docker-compose.yml, with its variables at their defaults."""
    text = (ROOT / "docker-compose.yml").read_text()
    return yaml.safe_load(re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text))


def test_the_image_comes_from_the_slim_python_alone(stages: list[Instructions]) -> None:
    bases = [instructions[0][1].split(" AS ")[0] for instructions in stages]
    assert [base for base in bases if base != "dependencies"] == ["python:3.11-slim-bookworm"] * 2


def test_nothing_is_installed_into_the_last_stage(stages: list[Instructions]) -> None:
    assert "RUN" not in dict(stages[-1])


@pytest.mark.parametrize("name", ["ENTRYPOINT", "CMD"])
def test_the_server_runs_without_a_shell(final: dict[str, str], name: str) -> None:
    assert isinstance(json.loads(final[name]), list)


def test_the_entrypoint_is_a_script_of_the_package(final: dict[str, str]) -> None:
    (path,) = json.loads(final["ENTRYPOINT"])
    assert Path(path).name in project()["scripts"]


def test_the_user_is_a_number_and_not_root(final: dict[str, str]) -> None:
    user, group = map(int, final["USER"].split(":"))
    assert user > 0
    assert group > 0


def test_sigterm_stops_it(final: dict[str, str]) -> None:
    assert final["STOPSIGNAL"] == "SIGTERM"


def test_the_health_check_runs_without_a_shell(final: dict[str, str]) -> None:
    options, _, words = final["HEALTHCHECK"].partition(" CMD ")
    assert re.fullmatch(r"(--[a-z-]+=\w+ ?)+", options)
    compile(json.loads(words)[-1], "HEALTHCHECK", "exec")


def test_the_server_listens_on_the_exposed_port(final: dict[str, str], environment: dict[str, str]) -> None:
    for variable in ("SEEDBED_LISTEN", "SEEDBED_TARGET"):
        assert environment[variable].rpartition(":")[2] == final["EXPOSE"]
    assert environment["SEEDBED_LISTEN"].startswith("0.0.0.0:")


def test_the_kernels_are_where_the_server_looks(stages: list[Instructions], environment: dict[str, str]) -> None:
    folder = environment[CACHE_VARIABLE]
    assert ("COPY", f"--from=build {folder} {folder}") in stages[-1]
    assert any(f"{CACHE_VARIABLE}={folder} " in rest for _, rest in stages[1])


def test_the_label_names_the_packages_version(final: dict[str, str]) -> None:
    labels = dict(word.split("=", 1) for word in shlex.split(final["LABEL"]))
    assert labels["org.opencontainers.image.version"] == project()["version"]
    assert labels["org.opencontainers.image.licenses"] == project()["license"]


def test_everything_that_is_copied_is_in_the_build_context(stages: list[Instructions]) -> None:
    ignore = (ROOT / ".dockerignore").read_text().splitlines()
    allowed = {line[1:] for line in ignore if line.startswith("!")}
    copies = [rest.split()[:-1] for stage in stages for name, rest in stage if name == "COPY"]
    copied = {word for words in copies if not words[0].startswith("--from") for word in words}
    assert copied == allowed
    assert all((ROOT / name).exists() for name in copied)


def test_the_servers_arguments_are_its_own(final: dict[str, str], compose: Any) -> None:
    for words in (json.loads(final["CMD"]), compose["services"]["server"]["command"]):
        assert server_cli._parser().parse_args(words).log_format == "json"


def test_the_demos_commands_are_the_clients_own(compose: Any) -> None:
    demo = compose["services"]["demo"]
    (script,) = demo["command"]
    commands = [shlex.split(line) for line in script.splitlines()]
    assert [words[:2] for words in commands] == [["seedbed", "fetch"], ["seedbed", "verify"]]
    fetch, verify = (program._parser().parse_args(words[1:]) for words in commands)
    assert fetch.target == f"server:{container_port(compose)}"
    assert verify.target == "embedded:"
    assert fetch.output == verify.file
    assert_is_example(fetch, demo)
    assert_is_example(verify, demo)


def test_the_demo_has_room_for_what_it_fetches(compose: Any) -> None:
    (tmpfs,) = compose["services"]["demo"]["tmpfs"]
    assert "size=1g" in tmpfs
    assert Manifest.load(ROOT / "examples" / "gpt2-small.yaml").size_bytes < 2**30


def test_the_demo_waits_for_a_healthy_server(compose: Any) -> None:
    assert compose["services"]["demo"]["depends_on"] == {"server": {"condition": "service_healthy"}}


@pytest.mark.parametrize("name", ["server", "demo"])
def test_containers_are_confined(compose: Any, name: str) -> None:
    service = compose["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert [each.split(":")[0] for each in service["tmpfs"]] == ["/tmp"]
    assert "memory" in service["deploy"]["resources"]["limits"]


def test_the_port_is_open_to_this_machine_only(compose: Any) -> None:
    assert [port.split(":")[0] for port in compose["services"]["server"]["ports"]] == ["127.0.0.1"]


def test_the_engine_waits_longer_than_the_server(compose: Any) -> None:
    server = compose["services"]["server"]
    grace_seconds = server_cli._parser().parse_args(server["command"]).grace_seconds or Settings().grace_seconds
    assert int(server["stop_grace_period"].removesuffix("s")) > grace_seconds


def project() -> Any:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def container_port(compose: Any) -> str:
    (port,) = compose["services"]["server"]["ports"]
    return str(port).rpartition(":")[2]


def assert_is_example(options: argparse.Namespace, service: Any) -> None:
    (volume,) = service["volumes"]
    source, target, mode = volume.split(":")
    assert mode == "ro"
    assert (ROOT / source / Path(options.manifest).relative_to(target)).is_file()
