"""``seedbed fetch``: all tensors of a manifest, streamed straight into safetensors files."""

import argparse
import math
import os
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from seedbed import checkpoints
from seedbed.checkpoint_files import INDEX, SINGLE_FILE, index_text, is_weight_file, split
from seedbed.checkpoints import Layout
from seedbed.cli.arguments import (
    add_force_option,
    add_max_shard_size_option,
    add_shard_option,
    client_of,
)
from seedbed.cli.manifests import load_manifest, part_shape
from seedbed.cli.output_file import checked_output, part_folder
from seedbed.cli.output_folder import made_folder, replaced
from seedbed.cli.parts import Parts, key_of, parts_of, take_back
from seedbed.cli.provenance import MODEL_DIGEST, provenance, unknown_digest
from seedbed.cli.result import CommandError, Result
from seedbed.client import Client
from seedbed.manifest import Manifest
from seedbed.progress import progress_bar
from seedbed.reports.text import count_text, pairs, printable, shard_text, size_text
from seedbed.spec.digests import Digest, digest_array, digest_of
from seedbed.spec.errors import InvalidValueError
from seedbed.spec.slices import Shard

NAME = "fetch"
SUMMARY = "fetch all tensors of a manifest into a safetensors file, or a folder of them"
DESCRIPTION = (
    "Fetch all tensors of a manifest, or one shard of each, into a safetensors file, or into a "
    "folder: model.safetensors, or files of at most --max-shard-size with their index, as "
    "transformers names and reads them. "
    "A tensor without the shard's axis comes whole. "
    "The files appear when all is complete. A fetch that is interrupted goes on where it was when "
    "the same command is run again; what is there is checked first. "
    "Nothing is replaced without --force."
)

# The header's own key for metadata.
RESERVED_NAME = "__metadata__"
SUFFIX = ".safetensors"
STANDARD_OUTPUT = "-"
DEFAULT_MAX_SHARD_BYTES = 5 * 10**9
# Of tensors that are fetched before they count as complete; one that is larger is so by itself.
BATCH_BYTES = 2**28
# Likewise of what is in memory on its way to standard output.
PIPED_BYTES = 2**26


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument(
        "manifest", metavar="MANIFEST", help="a YAML or JSON file, or - for standard input"
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE|FOLDER",
        required=True,
        help="FILE.safetensors, a folder, which is made if it is missing, or - for standard output",
    )
    add_force_option(parser)
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
    shard: Shard | None = options.shard
    layout = [(spec.name, spec.dtype, part_shape(spec.shape, shard)) for spec in manifest.tensors]
    if options.output == STANDARD_OUTPUT:
        return _to_standard_output(manifest, layout, options)
    is_folder = _is_folder(options)
    with client_of(options) as client, made_folder(_folder(options.output, is_folder=is_folder)):
        begun = time.perf_counter()
        digests, resumed_bytes, files = _to_files(
            client, manifest, layout, options, is_folder=is_folder
        )
        seconds = time.perf_counter() - begun
    return _report(options, digests, seconds, resumed_bytes, files if is_folder else 0)


def _to_files(
    client: Client,
    manifest: Manifest,
    layout: Layout,
    options: argparse.Namespace,
    *,
    is_folder: bool,
) -> tuple[Mapping[str, Digest], int, int]:
    """Fetch into files; return the digests, how many bytes were there, and how many files."""
    output = Path(options.output)
    sizes = {name: math.prod(shape) * dtype.itemsize for name, dtype, shape in layout}
    limit = options.max_shard_size or DEFAULT_MAX_SHARD_BYTES
    file = Path(os.path.realpath(output))
    files = split(sizes, limit) if is_folder else {file.name: list(sizes)}
    folder = output if is_folder else file.parent
    for place in [folder / name for name in (*files, INDEX)] if is_folder else [output]:
        checked_output(place)
    entries = {name: (name, dtype, shape) for name, dtype, shape in layout}
    layouts = {file: [entries[name] for name in names] for file, names in files.items()}
    size_bytes = sum(sizes.values())
    index = index_text(files, size_bytes) if len(files) > 1 else ""
    texts = {**provenance(manifest, options.shard), MODEL_DIGEST: unknown_digest(size_bytes)}
    key = key_of([manifest.to_dict(), texts, [list(names) for names in files.values()]])
    with part_folder(folder / SINGLE_FILE if is_folder else file) as hidden:
        take_back(hidden, key, layouts, texts, index)
        if not options.force:
            _check_free(output, is_folder=is_folder)
        with parts_of(hidden, key, layouts, texts) as parts:
            _fill(client, manifest, parts, options)
            digests = {name: parts.digests[name] for name in sizes}
            known = {**texts, MODEL_DIGEST: str(digest_of(digests))}
            for name, tensors in layouts.items():
                checkpoints.amend(parts.paths[name], tensors, texts, known)
            paths = dict(parts.paths)
            if index:
                paths[INDEX] = hidden / INDEX
                paths[INDEX].write_text(index, encoding="utf-8")
            if not options.force:  # somebody may have put something there meanwhile
                _check_free(output, is_folder=is_folder)
            replaced(folder, paths, is_folder=is_folder)
    return digests, parts.resumed_bytes, len(files)


def _folder(output: str, *, is_folder: bool) -> Path:
    return Path(output) if is_folder else Path(output).parent


