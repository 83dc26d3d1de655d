"""Kubernetes takes what kustomize builds, and its parts fit each other and the server.

ServiceMonitor is not one of Kubernetes' own kinds, so that no schema of Kubernetes has it: its
fields are compared with what they refer to.
"""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from seedbed_server import cli as server_cli
from seedbed_server.security.policy import read_policy
from seedbed_server.service.servicer import SERVICE
from seedbed_server.settings import Settings
from tests.deploy.programs import DEPLOY, ROOT, program, read_yaml, run

FOLDER = DEPLOY / "kubernetes"
OVERLAYS = ["base", "overlays/gpu", "overlays/daemonset"]
WORKLOADS = ("Deployment", "DaemonSet")
KUBERNETES = ["1.28", "1.37"]
MIB = 2**20
UNITS = {"Mi": MIB, "Gi": 2**10 * MIB}

Resource = dict[str, Any]


@pytest.fixture(scope="module", params=OVERLAYS)
def resources(request: pytest.FixtureRequest) -> list[Resource]:
    """All that one of the kustomizations makes."""
    return build(FOLDER / request.param)


@pytest.fixture(scope="module")
def monitored(tmp_path_factory: pytest.TempPathFactory) -> list[Resource]:
    """The base with the component for the Prometheus operator, as somebody would add it."""
    folder = tmp_path_factory.mktemp("kubernetes") / "kubernetes"
    shutil.copytree(FOLDER, folder)
    (folder / "own").mkdir()
    (folder / "own" / "kustomization.yaml").write_text(
        "resources: [../base]\ncomponents: [../components/prometheus-operator]\n"
    )
    return build(folder / "own")


@pytest.fixture(scope="module")
def workload(resources: list[Resource]) -> Resource:
    """What starts the servers."""
    (found,) = [each for each in resources if each["kind"] in WORKLOADS]
    return found


@pytest.fixture(scope="module")
def pod(workload: Resource) -> Resource:
    """A server's pod, but for its labels."""
    found: Resource = workload["spec"]["template"]["spec"]
    return found


@pytest.fixture(scope="module")
def server(pod: Resource) -> Resource:
    """Its one container that goes on."""
    (found,) = pod["containers"]
    assert isinstance(found, dict)
    return found


@pytest.fixture
def settings(
    resources: list[Resource], pod: Resource, server: Resource, tmp_path: Path
) -> Settings:
    """What the server makes of its arguments and of the file that is mounted for it."""
    (config,) = of_kind(resources, "ConfigMap")
    for name, text in config["data"].items():
        (tmp_path / name).write_text(text)
    (mount,) = [each["mountPath"] for each in server["volumeMounts"] if each["name"] == "config"]
    arguments = [
        text.replace(f"--config={mount}", f"--config={tmp_path}") for text in server["args"]
    ]
    assert arguments != server["args"]
    return server_cli.read_arguments(arguments, {}).settings


@pytest.mark.parametrize("version", KUBERNETES)
def test_kubernetes_takes_all_of_it(resources: list[Resource], version: str) -> None:
    for each in resources:
        kubernetes_validate.validate(each, version, strict=True)


@pytest.mark.parametrize("version", KUBERNETES)
def test_kubernetes_takes_the_rank(version: str) -> None:
    rank = read_yaml(FOLDER / "overlays/daemonset/rank.yaml")
    kubernetes_validate.validate(rank, version, strict=True)


def test_a_field_that_kubernetes_does_not_know_is_found_out(resources: list[Resource]) -> None:
    (account,) = of_kind(resources, "ServiceAccount")
    with pytest.raises(kubernetes_validate.ValidationError, match="autoMountToken"):
        kubernetes_validate.validate({**account, "autoMountToken": False}, "1.37", strict=True)


def test_what_selects_pods_selects_the_servers(
    resources: list[Resource], workload: Resource
) -> None:
    labels = workload["spec"]["template"]["metadata"]["labels"]
    for selector in selectors(resources):
        assert selector
        assert selector.items() <= labels.items()


def test_ports_that_are_referred_to_are_there(
    resources: list[Resource], pod: Resource, server: Resource
) -> None:
    names = {port["name"] for port in server["ports"]}
    for service in of_kind(resources, "Service"):
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= names
    for policy in of_kind(resources, "NetworkPolicy"):
        for rule in policy["spec"]["ingress"]:
            assert {port["port"] for port in rule["ports"]} <= names


def test_the_ports_are_those_the_server_listens_on(server: Resource, settings: Settings) -> None:
    ports = {port["name"]: port["containerPort"] for port in server["ports"]}
    assert settings.admin_listen == f"0.0.0.0:{ports.pop('admin')}"
    # The image's own variable says the TCP port.
    image = (ROOT / "Dockerfile").read_text()
    assert all(f"SEEDBED_LISTEN=0.0.0.0:{port} " in image for port in ports.values())
    assert bool(ports) != settings.listen[0].startswith("unix:")


def test_the_probes_ask_the_admin_endpoint(server: Resource) -> None:
    asked = {
        name: server[f"{name}Probe"]["httpGet"] for name in ("startup", "readiness", "liveness")
    }
    assert {probe["port"] for probe in asked.values()} == {"admin"}
    assert {name: probe["path"] for name, probe in asked.items()} == {
        "startup": "/readyz",
        "readiness": "/readyz",
        "liveness": "/livez",
    }


