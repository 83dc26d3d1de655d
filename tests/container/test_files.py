"""Dockerfile and docker-compose.yml say what they must; run.sh beside this file runs the image."""

import argparse
import inspect
import json
import re
import shlex
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from seedbed.cli import program
from seedbed.manifest import Manifest
from seedbed_server import cli as server_cli
from seedbed_server.admin import probe
from seedbed_server.backends import cuda_kernels
from seedbed_server.backends.compilation import CACHE_VARIABLE
from seedbed_server.settings import Settings
from tools.lock_image import ALL

ROOT = Path(__file__).parents[2]
SERVERS = ["server", "server-gpu"]
# The arguments before the first FROM.
HEAD = ""
Instructions = list[tuple[str, str]]
Stages = dict[str, Instructions]


@pytest.fixture(scope="module")
def stages() -> Stages:
    """The Dockerfile's instructions by stage, in its order, with continued lines joined.

    Those before the first stage are HEAD's.
    """
    lines = [
        line for line in (ROOT / "Dockerfile").read_text().splitlines() if not line.startswith("#")
    ]
    stage = HEAD
    found: Stages = {HEAD: []}
    for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        name, _, rest = line.partition(" ")
        if name == "FROM":
            stage = rest.partition(" AS ")[2]
            assert stage not in found
            found[stage] = []
        if name:
            found[stage].append((name, rest))
    return found


@pytest.fixture(scope="module")
def default(stages: Stages) -> str:
    """The stage that `docker build .` makes."""
    return list(stages)[-1]


@pytest.fixture(scope="module", params=["cpu", "gpu"])
def image(request: pytest.FixtureRequest, stages: Stages) -> Instructions:
    """Every instruction that an image comes from, with those of the stages that it begins with."""
    return with_base(stages, request.param)


@pytest.fixture(scope="module")
def final(image: Instructions) -> dict[str, str]:
    """What the image says about itself: the last of each instruction."""
    return dict(image)


@pytest.fixture(scope="module")
def environment(image: Instructions) -> dict[str, str]:
    return environment_of(image)


@pytest.fixture(scope="module")
def compose() -> Any:
    """docker-compose.yml, with its variables at their defaults."""
    text = (ROOT / "docker-compose.yml").read_text()
    return yaml.safe_load(re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text))


def test_the_images_come_from_the_slim_python_alone(stages: Stages) -> None:
    bases = {base_of(instructions) for name, instructions in stages.items() if name != HEAD}
    assert bases - set(stages) == {"${BASE}${BASE_DIGEST:+@$BASE_DIGEST}"}
    base, digest = (rest.partition("=")[2] for name, rest in stages[HEAD] if name == "ARG")
    assert base == "python:3.11-slim-bookworm"
    assert re.fullmatch("sha256:[0-9a-f]{64}", digest)


def test_the_labels_name_the_base(stages: Stages) -> None:
    labels = labels_of(dict(stages["common"]))
    assert labels["org.opencontainers.image.base.name"] == "$BASE"
    assert labels["org.opencontainers.image.base.digest"] == "$BASE_DIGEST"
    assert [rest for name, rest in stages["common"] if name == "ARG"] == ["BASE", "BASE_DIGEST"]


def test_everything_that_is_installed_is_locked(stages: Stages) -> None:
    environment = environment_of(stages["pip"])
    assert environment["PIP_REQUIRE_HASHES"] == environment["PIP_NO_DEPS"] == "1"
    assert environment["PIP_ONLY_BINARY"] == ":all:"
    installs = [
        (name, command)
        for name, instructions in stages.items()
        for instruction, rest in instructions
        if instruction == "RUN"
        for command in rest.split("&&")
        if " install " in command and "apt-get" not in command
    ]
    own = [command for _, command in installs if "PIP_REQUIRE_HASHES=0" in command]
    assert len(own) == 1
    assert "--no-index" in own[0]
    locks = [re.search(r"-r docker/(\S+)\.txt", command) for _, command in installs]
    assert [lock[1] for lock in locks if lock] == ["server", "build", "${GPU_EXTRA}"]
    assert len(installs) == len(own) + 3
    assert all("pip" in bases_of(stages, name) for name, _ in installs)


