"""The wheel has all that an installed seedbed needs, and nothing else."""

import configparser
import re
import tomllib
import zipfile
from collections.abc import Iterator
from importlib import import_module

import pytest
from packaging.metadata import Metadata

from tests.newcomer.wheel import ROOT, built_wheel

HOME = "https://code.example.org/seedbed"
# What is no module.
DATA = {
    "seedbed/cli/completions/seedbed.bash",
    "seedbed/cli/completions/seedbed.fish",
    "seedbed/cli/completions/seedbed.zsh",
    "seedbed/examples/classifier.yaml",
    "seedbed/examples/gpt2-small.yaml",
    "seedbed/examples/llama-3.1-8b.yaml",
    "seedbed/py.typed",
    "seedbed/reports/page/copy.js",
    "seedbed/reports/page/style.css",
    "seedbed/v1/descriptions_pb2.pyi",
    "seedbed/v1/errors_pb2.pyi",
    "seedbed/v1/initializers_pb2.pyi",
    "seedbed/v1/seedbed.binpb",
    "seedbed/v1/segments_pb2.pyi",
    "seedbed/v1/service_pb2.pyi",
    "seedbed/v1/streams_pb2.pyi",
    "seedbed/v1/tensors_pb2.pyi",
    "seedbed_server/admin/page/icon.svg",
    "seedbed_server/admin/page/index.html",
    "seedbed_server/admin/page/page.js",
    "seedbed_server/admin/page/style.css",
    "seedbed_server/golden/seedbed-1.json",
    "seedbed_server/py.typed",
}
EXTRAS = {
    *("engine", "server", "plot", "tracing", "gpu", "gpu-cuda12"),
    *("torch", "jax", "keras", "mlx"),
}
# Each group with the names in it.
ENTRY_POINTS = {
    ("console_scripts", "seedbed", "seedbed-server"),
    ("seedbed.devices", "gpu"),
    ("seedbed.transports", "embedded"),
    ("seedbed.warm_up", "embedded"),
}
PYTHONS = ["3.11", "3.12", "3.13"]
URLS = {"Homepage", "Documentation", "Changelog", "Source", "Issues"}
LINK = re.compile(r"\]\(([^)]+)\)")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    """The wheel of a release, opened."""
    with zipfile.ZipFile(built_wheel(tmp_path_factory.mktemp("wheel"), HOME)) as archive:
        yield archive


@pytest.fixture(scope="module")
def project() -> dict[str, object]:
    """What pyproject.toml says of it."""
    project: dict[str, object] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return project


@pytest.fixture(scope="module")
def info(project: dict[str, object]) -> str:
    """The folder of what says what the wheel is."""
    return f"seedbed-{project['version']}.dist-info"


@pytest.fixture(scope="module")
def metadata(wheel: zipfile.ZipFile, info: str) -> Metadata:
    """Its metadata, which is found valid."""
    return Metadata.from_email(wheel.read(f"{info}/METADATA"), validate=True)


def modules() -> set[str]:
    """Return the names of all modules of the packages."""
    packages = {
        "client": ["seedbed", "seedbed_main.py"],
        "server": ["seedbed_server", "seedbed_server_main.py"],
    }
    found = set()
    for folder, names in packages.items():
        for name in names:
            top = ROOT / folder / name
            paths = top.rglob("*.py") if top.is_dir() else [top]
            found |= {str(each.relative_to(ROOT / folder)) for each in paths}
    return found


def test_it_has_the_packages_and_nothing_else(wheel: zipfile.ZipFile, info: str) -> None:
    about = ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")
    expected = modules() | DATA | {f"{info}/{each}" for each in about}
    assert set(wheel.namelist()) == expected
    assert len(wheel.namelist()) == len(expected)


def test_each_file_is_that_of_the_checkout(wheel: zipfile.ZipFile, info: str) -> None:
    for name in DATA:
        source = ROOT / ("server" if name.startswith("seedbed_server") else "client") / name
        assert wheel.read(name) == source.read_bytes(), name
    assert wheel.read(f"{info}/licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()
    assert b"Tag: py3-none-any" in wheel.read(f"{info}/WHEEL")


def test_it_says_what_it_is(metadata: Metadata, project: dict[str, object]) -> None:
    assert (metadata.name, str(metadata.version)) == ("seedbed", project["version"])
    assert metadata.summary == project["description"]
    assert metadata.license_expression == "Apache-2.0"
    assert metadata.license_files == ["LICENSE"]
    # Of what an older installer or index reads, this is the newest version with its fields.
    assert metadata.metadata_version == "2.4"


def test_it_says_which_pythons_it_is_for(metadata: Metadata) -> None:
    assert metadata.classifiers is not None
    assert str(metadata.requires_python) == f">={PYTHONS[0]}"
    named = [each.rpartition(" ")[2] for each in metadata.classifiers if ":: 3." in each]
    assert named == PYTHONS
    assert "Typing :: Typed" in metadata.classifiers


def test_its_extras_are_those_for_users(metadata: Metadata) -> None:
    assert metadata.provides_extra is not None
    assert set(metadata.provides_extra) == EXTRAS


def test_its_page_and_its_addresses_lead_somewhere(metadata: Metadata) -> None:
    assert metadata.project_urls is not None
    assert metadata.description is not None
    assert metadata.description_content_type == "text/markdown"
    assert set(metadata.project_urls) == URLS
    assert all(each.startswith(HOME) for each in metadata.project_urls.values())
    links = LINK.findall(metadata.description)
    assert len(links) > 50
    assert all(each.startswith(("https://", "#")) for each in links)


def test_its_entry_points_are_there(wheel: zipfile.ZipFile, info: str) -> None:
    parser = configparser.ConfigParser()
    parser.read_string(wheel.read(f"{info}/entry_points.txt").decode())
    assert {(group, *parser[group]) for group in parser.sections()} == ENTRY_POINTS
    for group in parser.sections():
        for target in parser[group].values():
            module, name = target.split(":")
            assert callable(getattr(import_module(module), name)), target
