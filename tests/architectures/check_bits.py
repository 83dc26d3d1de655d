"""Compares what an emulated machine samples with what this one does. run.sh calls this."""

import argparse
import json
import platform
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import seedbed as sb
from seedbed_server.sampling.self_test import golden_vectors, kernel_of, request_of
from tests.servers import SERVING, server_process
from tests.unit import digest_of_all_kernels

REPOSITORY = Path(__file__).parents[2]
MANIFEST = Path("examples") / "gpt2-small.yaml"
# The independent implementation, and all golden entries, by pytest inside.
REFERENCE = (
    "tests/golden/test_golden.py",
    "tests/golden/test_numerics_page.py",
    "tests/unit/test_philox.py",
    "tests/unit/test_reference.py",
    "tests/unit/test_structures.py",
)
# A first start compiles all kernels, some ten times as slowly as without emulation.
START_SECONDS = 1800.0


@dataclass(frozen=True, slots=True)
class Processor:
    """One that qemu emulates, and what kernels are compiled to on it."""

    title: str
    variables: Mapping[str, str]
    """What qemu shows; and what numba compiles for, unless that is the least of its kind: inside,
    /proc/cpuinfo is this machine's, and tells it nothing."""
    instructions: str


def armv9(chip: str, length: int, instructions: str) -> Processor:
    """Return what LLVM knows of a chip, on a processor with SVE2 vectors of so many bytes."""
    variables = {
        "QEMU_CPU": f"max,sve-default-vector-length={length}",
        "NUMBA_CPU_NAME": chip,
        "NUMBA_CPU_FEATURES": "",
    }
    return Processor(f"{chip}, {8 * length}-bit vectors", variables, instructions)


NEON = Processor("Armv8.0", {"QEMU_CPU": "cortex-a57"}, "fma,neon")
# LLVM uses the vectors of any length on some chips only.
PROCESSORS = {
    "arm64": [
        NEON,
        armv9("neoverse-v2", 16, "fma,neon"),
        *(armv9("neoverse-v1", length, "fma,neon,sve") for length in (16, 32, 64)),
    ]
}


@dataclass(frozen=True, slots=True)
class Inside:
    """The emulated machine, with one of its processors."""

    root: Path
    processor: Processor

    def command(self, *words: str) -> list[str]:
        """Return the command that runs another one inside, with an environment of its own."""
        variables = {
            "HOME": "/root",
            "LANG": "C.UTF-8",
            "PATH": "/opt/venv/bin:/usr/sbin:/usr/bin:/bin",
            "PYTHONDONTWRITEBYTECODE": "1",
            **self.processor.variables,
        }
        settings = [f"{name}={value}" for name, value in variables.items()]
        return ["env", "-i", *settings, "chroot", str(self.root), *words]

    def run(self, *words: str) -> str:
        """Return what a command prints in the repository's folder; its errors are shown."""
        command = self.command("env", "--chdir=/src", *words)
        return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False).stdout


@dataclass(frozen=True, slots=True)
class Row:
    """How many of some things are equal."""

    processor: str
    what: str
    count: int
    equal: int
    seconds: float


Count = tuple[int, int]
"""How many were compared, and how many were equal."""


def self_test(inside: Inside) -> Count:
    """Sample every golden entry by ``seedbed-server --self-test``."""
    return self_test_count(
        inside.run("seedbed-server", "--self-test", "--device", "cpu", "--threads", "2")
    )


def self_test_count(printed: str) -> Count:
    """Count the golden entries whose kernel is printed, and printed without them."""
    found = {
        kernel: names.split(", ")
        for kernel, names in re.findall(
            r"^  (\w+) +(?:ok|wrong: (.+))$", printed, flags=re.MULTILINE
        )
    }
    vectors = golden_vectors()
    differing = [v["id"] for v in vectors if v["id"] in found.get(kernel_of(v), [v["id"]])]
    show(differing)
    return len(vectors), len(vectors) - len(differing)


def show(differing: Sequence[str]) -> None:
    """Print what differs, on standard error."""
    for name in differing:
        print("differs:", name, file=sys.stderr)


def kernels(inside: Inside) -> Count:
    """Compare some hundred thousand elements of every kernel and dtype."""
    program = Path(digest_of_all_kernels.__file__)
    here = lines_of(subprocess.check_output([sys.executable, program], text=True))
    there = lines_of(inside.run("python", str(program.relative_to(REPOSITORY))))
    del here["instructions"]
    if there.get("instructions") != inside.processor.instructions:
        show([f"instructions: {there.get('instructions')}"])
        return len(here), 0
    differing = [name for name, value in here.items() if there.get(name) != value]
    show(differing)
    return len(here), len(here) - len(differing)


def lines_of(printed: str) -> dict[str, str]:
    """Return the digests that `digest_of_all_kernels` prints, and the instructions."""
    return dict(line.split(" ") for line in printed.splitlines())