def test_each_image_lists_what_is_in_it(stages: Stages) -> None:
    for image, source in (("cpu", "build"), ("gpu", "gpu-build")):
        copy = ("COPY", f"--from={source} /opt/sbom.cdx.json /usr/share/doc/seedbed/")
        assert copy in stages[image]
        (command,) = (rest for _, rest in stages[source] if "cyclonedx-py environment" in rest)
        assert "--output-file /opt/sbom.cdx.json /opt/venv" in command


def test_the_default_image_is_the_one_for_the_cpu(stages: Stages, default: str) -> None:
    assert default == "cpu"
    assert image_settings(with_base(stages, default)).device != "gpu"
    for name in needed(stages, default):
        words = " ".join(rest for _, rest in stages[name]).lower()
        assert not re.search("gpu|nvidia|cuda|cupy", words)


def test_the_gpu_image_samples_on_the_gpu(stages: Stages) -> None:
    assert image_settings(with_base(stages, "gpu")).device == "gpu"


def test_the_gpu_image_adds_its_libraries_to_the_other_image(stages: Stages) -> None:
    assert base_of(stages["gpu"]) == base_of(stages["cpu"])
    assert [name for name, _ in stages["cpu"]] == ["FROM", "COPY", "CMD"]
    copies = [rest for name, rest in stages["gpu"] if name == "COPY"]
    libraries = "--from=gpu-dependencies /opt/gpu /opt/venv"
    assert copies[:2] == [libraries, "--from=gpu-build /opt/kernels /opt/kernels"]
    assert base_of(stages["gpu-dependencies"]) == "dependencies"
    # Their files are named after the sources and after numba-cuda, so both must be the image's own.
    assert base_of(stages["gpu-build"]) == "build"
    assert ("COPY", libraries) in stages["gpu-build"]


def test_the_gpu_image_carries_the_kernels_for_three_kinds_of_gpu(stages: Stages) -> None:
    environment = environment_of(with_base(stages, "gpu"))
    module = f"python -m {cuda_kernels.__name__} "
    (command,) = (rest for _, rest in stages["gpu-build"] if module in rest)
    assert f"{module}8.0 9.0 10.0 " in command
    assert f"{CACHE_VARIABLE}={environment[CACHE_VARIABLE]} " in command


def test_the_gpu_image_has_the_packages_extra(stages: Stages) -> None:
    name, _, default_extra = dict(stages["gpu-dependencies"])["ARG"].partition("=")
    assert f"docker/${{{name}}}.txt" in dict(stages["gpu-dependencies"])["RUN"]
    assert default_extra == "gpu"
    extras = {lock.name: lock.extra for lock in ALL if lock.beside == "server"}
    assert extras == {"gpu": "gpu", "gpu-cuda12": "gpu-cuda12"}


def test_the_gpu_image_asks_for_the_driver(stages: Stages) -> None:
    environment = environment_of(with_base(stages, "gpu"))
    assert environment["NVIDIA_VISIBLE_DEVICES"] == "all"
    assert environment["NVIDIA_DRIVER_CAPABILITIES"] == "compute,utility"


@pytest.mark.parametrize("variable", ["CUPY_CACHE_DIR", "NUMBA_CACHE_DIR"])
def test_the_gpu_images_caches_are_where_it_can_write(stages: Stages, variable: str) -> None:
    assert environment_of(with_base(stages, "gpu"))[variable].startswith("/tmp/")


def test_an_image_only_loses_what_installs(image: Instructions) -> None:
    (command,) = (rest for name, rest in image if name == "RUN")
    words = shlex.split(command)
    assert {words[i] for i in command_starts(words)} == {"cd", "rm"}
    assert {"bin/pip*", "lib/python3.11/ensurepip", "lib/python3.11/site-packages/*"} <= set(words)


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
    *python, path = json.loads(words)
    assert python == ["/opt/venv/bin/python", "-I", "-S"]
    source = Path(inspect.getfile(probe)).relative_to(ROOT / "server")
    assert path == f"/opt/venv/lib/python3.11/site-packages/{source}"


