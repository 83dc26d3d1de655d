"""``seedbed verify``: whether files hold exactly what a manifest says."""

import argparse
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from seedbed.checkpoint_files import metadata_of, open_all
from seedbed.cli.arguments import add_shard_option, client_of
from seedbed.cli.manifests import check_checkpoint, load_manifest, manifest_name, part_shape
from seedbed.cli.provenance import SHARD, WRITER, shard_option
from seedbed.cli.result import CommandError, Result
from seedbed.manifest import Manifest
from seedbed.reports.text import count_text, printable, shape_text, table
from seedbed.spec.digests import Digest, digest_array, digest_of
from seedbed.spec.slices import Shard
from seedbed.spec.tensors import TensorSpec

NAME = "verify"
SUMMARY = "compare a safetensors file, or a folder of them, with a manifest, bit for bit"
DESCRIPTION = (
    "Compare the digests of a checkpoint's tensors with those that the manifest gives; "
    "no tensor is moved. "
    "Prints every tensor that is missing, extra or different, and exits with 1 if there is one."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument(
        "file",
        metavar="FILE|FOLDER",
        help="a safetensors file, a folder of them, or a model.safetensors.index.json",
    )
    parser.add_argument(
        "manifest", metavar="MANIFEST", help="a YAML or JSON file, or - for standard input"
    )
    add_shard_option(parser)


def run(options: argparse.Namespace) -> Result:
    """Compare, and report every difference."""
    meant = f"seedbed verify {manifest_name(options.manifest)} {printable(options.file)}"
    check_checkpoint(options.file, meant)
    path = Path(options.file)
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise CommandError(f"{options.file} is neither a file nor a folder")
    manifest = load_manifest(options.manifest)
    arrays = open_all(options.file)
    with client_of(options) as client:
        digests = client.digest_all(
            manifest, slice=options.shard, timeout_seconds=options.timeout_seconds
        )
    found = _differences(arrays, manifest, digests, options.shard)
    fields = {
        "equal": not found,
        "tensors": len(manifest),
        "model_digest": str(digest_of(digests)),
        "differences": [
            {"name": name, "difference": kind, "detail": detail} for name, kind, detail in found
        ],
    }
    if not found:
        return Result(
            fields,
            f"{printable(options.file)}: {count_text(len(manifest), 'tensor')}, "
            f"all equal to {manifest_name(options.manifest)}",
        )
    rows = [(printable(name), kind, detail) for name, kind, detail in found]
    differing = count_text(len(found), "tensor")
    failure = f"{options.file} differs from {manifest_name(options.manifest)} in {differing}"
    failure += _other_part(options.file, options.shard)
    return Result(fields, table(("name", "difference", "detail"), rows), failure)


def _other_part(file: str, shard: Shard | None) -> str:
    """Return that a file says that it is another part than the one that it is held against."""
    texts = metadata_of(file)
    said = texts.get(SHARD)
    if WRITER not in texts or said == (None if shard is None else shard_option(shard)):
        return ""
    how = "without --shard" if said is None else f"with --shard {printable(said)}"
    return f"; it was fetched {how}: verify it likewise"


def _differences(
    arrays: dict[str, NDArray[Any]],
    manifest: Manifest,
    digests: dict[str, Digest],
    shard: Shard | None,
) -> list[tuple[str, str, str]]:
    found = []
    for spec in manifest.tensors:
        array = arrays.get(spec.name)
        if array is None:
            found.append((spec.name, "missing", "in the manifest only"))
            continue
        detail = _difference(array, spec, digests[spec.name], shard)
        if detail:
            found.append((spec.name, "different", detail))
    found += [(name, "extra", "in the file only") for name in arrays if name not in manifest]
    return found


def _difference(array: NDArray[Any], spec: TensorSpec, wanted: Digest, shard: Shard | None) -> str:
    """Return how an array differs from what the manifest says, or nothing."""
    if array.dtype != spec.dtype.numpy:
        return f"dtype {array.dtype} in the file, {spec.dtype.value} in the manifest"
    shape = part_shape(spec.shape, shard)
    if array.shape != shape:
        return f"shape {shape_text(array.shape)} in the file, {shape_text(shape)} in the manifest"
    digest = digest_array(array)
    return "" if digest == wanted else f"content: {digest} in the file, {wanted} in the manifest"
