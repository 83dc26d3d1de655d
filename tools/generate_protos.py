"""Generate what is made of proto/seedbed/v1, or check that it is up to date.

    python tools/generate_protos.py
    python tools/generate_protos.py --check

The Python stubs and the descriptor set go to client/seedbed/v1 and are committed. The folders under
proto/ are the Python packages, so protoc's imports resolve as they stand.
"""

import argparse
import sys
import tempfile
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent
PROTO_ROOT = ROOT / "proto"
PACKAGE = Path("seedbed/v1")
COMMITTED = ROOT / "client" / PACKAGE
# For tools that read a compiled schema. Without the comments: with them it would be four times as
# large, and another one after each edit of a comment.
DESCRIPTOR_SET = "seedbed.binpb"
# Without it the folder would be a namespace package, which import checkers do not look into.
INIT = '"""Generated from proto/seedbed/v1 by tools/generate_protos.py; never edited."""\n'


def generate() -> dict[str, bytes]:
    """Return the generated files, name to content.

    Raises:
        RuntimeError: if protoc refuses the schema; it has said why on stderr.
    """
    protos = sorted(
        str(path.relative_to(PROTO_ROOT)) for path in (PROTO_ROOT / PACKAGE).glob("*.proto")
    )
    # google/protobuf/*.proto, for schemas that import them.
    well_known = resources.files("grpc_tools") / "_proto"
    with tempfile.TemporaryDirectory() as out:
        (Path(out) / PACKAGE).mkdir(parents=True)
        options = [
            *(f"--{kind}_out={out}" for kind in ("python", "pyi", "grpc_python")),
            f"--descriptor_set_out={Path(out) / PACKAGE / DESCRIPTOR_SET}",
            "--include_imports",
        ]
        if protoc.main(["protoc", f"-I{PROTO_ROOT}", f"-I{well_known}", *options, *protos]) != 0:
            raise RuntimeError("protoc failed")
        files = {path.name: path.read_bytes() for path in (Path(out) / PACKAGE).iterdir()}
    files["__init__.py"] = INIT.encode()
    return {name: content for name, content in files.items() if not is_empty_service(name, content)}


def is_empty_service(name: str, content: bytes) -> bool:
    """Return whether this is protoc's file for the services of a schema that has none."""
    return name.endswith("_pb2_grpc.py") and b"\nclass " not in content


def committed() -> dict[str, bytes]:
    """Return the files that are there now, name to content."""
    if not COMMITTED.is_dir():
        return {}
    return {path.name: path.read_bytes() for path in COMMITTED.iterdir() if path.is_file()}


def differences(found: Mapping[str, bytes], wanted: Mapping[str, bytes]) -> list[str]:
    """Return a line for each file that is missing, stale (no schema makes it) or different."""
    lines = []
    for name in sorted(found.keys() | wanted.keys()):
        if name not in found:
            lines.append(f"missing:   {name}")
        elif name not in wanted:
            lines.append(f"stale:     {name}")
        elif found[name] != wanted[name]:
            lines.append(f"different: {name}")
    return lines


def write(found: Mapping[str, bytes], wanted: Mapping[str, bytes]) -> None:
    """Bring the committed files up to date, without touching those that are."""
    COMMITTED.mkdir(parents=True, exist_ok=True)
    for name in found.keys() - wanted.keys():
        (COMMITTED / name).unlink()
    for name, content in wanted.items():
        if found.get(name) != content:
            (COMMITTED / name).write_bytes(content)


def main() -> int:
    """Run the program and return 1 if --check found a difference or protoc failed, else 0."""
    parser = argparse.ArgumentParser(description="Generate what is made of proto/seedbed/v1.")
    parser.add_argument(
        "--check", action="store_true", help="change nothing; exit 1 if a file is not up to date"
    )
    arguments = parser.parse_args()
    try:
        wanted = generate()
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    found = committed()
    if not arguments.check:
        write(found, wanted)
        return 0
    lines = differences(found, wanted)
    if lines:
        where = COMMITTED.relative_to(ROOT)
        print(
            f"{where} is not what proto/{PACKAGE} makes; run `make proto`.",
            *lines,
            sep="\n  ",
            file=sys.stderr,
        )
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
