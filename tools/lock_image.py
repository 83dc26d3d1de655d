"""Lock what the container image installs: every package's version, and the hashes of its files.

    python -m tools.lock_image              everything at its newest version
    python -m tools.lock_image --keep       only what pyproject.toml no longer allows

The locks lie in docker/ and are committed. The same versions serve amd64 and arm64.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "docker"
# The image's own.
PYTHON = "3.11"
PLATFORMS = ("x86_64-manylinux_2_28", "aarch64-manylinux_2_28")
HEADER = "# Written by `make lock`; what it is for is in tools/lock_image.py.\n"
# Writes the image's list of what is in it.
SBOM_TOOL = "cyclonedx-bom>=7"
# A package with its hashes, as uv writes it.
ENTRY = re.compile(r"^([\w.-]+)==(\S+)((?: \\\n    --hash=sha256:[0-9a-f]{64})+)\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Lock:
    """One file of docker/."""

    name: str
    extra: str | None
    """One of pyproject.toml's; None locks what builds the package and lists what is in it."""
    beside: str | None = None
    """The lock whose versions hold here as well, because both are installed together."""

    @property
    def path(self) -> Path:
        return LOCKS / f"{self.name}.txt"

    def versions(self) -> dict[str, str]:
        """Return the locked version of each package, by its normalized name."""
        return {name: version for name, version, _ in ENTRY.findall(self.path.read_text())}


# A lock follows the one that it lies beside.
ALL = (
    Lock("build", None),
    Lock("server", "server"),
    Lock("gpu", "gpu", beside="server"),
    Lock("gpu-cuda12", "gpu-cuda12", beside="server"),
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write every lock."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", action="store_true", help="keep the versions that still fit")
    options = parser.parse_args(arguments)
    for lock in ALL:
        old = lock.path.read_text() if options.keep and lock.path.exists() else ""
        one, other = (compile_lock(lock, platform, old) for platform in PLATFORMS)
        if one != other:
            sys.exit(f"{lock.name}: the platforms need different packages:\n{one}\n{other}")
        lock.path.write_text(HEADER + one)
        print(f"{lock.path.relative_to(ROOT)}: {one.count('==')} packages")


def compile_lock(lock: Lock, platform: str, old: str) -> str:
    """Return a lock's requirements for one platform."""
    with tempfile.TemporaryDirectory() as folder:
        # uv prefers the versions that its output has already.
        output = Path(folder) / "lock.txt"
        output.write_text(old)
        wanted = Path(folder) / "requirements.in"
        wanted.write_text("\n".join([*build_requirements(), SBOM_TOOL]))
        source = [str(wanted)] if lock.extra is None else ["pyproject.toml", "--extra", lock.extra]
        beside = [] if lock.beside is None else ["--constraint", str(LOCKS / f"{lock.beside}.txt")]
        words = [
            *(
                sys.executable,
                "-m",
                "uv",
                "pip",
                "compile",
                *source,
                *beside,
                "--output-file",
                str(output),
            ),
            *("--python-version", PYTHON, "--python-platform", platform),
            *("--generate-hashes", "--only-binary", ":all:"),
            *("--no-header", "--no-annotate", "--no-emit-index-url", "--quiet"),
        ]
        subprocess.run(words, cwd=ROOT, check=True)
        return output.read_text()


def build_requirements() -> list[str]:
    """Return what pyproject.toml builds the package with."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return list(project["build-system"]["requires"])


if __name__ == "__main__":
    main()