def test_the_health_check_asks_where_the_server_answers(environment: dict[str, str]) -> None:
    assert environment["SEEDBED_ADMIN_LISTEN"] == probe.DEFAULT_ADDRESS


def test_the_server_listens_on_the_exposed_port(
    final: dict[str, str], environment: dict[str, str]
) -> None:
    for variable in ("SEEDBED_LISTEN", "SEEDBED_TARGET"):
        assert environment[variable].rpartition(":")[2] == final["EXPOSE"]
    assert environment["SEEDBED_LISTEN"].startswith("0.0.0.0:")


def test_the_kernels_are_where_the_server_looks(
    stages: Stages, image: Instructions, environment: dict[str, str]
) -> None:
    folder = environment[CACHE_VARIABLE]
    assert ("COPY", f"--from=build {folder} {folder}") in image
    assert any(f"{CACHE_VARIABLE}={folder} " in rest for _, rest in stages["build"])


def test_the_label_names_the_packages_version(final: dict[str, str]) -> None:
    labels = labels_of(final)
    assert labels["org.opencontainers.image.version"] == project()["version"]
    assert labels["org.opencontainers.image.licenses"] == project()["license"]


def test_everything_that_is_copied_is_in_the_build_context(stages: Stages) -> None:
    ignore = (ROOT / ".dockerignore").read_text().splitlines()
    allowed = {line[1:] for line in ignore if line.startswith("!")}
    copies = [
        rest.split()[:-1] for stage in stages.values() for name, rest in stage if name == "COPY"
    ]
    paths = {word for words in copies if not words[0].startswith("--from") for word in words}
    copied = {each for each in allowed for path in paths if f"{path}/".startswith(f"{each}/")}
    assert copied == allowed
    assert all(any(f"{path}/".startswith(f"{each}/") for each in allowed) for path in paths)
    assert all((ROOT / name).exists() for name in copied)


def test_the_images_arguments_are_the_servers_own(image: Instructions) -> None:
    assert image_settings(image).log_format == "json"


@pytest.mark.parametrize(("name", "device"), [("server", "auto"), ("server-gpu", "gpu")])
def test_composes_arguments_are_the_servers_own(compose: Any, name: str, device: str) -> None:
    settings = settings_of(compose["services"][name]["command"])
    assert settings.log_format == "json"
    assert settings.device == device


def test_compose_starts_the_gpu_server_only_when_asked(compose: Any) -> None:
    profiles = {name: service.get("profiles") for name, service in compose["services"].items()}
    assert profiles == {"server": None, "demo": None, "server-gpu": ["gpu"]}


def test_composes_server_is_the_default_image(compose: Any) -> None:
    server = compose["services"]["server"]
    assert server["build"] == "."
    assert compose["services"]["demo"]["image"] == server["image"]
    assert "reservations" not in server["deploy"]["resources"]


def test_composes_gpu_server_is_the_gpu_image(compose: Any, stages: Stages) -> None:
    service = compose["services"]["server-gpu"]
    assert service["build"]["context"] == "."
    assert service["build"]["target"] == "gpu"
    assert service["image"] != compose["services"]["server"]["image"]
    argument = "=".join(*service["build"]["args"].items())
    assert ("ARG", argument) in stages["gpu-dependencies"]


