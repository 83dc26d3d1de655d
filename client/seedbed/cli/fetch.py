"""``seedbed fetch``: all tensors of a manifest, streamed straight into a safetensors file."""

import argparse
import math
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from seedbed import checkpoints
from seedbed.cli.arguments import add_shard_option
from seedbed.cli.content import array_digest, manifest_digest
from seedbed.cli.manifests import load_manifest, part_shape
from seedbed.cli.output_file import checked_output, reserve, unfinished
from seedbed.cli.report import Report, count_text, pairs, shard_text, size_text
from seedbed.cli.resources import check_disk
from seedbed.client import Client, connect
from seedbed.manifest import Manifest
from seedbed.spec.dtypes import Dtype
from seedbed.spec.errors import InvalidValueError
from seedbed.spec.info import NUMERICS
from seedbed.spec.slices import Shard

NAME = "fetch"
SUMMARY = "fetch all tensors of a manifest into a safetensors file"
DESCRIPTION = (
    "Fetch all tensors of a manifest, or one shard of each, into a safetensors file. "
    "A tensor without the shard's axis comes whole. "
    "The file appears when it is complete; an interrupted fetch leaves nothing behind."
)

# The header's own key for metadata.
RESERVED_NAME = "__metadata__"

Layout = list[tuple[str, Dtype, tuple[int, ...]]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument("manifest", metavar="MANIFEST", help="a YAML or JSON file")
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        required=True,
        help="FILE.safetensors; replaced if it exists",
    )
    parser.add_argument(
        "--progress",
        action=argparse.BooleanOptionalAction,
        help="a progress bar on standard error (default: if that is a terminal)",
    )
    add_shard_option(parser)


def run(options: argparse.Namespace) -> Report:
    """Fetch, and report how much, how fast, and the digest of all."""
    manifest = load_manifest(options.manifest)
    if Path(options.output).suffix != ".safetensors":
        raise InvalidValueError(f"--output must end in .safetensors. Received: {options.output!r}")
    if RESERVED_NAME in manifest:
        raise InvalidValueError(
            f"{options.manifest}: a safetensors file cannot hold a tensor named {RESERVED_NAME}"
        )
    output = checked_output(options.output)
    shard: Shard | None = options.shard
    layout: Layout = [
        (spec.name, spec.dtype, part_shape(spec.shape, shard)) for spec in manifest.tensors
    ]
    size_bytes = sum(math.prod(shape) * dtype.itemsize for _, dtype, shape in layout)
    check_disk(output, size_bytes)
    with connect(options.target) as client, unfinished(output) as path:
        arrays = checkpoints.create(path, layout, _metadata(shard))
        reserve(path)
        seconds = _fill(client, manifest, shard, arrays, options)
        digests = {name: array_digest(array) for name, array in arrays.items()}
    digest = str(manifest_digest(digests))
    fields = {
        "target": options.target,
        "file": options.output,
        "shard": shard,
        "tensors": len(manifest),
        "size_bytes": size_bytes,
        "seconds": round(seconds, 6),
        "manifest_digest": digest,
    }
    rows = [
        ("file", str(options.output)),
        ("shard", shard_text(shard)),
        ("tensors", count_text(len(manifest), "tensor")),
        ("bytes", f"{size_bytes:,} ({size_text(size_bytes)})"),
        ("time", f"{seconds:.2f} s, {size_bytes / max(seconds, 1e-9) / 1e9:.2f} GB/s"),
        ("digest", digest),
    ]
    return Report(fields, pairs(rows))


def _fill(
    client: Client,
    manifest: Manifest,
    shard: Shard | None,
    arrays: dict[str, NDArray[Any]],
    options: argparse.Namespace,
) -> float:
    """Fill the arrays, and return how many seconds it took."""
    progress = options.progress
    if progress is None:
        progress = sys.stderr is not None and sys.stderr.isatty()
    started = time.perf_counter()
    client.sample_all(
        manifest,
        slice=shard,
        out=arrays,
        progress=progress,
        timeout_seconds=options.timeout_seconds,
    )
    return time.perf_counter() - started


def _metadata(shard: Shard | None) -> dict[str, str]:
    texts = {"seedbed": metadata.version("seedbed"), "numerics": NUMERICS}
    if shard is not None:
        texts["shard"] = f"{shard.index}/{shard.count}:{shard.axis}"
    return texts