def served(inside: Inside) -> Count:
    """Fetch every golden entry and a model from a server inside, by this machine's client."""
    program = inside.command("seedbed-server")
    with server_process("--threads", "2", "--device", "cpu", program=program) as server:
        server.wait_for(SERVING, START_SECONDS)
        with sb.connect(server.address) as client, sb.connect("embedded:") as embedded:
            vectors = golden_vectors()
            differing = [v["id"] for v in vectors if fetch(client, v) != v["sha256"]]
            model = sb.Manifest.load(REPOSITORY / MANIFEST)
            arrays, wanted = client.sample_all(model), embedded.digest_all(model)
    differing += [
        name for name in wanted if sb.digest_bytes(bytes_of(arrays[name])) != wanted[name]
    ]
    show(differing)
    count = len(vectors) + len(model)
    return count, count - len(differing)


def fetch(client: sb.Client, vector: dict[str, Any]) -> str:
    """Return the SHA-256 of what a client gets for a golden entry."""
    request = request_of(vector)
    array = client.sample(request.spec, slice=request.slice)
    return sb.digest_bytes(bytes_of(array), "sha256").value.hex()


def bytes_of(array: NDArray[Any]) -> memoryview:
    """Return an array's bytes."""
    return array.reshape(-1).view(np.uint8).data


def verified(inside: Inside) -> Count:
    """Verify a model's file of this machine by the engine inside."""
    model = sb.Manifest.load(REPOSITORY / MANIFEST)
    file = inside.root / "tmp" / "model.safetensors"
    seedbed = Path(sys.executable).with_name("seedbed")
    try:
        subprocess.run(
            [seedbed, "fetch", REPOSITORY / MANIFEST, "-o", file, "--target", "embedded:"],
            stdout=subprocess.DEVNULL,
            check=True,
        )
        words = ("seedbed", "verify", "/tmp/model.safetensors", str(MANIFEST), "--json")
        report = json.loads(inside.run(*words))
    finally:
        file.unlink(missing_ok=True)
    return len(model), len(model) - len(report["differences"])


def reference(inside: Inside) -> Count:
    """Run the tests against the independent implementation."""
    printed = inside.run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", *REFERENCE)
    count, passed = pytest_count(printed)
    if passed < count:
        print(printed, file=sys.stderr)
    return count, passed


def pytest_count(printed: str) -> Count:
    """Count what pytest's last line tells; a run without such a line is one that failed."""
    last = printed.splitlines()[-1:] or [""]
    counts = {kind: int(n) for n, kind in re.findall(r"(\d+) (\w+)", last[0])}
    passed = counts.pop("passed", 0)
    others = sum(counts.get(kind, 0) for kind in ("failed", "error", "errors", "skipped"))
    return max(passed + others, 1), passed


def rows(root: Path, processors: Sequence[Processor], *, is_quick: bool) -> Iterator[Row]:
    """Yield the rows of the table as they are known."""
    for processor in processors:
        inside = Inside(root, processor)
        checks: dict[str, Callable[[Inside], Count]] = {
            "golden entries, by --self-test": self_test,
            "digests of every kernel and dtype": kernels,
        }
        # The same whatever the vectors; serving took more than five minutes with emulated SVE.
        if processor == NEON:
            checks |= {
                "golden entries and GPT-2's tensors, served": served,
                "GPT-2's tensors, by seedbed verify": verified,
            }
            if not is_quick:
                checks["tests against the reference"] = reference
        for what, check in checks.items():
            began = time.monotonic()
            count, equal = check(inside)
            yield Row(processor.title, what, count, equal, time.monotonic() - began)


def main() -> int:
    """Print a table of all that was compared, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("architecture", choices=PROCESSORS)
    parser.add_argument("root", type=Path)
    parser.add_argument("--only", default="", metavar="WORD", help="processors called so: neoverse")
    parser.add_argument("--quick", action="store_true", help="without the reference's tests")
    options = parser.parse_args()
    processors = [p for p in PROCESSORS[options.architecture] if options.only in p.title]
    if not processors:
        parser.error(f"no processor of {options.architecture} has {options.only!r} in its title")
    for processor in processors:
        machine = json.loads(
            Inside(options.root, processor).run("python", "tests/architectures/machine.py")
        )
        print(f"{processor.title}: {machine['machine']}, {', '.join(machine['features'])}")
    print(", ".join(f"{name} {version}" for name, version in machine["versions"].items()))
    print(f"compared with {platform.machine()}\n")
    print("| processor | what | compared | equal | seconds |\n|---|---|---|---|---|")
    is_equal = True
    for row in rows(options.root, processors, is_quick=options.quick):
        is_equal &= row.count == row.equal
        print(
            f"| {row.processor} | {row.what} | {row.count} | {row.equal} | {row.seconds:.0f} |",
            flush=True,
        )
    print("\nall are equal" if is_equal else "\nDIFFERENT")
    return 0 if is_equal else 1


if __name__ == "__main__":
    sys.exit(main())