def test_compose_reserves_one_gpu(compose: Any) -> None:
    resources = compose["services"]["server-gpu"]["deploy"]["resources"]
    assert resources["reservations"]["devices"] == [
        {"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}
    ]


def test_both_servers_can_run(compose: Any, final: dict[str, str]) -> None:
    ports = [compose["services"][name]["ports"] for name in SERVERS]
    addresses = [str(port).rpartition(":") for (port,) in ports]
    assert len({address for address, _, _ in addresses}) == len(SERVERS)
    assert {port for _, _, port in addresses} == {final["EXPOSE"]}


def test_the_demos_commands_are_the_clients_own(compose: Any) -> None:
    demo = compose["services"]["demo"]
    (script,) = demo["command"]
    commands = [shlex.split(line) for line in script.splitlines()]
    assert [words[:2] for words in commands] == [["seedbed", "fetch"], ["seedbed", "verify"]]
    fetch, verify = (program.command_line().parse_args(words[1:]) for words in commands)
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


@pytest.mark.parametrize("name", [*SERVERS, "demo"])
def test_containers_are_confined(compose: Any, name: str) -> None:
    service = compose["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert [each.split(":")[0] for each in service["tmpfs"]] == ["/tmp"]
    assert "memory" in service["deploy"]["resources"]["limits"]


def test_a_server_has_the_memory_that_it_may_use(compose: Any) -> None:
    settings = Settings()
    used = settings.max_inflight_bytes + settings.max_working_bytes + 512 * 2**20
    limits = [compose["services"][name]["deploy"]["resources"]["limits"] for name in SERVERS]
    page = (ROOT / "docs" / "container.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```yaml\n(containers:.*?)^```$", page, re.MULTILINE | re.DOTALL)
    (container,) = yaml.safe_load(example)["containers"]
    given = [each["memory"] for each in (*limits, container["resources"]["limits"])]
    assert given == ["6g", "6g", "6Gi"]
    assert used <= 6 * 2**30


@pytest.mark.parametrize("name", SERVERS)
def test_the_port_is_open_to_this_machine_only(compose: Any, name: str) -> None:
    assert [port.split(":")[0] for port in compose["services"][name]["ports"]] == ["127.0.0.1"]


@pytest.mark.parametrize("name", SERVERS)
def test_compose_says_that_its_servers_have_no_tls(compose: Any, name: str) -> None:
    assert compose["services"][name]["environment"] == {"SEEDBED_INSECURE": "1"}


@pytest.mark.parametrize("name", SERVERS)
def test_the_engine_waits_longer_than_the_server(compose: Any, name: str) -> None:
    server = compose["services"][name]
    settings = settings_of(server["command"])
    seconds = settings.lame_duck_seconds + settings.grace_seconds
    assert int(server["stop_grace_period"].removesuffix("s")) > seconds


def base_of(instructions: Instructions) -> str:
    """What a stage begins with: another stage, or an image."""
    return instructions[0][1].partition(" AS ")[0]


def bases_of(stages: Stages, name: str) -> list[str]:
    """A stage and those that it begins with, the first one first."""
    base = base_of(stages[name])
    return [*(bases_of(stages, base) if base in stages else []), name]


def with_base(stages: Stages, name: str) -> Instructions:
    """A stage's instructions, after those of the stages that it begins with."""
    return [instruction for base in bases_of(stages, name) for instruction in stages[base]]


def command_starts(words: Sequence[str]) -> list[int]:
    """Where the commands of a shell's line begin."""
    return [0, *(i + 1 for i, word in enumerate(words) if word == "&&")]


def labels_of(final: Mapping[str, str]) -> dict[str, str]:
    return dict(word.split("=", 1) for word in shlex.split(final["LABEL"]))


def needed(stages: Stages, name: str) -> set[str]:
    """The stages that a stage begins with or copies from, however far away, and itself."""
    instructions = stages[name]
    sources = [
        base_of(instructions),
        *re.findall(r"--from=(\S+)", " ".join(rest for _, rest in instructions)),
    ]
    return {name}.union(*(needed(stages, each) for each in sources if each in stages))


def environment_of(instructions: Instructions) -> dict[str, str]:
    return dict(
        word.split("=", 1)
        for name, rest in instructions
        if name == "ENV"
        for word in shlex.split(rest)
    )


def image_settings(instructions: Instructions) -> Settings:
    """What the server makes of an image's own arguments and environment."""
    return settings_of(json.loads(dict(instructions)["CMD"]), environment_of(instructions))


def settings_of(arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> Settings:
    return server_cli.read_arguments(arguments, environment or {}).settings


def project() -> Any:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def container_port(compose: Any) -> str:
    (port,) = compose["services"]["server"]["ports"]
    return str(port).rpartition(":")[2]


def assert_is_example(options: argparse.Namespace, service: Any) -> None:
    (volume,) = service["volumes"]
    source, target, mode = volume.split(":")
    assert mode == "ro"
    path = ROOT / source / Path(options.manifest).relative_to(target)
    assert path.is_file()
    assert not path.is_symlink(), "inside the container it would lead nowhere"