def _check_free(output: Path, *, is_folder: bool) -> None:
    """Replace nothing.

    Raises:
        CommandError: if there is something.
    """
    if not is_folder:
        if output.exists():
            raise CommandError(
                f"{output} exists: --force replaces it, and `seedbed verify` compares it"
            )
        return
    there = sorted(each.name for each in output.iterdir() if is_weight_file(each.name))
    if there:
        raise CommandError(
            f"{output} has weights already ({', '.join(there[:3])}): --force replaces them, and "
            "`seedbed verify` compares them"
        )


def _fill(client: Client, manifest: Manifest, parts: Parts, options: argparse.Namespace) -> None:
    """Fetch what is not there yet."""
    sizes = {spec.name: parts.arrays[spec.name].nbytes for spec in manifest.tensors}
    with progress_bar(
        sum(sizes.values()), count_text(len(sizes), "tensor"), _has_bar(options)
    ) as count:
        count(parts.resumed_bytes)
        rest = {name: size for name, size in sizes.items() if name not in parts.digests}
        for names in _batches(rest, BATCH_BYTES):
            client.sample_all(
                Manifest(manifest[name] for name in names),
                slice=options.shard,
                out={name: parts.arrays[name] for name in names},
                progress=count,
                timeout_seconds=options.timeout_seconds,
            )
            parts.complete(names)


def _batches(sizes: Mapping[str, int], most_bytes: int) -> Iterator[list[str]]:
    """Yield names, each time as many as have no more bytes together, and at least one."""
    batch: list[str] = []
    room = most_bytes
    for name, size in sizes.items():
        if batch and size > room:
            yield batch
            batch, room = [], most_bytes
        batch.append(name)
        room -= size
    if batch:
        yield batch


def _to_standard_output(manifest: Manifest, layout: Layout, options: argparse.Namespace) -> Result:
    """Write a file to standard output, and report on standard error."""
    if options.force or options.max_shard_size is not None:
        raise InvalidValueError("--force and --max-shard-size are for files, not for --output -")
    if sys.stdout is None:
        raise CommandError("--output - is for a pipe or a file, and standard output is closed")
    if sys.stdout.isatty():
        raise CommandError("--output - is for a pipe or a file, and standard output is a terminal")
    out = sys.stdout.buffer
    digests: dict[str, Digest] = {}
    sizes = {name: math.prod(shape) * dtype.itemsize for name, dtype, shape in layout}
    begun = time.perf_counter()
    bar = progress_bar(sum(sizes.values()), count_text(len(sizes), "tensor"), _has_bar(options))
    with client_of(options) as client, bar as count:
        out.write(checkpoints.header(layout, provenance(manifest, options.shard)))
        for names in _batches(sizes, PIPED_BYTES):
            arrays = client.sample_all(
                Manifest(manifest[name] for name in names),
                slice=options.shard,
                progress=count,
                timeout_seconds=options.timeout_seconds,
            )
            for name, array in arrays.items():
                digests[name] = digest_array(array)
                out.write(array.tobytes())
        out.flush()
    return _report(options, digests, time.perf_counter() - begun, 0, 0)


def _report(
    options: argparse.Namespace,
    digests: Mapping[str, Digest],
    seconds: float,
    resumed_bytes: int,
    files: int,
) -> Result:
    """Return what was done.

    Args:
        options: of the command.
        digests: of all tensors.
        seconds: how long it took.
        resumed_bytes: what an earlier run had fetched.
        files: how many there are in a folder; 0 where there is none.
    """
    digest = digest_of(digests)
    size_bytes, shard = digest.size_bytes, options.shard
    is_piped = options.output == STANDARD_OUTPUT
    fields = {
        "target": options.target,
        "file": options.output,
        "files": files or 1,
        "shard": shard,
        "tensors": len(digests),
        "size_bytes": size_bytes,
        "resumed_bytes": resumed_bytes,
        "seconds": round(seconds, 6),
        MODEL_DIGEST: str(digest),
    }
    resumed = f"{size_text(resumed_bytes)} of {size_text(size_bytes)} were there"
    fetched = size_bytes - resumed_bytes
    file = "standard output" if is_piped else printable(options.output)
    rows = [
        ("folder" if files else "file", file),
        ("files", str(files) if files else ""),
        ("shard", shard_text(shard)),
        ("tensors", count_text(len(digests), "tensor")),
        ("bytes", f"{size_bytes:,} ({size_text(size_bytes)})"),
        ("resumed", resumed if resumed_bytes else ""),
        ("time", f"{seconds:.2f} s, {fetched / max(seconds, 1e-9) / 1e9:.2f} GB/s"),
        ("digest", str(digest)),
    ]
    return Result(fields, pairs(rows), on_stderr=is_piped)


def _has_bar(options: argparse.Namespace) -> bool:
    if options.progress is not None:
        return bool(options.progress)
    return sys.stderr is not None and sys.stderr.isatty()


def _is_folder(options: argparse.Namespace) -> bool:
    """Return whether the output is a folder, and no file.

    Raises:
        InvalidValueError: if it is neither, or a file and has a limit.
    """
    output: str = options.output
    path, has_limit = Path(output), options.max_shard_size is not None
    if path.suffix == SUFFIX and not path.is_dir() and not output.endswith("/"):
        if has_limit:
            raise InvalidValueError(f"--max-shard-size is for a folder. Received: {output!r}")
        return False
    # A suffix of another kind is more often a mistake than a folder's name.
    if output and (has_limit or path.is_dir() or output.endswith("/") or not path.suffix):
        return True
    hint = "or be a folder: end in / or come with --max-shard-size"
    raise InvalidValueError(f"--output must end in {SUFFIX}, {hint}. Received: {output!r}")
