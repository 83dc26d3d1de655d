"""A schema that breaks the last release is refused, and the wheel has the compiled one."""

import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from hatchling.build import build_wheel

from seedbed.v1 import errors_pb2, service_pb2

ROOT = Path(__file__).parents[2]
BUF = ".tools/buf-"


def comparison() -> list[str]:
    """Return the command of `make check` that compares the schema with the released one."""
    recipe = subprocess.run(
        ["make", "--dry-run", "check"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    (line,) = (each for each in recipe.splitlines() if " breaking " in each)
    program, *arguments = line.split()
    assert program.startswith(BUF)
    assert (ROOT / program).exists(), "`make check` installs buf"
    return [str(ROOT / program), *arguments]


BREAKING = {
    "a field that is gone": ("  fixed64 draw = 6;\n", ""),
    "a field with another number": ("fixed64 draw = 6;", "fixed64 draw = 8;"),
    "a field with another name": ("fixed64 draw = 6;", "fixed64 use = 6;"),
    "a field of another type": ("fixed64 draw = 6;", "uint64 draw = 6;"),
    "an enum value that is gone": ("  DTYPE_BOOL = 13;\n", ""),
}
ALLOWED = {
    "as it is": ("", ""),
    "a new field": ("fixed64 draw = 6;", "fixed64 draw = 6;\n  // New.\n  bool new = 8;"),
    "a new enum value": ("DTYPE_BOOL = 13;", "DTYPE_BOOL = 13;\n  // New.\n  DTYPE_INT4 = 16;"),
}


def compared(folder: Path, old: str, new: str) -> subprocess.CompletedProcess[str]:
    """Compare a schema with one change with the released one."""
    shutil.copytree(ROOT / "proto", folder / "proto")
    shutil.copy(ROOT / "buf.yaml", folder)
    file = folder / "proto/seedbed/v1/tensors.proto"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    return subprocess.run(comparison(), cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("old", "new"), BREAKING.values(), ids=BREAKING)
def test_a_change_that_breaks_clients_fails_the_check(tmp_path: Path, old: str, new: str) -> None:
    found = compared(tmp_path, old, new)
    assert found.returncode != 0
    assert "proto/seedbed/v1/tensors.proto:" in found.stdout


@pytest.mark.parametrize(("old", "new"), ALLOWED.values(), ids=ALLOWED)
def test_an_addition_passes_the_check(tmp_path: Path, old: str, new: str) -> None:
    found = compared(tmp_path, old, new)
    assert found.returncode == 0, found.stdout + found.stderr


def test_the_wheel_holds_the_compiled_schema(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    with zipfile.ZipFile(tmp_path / build_wheel(str(tmp_path))) as wheel:
        compiled = descriptor_pb2.FileDescriptorSet.FromString(
            wheel.read("seedbed/v1/seedbed.binpb")
        )
    pool = descriptor_pool.DescriptorPool()
    for file in compiled.file:
        pool.Add(file)
    for module in (service_pb2, errors_pb2):
        own, shipped = descriptor_pb2.FileDescriptorProto(), descriptor_pb2.FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(own)
        pool.FindFileByName(own.name).CopyToProto(shipped)
        for field in (field for message in shipped.message_type for field in message.field):
            field.ClearField("json_name")  # the stubs leave it out
        assert own == shipped
