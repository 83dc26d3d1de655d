"""``seedbed fetch``: all tensors of a manifest, streamed straight into safetensors files."""

import argparse
import math
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from seedbed import checkpoints
from seedbed.checkpoint_files import INDEX, SINGLE_FILE, split, write_index
from seedbed.cli.arguments import add_max_shard_size_option, add_shard_option, client_of
from seedbed.cli.manifests import load_manifest, part_shape
from seedbed.cli.output_file import checked_output, reserve, unfinished
from seedbed.cli.output_folder import made_folder, unfinished_files
from seedbed.cli.resources import check_disk
from seedbed.cli.result import Result
from seedbed.client import Client
from seedbed.manifest import Manifest
from seedbed.reports.text import count_text, pairs, shard_text, size_text
from seedbed.spec.digests import digest_array, digest_of
from seedbed.spec.dtypes import Dtype
from seedbed.spec.errors import InvalidValueError
from seedbed.spec.info import NUMERICS
from seedbed.spec.slices import Shard

NAME = "fetch"
SUMMARY = "fetch all tensors of a manifest into a safetensors file, or a folder of them"
DESCRIPTION = (
    "Fetch all tensors of a manifest, or one shard of each, into a safetensors file, or into a "
    "folder: model.safetensors, or files of at most --max-shard-size with their index, as "
    "transformers names and reads them. "
    "A tensor without the shard's axis comes whole. "
    "The files appear when all is complete; an interrupted fetch leaves nothing behind. "
    "Weights that are in the folder are replaced."
)

# The header's own key for metadata.
RESERVED_NAME = "__metadata__"
SUFFIX = ".safetensors"
DEFAULT_MAX_SHARD_BYTES = 5 * 10**9

Layout = dict[str, tuple[Dtype, tuple[int, ...]]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument("manifest", metavar="MANIFEST", help="a YAML or JSON file")
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE|FOLDER",
        required=True,
        help="FILE.safetensors, or a folder; replaced if it exists, made if it does not",
    )
    add_max_shard_size_option(parser)
    parser.add_argument(
        "--progress",
        action=argparse.BooleanOptionalAction,
        help="a progress bar on standard error (default: if that is a terminal)",
    )
    add_shard_option(parser)


def run(options: argparse.Namespace) -> Result:
    """Fetch, and report how much, how fast, and the digest of all."""
    manifest = load_manifest(options.manifest)
    if RESERVED_NAME in manifest:
        raise InvalidValueError(
            f"{options.manifest}: a safetensors file cannot hold a tensor named {RESERVED_NAME}"
        )
    is_folder = _is_folder(options)
    shard: Shard | None = options.shard
    layout = {spec.name: (spec.dtype, part_shape(spec.shape, shard)) for spec in manifest.tensors}
    sizes = {name: math.prod(shape) * dtype.itemsize for name, (dtype, shape) in layout.items()}
    size_bytes = sum(sizes.values())
    limit = options.max_shard_size or DEFAULT_MAX_SHARD_BYTES
    files = split(sizes, limit) if is_folder else {SINGLE_FILE: list(sizes)}
    with (
        client_of(options) as client,
        _unfinished(Path(options.output), files, sizes, is_folder=is_folder) as paths,
    ):
        arrays: dict[str, NDArray[Any]] = {}
        for file, names in files.items():
            tensors = [(name, *layout[name]) for name in names]
            arrays |= checkpoints.create(paths[file], tensors, _metadata(shard))
            reserve(paths[file])
        seconds = _fill(client, manifest, shard, arrays, options)
        digests = {name: digest_array(array) for name, array in arrays.items()}
    digest = str(digest_of(digests))
    fields = {
        "target": options.target,
        "file": options.output,
        "files": len(files),
        "shard": shard,
        "tensors": len(manifest),
        "size_bytes": size_bytes,
        "seconds": round(seconds, 6),
        "model_digest": digest,
    }
    rows = [
        ("folder" if is_folder else "file", str(options.output)),
        ("files", str(len(files)) if is_folder else ""),
        ("shard", shard_text(shard)),
        ("tensors", count_text(len(manifest), "tensor")),
        ("bytes", f"{size_bytes:,} ({size_text(size_bytes)})"),
        ("time", f"{seconds:.2f} s, {size_bytes / max(seconds, 1e-9) / 1e9:.2f} GB/s"),
        ("digest", digest),
    ]
    return Result(fields, pairs(rows))


def _is_folder(options: argparse.Namespace) -> bool:
    """Return whether the output is a folder, and no file.

    Raises:
        InvalidValueError: if it is neither, or a file and has a limit.
    """
    output: str = options.output
    path, has_limit = Path(output), options.max_shard_size is not None
    if path.suffix == SUFFIX and not path.is_dir():
        if has_limit:
            raise InvalidValueError(f"--max-shard-size is for a folder. Received: {output!r}")
        return False
    # A suffix of another kind is more often a mistake than a folder's name.
    if output and (has_limit or path.is_dir() or output.endswith("/") or not path.suffix):
        return True
    hint = "or be a folder: end in / or come with --max-shard-size"
    raise InvalidValueError(f"--output must end in {SUFFIX}, {hint}. Received: {output!r}")


@contextmanager
def _unfinished(
    output: Path, files: Mapping[str, list[str]], sizes: Mapping[str, int], *, is_folder: bool
) -> Iterator[Mapping[str, Path]]:
    """Yield the path to write each file to; they appear when the block ends."""
    size_bytes = sum(sizes.values())
    if not is_folder:
        with made_folder(output.parent):
            check_disk(checked_output(output), size_bytes)
            with unfinished(output) as path:
                yield {SINGLE_FILE: path}
        return
    names = [*files, INDEX] if len(files) > 1 else list(files)
    with made_folder(output):
        for name in names:
            checked_output(output / name)
        check_disk(output / SINGLE_FILE, size_bytes)
        with unfinished_files(output, names) as paths:
            yield paths
            if INDEX in paths:
                write_index(paths[INDEX], files, size_bytes)


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
    # transformers reads no file without a format; pt is the one of files for all frameworks.
    texts = {"format": "pt", "seedbed": metadata.version("seedbed"), "numerics": NUMERICS}
    if shard is not None:
        texts["shard"] = f"{shard.index}/{shard.count}:{shard.axis}"
    return texts
