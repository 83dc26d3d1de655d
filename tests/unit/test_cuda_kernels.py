"""The cache of machine code for GPUs: found again where it is right, and only there."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from seedbed_server.backends import compilation, cuda_kernels
from seedbed_server.backends.cuda_kernels import Capability, kept_machine_code
from seedbed_server.kernels.blocks import BLOCK_KERNELS


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[Capability]:
    """What was compiled for; the machine code is only a text, which says so."""
    capabilities: list[Capability] = []

    def machine_code(kernels: object, capability: Capability) -> bytes:
        assert list(kernels) == list(BLOCK_KERNELS.values())  # type: ignore[call-overload]
        capabilities.append(capability)
        return code_for(capability)

    monkeypatch.setattr(cuda_kernels, "machine_code", machine_code)
    return capabilities


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The cache's folder, empty."""
    monkeypatch.setattr(cuda_kernels, "cache_directory", lambda: tmp_path)
    return tmp_path


def code_for(capability: Capability) -> bytes:
    return f"machine code for {capability}".encode()


def test_machine_code_is_compiled_once_for_each_capability(
    compiled: list[Capability], cache: Path
) -> None:
    for capability in [(8, 0), (9, 0), (8, 0), (9, 0)]:
        assert kept_machine_code(capability) == code_for(capability)
    assert compiled == [(8, 0), (9, 0)]
    assert len(list(cache.iterdir())) == 2, "and nothing else is left"


def test_a_file_that_cannot_take_its_name_leaves_nothing_behind(
    compiled: list[Capability], cache: Path
) -> None:
    (cache / cuda_kernels._file_name((8, 0))).mkdir()
    for _ in range(2):
        assert kept_machine_code((8, 0)) == code_for((8, 0))
    assert compiled == [(8, 0), (8, 0)]
    assert [path.is_dir() for path in cache.iterdir()] == [True]


def test_the_program_fills_the_cache(compiled: list[Capability], cache: Path) -> None:
    cuda_kernels.main(["8.0", "8.6", "10.0"])
    assert compiled == [(8, 0), (8, 6), (10, 0)]
    for capability in list(compiled):
        assert kept_machine_code(capability) == code_for(capability)
    assert len(compiled) == 3


def test_the_program_fails_where_it_cannot_write(
    compiled: list[Capability], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cuda_kernels, "cache_directory", lambda: None)
    with pytest.raises(SystemExit, match=compilation.CACHE_VARIABLE):
        cuda_kernels.main(["8.0"])


@pytest.mark.parametrize(
    ("kept", "device", "runs"),
    [
        ((8, 0), (8, 6), True),
        ((8, 0), (8, 9), True),
        ((10, 0), (10, 3), True),
        ((8, 6), (8, 0), False),
        ((8, 9), (9, 0), False),
        ((9, 0), (10, 0), False),
        ((7, 5), (8, 0), False),
        ((10, 0), (12, 0), False),
    ],
)
def test_machine_code_runs_on_devices_of_the_same_major_version_that_are_not_older(
    compiled: list[Capability], cache: Path, kept: Capability, device: Capability, runs: bool
) -> None:
    kept_machine_code(kept)
    assert kept_machine_code(device) == code_for(kept if runs else device)


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda content: b"",
    "short": lambda content: content[:20],
    "cut": lambda content: content[:-1],
    "longer": lambda content: content + b"\0",
    "another byte": lambda content: bytes([content[0] ^ 1]) + content[1:],
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_is_compiled_again_and_mended(
    compiled: list[Capability],
    cache: Path,
    caplog: pytest.LogCaptureFixture,
    damage: Callable[[bytes], bytes],
) -> None:
    kept_machine_code((9, 0))
    (path,) = cache.iterdir()
    path.write_bytes(damage(path.read_bytes()))
    for _ in range(2):
        assert kept_machine_code((9, 0)) == code_for((9, 0))
    assert compiled == [(9, 0)] * 2
    assert caplog.messages == [f"kernels are compiled again: {path} is damaged"]


def test_a_file_under_the_name_of_another_is_not_taken(
    compiled: list[Capability], cache: Path
) -> None:
    kept_machine_code((8, 0))
    (path,) = cache.iterdir()
    path.rename(cache / path.name.replace("sm_80", "sm_90"))
    assert kept_machine_code((9, 0)) == code_for((9, 0))


def test_another_numba_cuda_compiles_anew(
    compiled: list[Capability], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept_machine_code((9, 0))
    monkeypatch.setattr(cuda_kernels, "version", lambda name: f"{name} 99.0")
    kept_machine_code((9, 0))
    assert len(compiled) == len(list(cache.iterdir())) == 2


def test_other_sources_compile_anew(
    compiled: list[Capability], cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept_machine_code((9, 0))
    changed = tmp_path.with_suffix(".py")
    changed.write_bytes(Path(cuda_kernels.__file__).read_bytes() + b"# changed\n")
    monkeypatch.setattr(cuda_kernels, "__file__", str(changed))
    kept_machine_code((9, 0))
    assert len(compiled) == len(list(cache.iterdir())) == 2


def test_where_nothing_can_be_written_it_is_compiled_at_every_start(
    compiled: list[Capability], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(cuda_kernels, "cache_directory", lambda: None)
    assert kept_machine_code((9, 0)) == code_for((9, 0))
    # As a file system without room.
    monkeypatch.setattr(cuda_kernels, "cache_directory", lambda: tmp_path / "gone")
    assert kept_machine_code((9, 0)) == code_for((9, 0))
    assert compiled == [(9, 0)] * 2


def test_what_an_image_carries_is_found_though_its_folder_cannot_be_written_to(
    compiled: list[Capability], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    image, temporary = tmp_path / "image", tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv(compilation.CACHE_VARIABLE, str(image))
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    # Not the one of this process, which is decided once.
    monkeypatch.setattr(cuda_kernels, "cache_directory", compilation.cache_directory.__wrapped__)
    kept_machine_code((9, 0))
    assert any(image.rglob("*.cubin"))
    can_write = compilation._is_writable
    monkeypatch.setattr(
        compilation, "_is_writable", lambda path: image not in path.parents and can_write(path)
    )
    assert kept_machine_code((9, 0)) == code_for((9, 0))
    kept_machine_code((10, 0))
    assert compiled == [(9, 0), (10, 0)]
    assert len(list(temporary.rglob("*.cubin"))) == 2
