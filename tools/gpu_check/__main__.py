"""Checks the GPU backend on a device: bits, memory, streams, server, arrays, throughput.

    python -m tools.gpu_check [--wheels FOLDER] [--json FILE] [--device N] [--only GROUP,...]
    [--rehearse]

The exit code is 0 where nothing failed or was stopped, 1 where something did, and 2 where there is
no device. ``--rehearse`` runs everything that can be run without one, over stand-ins for CuPy and
numba-cuda.
"""

import argparse
import platform
import sys
import time
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from tools.gpu_check import report
from tools.gpu_check.environment import environment, nvidia_smi
from tools.gpu_check.result import Result
from tools.gpu_check.runner import Runner
from tools.gpu_check.steps import GROUPS, Group

LIBRARIES = (
    *("cupy-cuda12x", "cupy-cuda13x", "cuda-bindings", "cuda-core", "numba", "numba-cuda"),
    *("llvmlite", "numpy", "ml_dtypes", "grpcio", "protobuf", "torch", "jax", "jaxlib"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the checks, print, and return the exit code."""
    options = _parser().parse_args(arguments)
    began = time.monotonic()
    facts = _facts()
    results: list[Result] = []
    with environment(options.wheels, rehearses=options.rehearse) as where:
        for result in where.results:
            _print(result)
        results += where.results
        runner = Runner(where, _print, options.device, options.rehearse)
        for result in runner.run(options.only):
            results.append(result)
            if result.group == "device":
                facts |= result.figures
            # At once, so that a run that is cut off has not been in vain.
            if options.json:
                report.write(options.json, results, facts)
    facts["seconds"] = round(time.monotonic() - began, 1)
    if options.json:
        report.write(options.json, results, facts)
    print("\n" + report.table(results, facts))
    return report.exit_code(results)


def _print(result: Result) -> None:
    print(report.line(result), flush=True)


def _facts() -> dict[str, object]:
    return {
        "device": "none",
        "driver": nvidia_smi("driver_version") or "none",
        "python": platform.python_version(),
        "system": platform.platform(),
        "libraries": {name: version for name in LIBRARIES if (version := _version(name))},
    }


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _parser() -> argparse.ArgumentParser:
    description, _, more = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        prog="python -m tools.gpu_check",
        description=description,
        epilog=more.partition("\n\n")[2],
    )
    parser.add_argument(
        "--wheels", type=Path, metavar="FOLDER", help="install what is missing from these wheels"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every result to a file")
    parser.add_argument("--device", type=int, default=0, metavar="N", help="the GPU (default: 0)")
    parser.add_argument(
        "--only",
        type=_groups,
        default=GROUPS,
        metavar="GROUPS",
        help="some of " + ",".join(group.name for group in GROUPS),
    )
    parser.add_argument("--rehearse", action="store_true", help="without a device, see below")
    return parser


def _groups(text: str) -> tuple[Group, ...]:
    names = text.split(",")
    unknown = set(names) - {group.name for group in GROUPS}
    if unknown:
        raise argparse.ArgumentTypeError(f"there is no group {', '.join(sorted(unknown))}")
    # Whether there is a device is always asked.
    return tuple(group for group in GROUPS if group.name in {"device", *names})


if __name__ == "__main__":
    sys.exit(main())