def test_kubernetes_waits_longer_than_the_server_drains(pod: Resource, settings: Settings) -> None:
    drains = settings.lame_duck_seconds + settings.grace_seconds
    assert pod["terminationGracePeriodSeconds"] > drains


def test_the_lame_duck_outlives_the_readiness_probe(server: Resource, settings: Settings) -> None:
    probe = server["readinessProbe"]
    if not settings.listen[0].startswith("unix:"):
        assert settings.lame_duck_seconds > 2 * probe["periodSeconds"] * probe["failureThreshold"]


def test_the_server_has_the_memory_and_the_processors_that_it_uses(
    server: Resource, settings: Settings
) -> None:
    limits = server["resources"]["limits"]
    shared = settings.max_shared_memory_bytes if settings.shared_memory_dir is not None else 0
    most = settings.max_inflight_bytes + settings.max_working_bytes + shared + 512 * MIB
    assert most <= int(limits["memory"][:-2]) * UNITS[limits["memory"][-2:]]
    assert settings.threads == int(limits["cpu"])


def test_each_file_that_the_settings_name_is_mounted(server: Resource, settings: Settings) -> None:
    mounts = {Path(mount["mountPath"]) for mount in server["volumeMounts"]}
    files = [settings.tls_cert, settings.tls_key, settings.tokens, settings.policy]
    named = [path for path in files if path is not None]
    if settings.shared_memory_dir is not None:
        named.append(settings.shared_memory_dir / "file")
    named += [Path(text.removeprefix("unix://")) for text in settings.listen if "unix:" in text]
    assert named
    # A file in the folder of --config is beside the file here, and in its mount there.
    assert {path.parent for path in named} <= mounts | {Path("/etc/seedbed/config")}


def test_each_mount_has_its_volume(pod: Resource) -> None:
    volumes = {volume["name"] for volume in pod["volumes"]}
    containers = [*pod["containers"], *pod.get("initContainers", [])]
    mounts = {mount["name"] for each in containers for mount in each["volumeMounts"]}
    assert mounts == volumes


def test_the_server_is_confined(pod: Resource, server: Resource) -> None:
    context = {**pod["securityContext"], **server["securityContext"]}
    assert context.pop("fsGroup", 10001) == 10001
    assert context == {
        "runAsNonRoot": True,
        "runAsUser": 10001,
        "runAsGroup": 10001,
        "seccompProfile": {"type": "RuntimeDefault"},
        "readOnlyRootFilesystem": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }
    assert "USER 10001:10001" in (ROOT / "Dockerfile").read_text()
    assert pod["automountServiceAccountToken"] is False


def test_the_autoscaler_scales_what_is_there(resources: list[Resource], workload: Resource) -> None:
    for scaler in of_kind(resources, "HorizontalPodAutoscaler"):
        target = scaler["spec"]["scaleTargetRef"]
        assert (target["kind"], target["name"]) == (workload["kind"], workload["metadata"]["name"])
        # Else each `kubectl apply` would set the number back.
        assert "replicas" not in workload["spec"]


def test_the_gpu_overlay_asks_for_a_gpu() -> None:
    resources = build(FOLDER / "overlays/gpu")
    (deployment,) = of_kind(resources, "Deployment")
    (server,) = deployment["spec"]["template"]["spec"]["containers"]
    assert server["resources"]["limits"]["nvidia.com/gpu"] == 1
    assert server["image"] == "seedbed:gpu"
    assert server["args"][-1] == "--device=gpu"


def test_the_policy_is_one_that_the_server_reads() -> None:
    read_policy(FOLDER / "base/policy.yaml", [method.name for method in SERVICE.methods])


def test_the_operator_finds_each_server_once(monitored: list[Resource]) -> None:
    (monitor,) = of_kind(monitored, "ServiceMonitor")
    selected = monitor["spec"]["selector"]["matchLabels"]
    (endpoint,) = monitor["spec"]["endpoints"]
    services = [
        service
        for service in of_kind(monitored, "Service")
        if selected.items() <= service["metadata"]["labels"].items()
        and endpoint["port"] in {port["name"] for port in service["spec"]["ports"]}
    ]
    (service,) = services
    # The alerts ask for this job.
    assert service["metadata"]["labels"][monitor["spec"]["jobLabel"]] == "seedbed"


def build(folder: Path) -> list[Resource]:
    """Return what kustomize makes of a folder."""
    text = run(program("kubectl"), "kustomize", folder)
    return list(yaml.safe_load_all(text))


def of_kind(resources: list[Resource], kind: str) -> list[Resource]:
    """Return the resources of a kind."""
    return [each for each in resources if each["kind"] == kind]


def selectors(resources: list[Resource]) -> Iterator[Mapping[str, str]]:
    """Yield how services, policies, budgets and the workload itself name the servers' pods."""
    for each in resources:
        spec = each.get("spec", {})
        if each["kind"] == "Service":
            yield spec["selector"]
        elif each["kind"] == "NetworkPolicy":
            yield spec["podSelector"]["matchLabels"]
        elif each["kind"] in ("PodDisruptionBudget", *WORKLOADS):
            yield spec["selector"]["matchLabels"]
