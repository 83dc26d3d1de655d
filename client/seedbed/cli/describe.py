"""``seedbed describe``: what sampling would give, without sampling."""

import argparse
from collections.abc import Sequence

from seedbed.cli.arguments import (
    add_part_options,
    add_tensor_options,
    client_of,
    part_of,
    refuse_tensor_options,
    spec_of,
)
from seedbed.cli.manifests import is_initializer, load_manifest
from seedbed.cli.result import Result
from seedbed.reports.figures import distribution_text, fans_text, initializer_text
from seedbed.reports.text import count_text, pairs, printable, shape_text, size_text, table
from seedbed.spec.errors import InvalidValueError
from seedbed.spec.info import TensorDescription
from seedbed.spec.tensors import TensorSpec

NAME = "describe"
SUMMARY = "say what sampling would give, without sampling"
DESCRIPTION = (
    "Say what each tensor would be: shape, dtype, bytes, fans and distribution. "
    "No tensor is sampled."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument(
        "subject",
        metavar="MANIFEST|INITIALIZER",
        help="a YAML or JSON file, or an initializer's name",
    )
    add_tensor_options(parser)
    add_part_options(parser)


def run(options: argparse.Namespace) -> Result:
    """Describe one tensor, or all of a manifest."""
    if is_initializer(options.subject):
        return _describe_tensor(options)
    return _describe_manifest(options)


def _describe_tensor(options: argparse.Namespace) -> Result:
    spec = spec_of(options.subject, options)
    part = part_of(options, spec.shape)
    with client_of(options) as client:
        found = client.describe(spec, slice=part, timeout_seconds=options.timeout_seconds)
    rows = [
        ("name", printable(spec.name)),
        ("initializer", initializer_text(spec.initializer)),
        ("shape", shape_text(found.shape)),
        ("dtype", found.dtype.value),
        (
            "bytes",
            (
                f"{found.size_bytes:,} ({size_text(found.size_bytes)}) "
                f"in {count_text(found.chunk_count, 'chunk')}"
            ),
        ),
        ("fans", fans_text(found)),
        ("distribution", distribution_text(spec.initializer, found)),
        (
            "memory",
            f"{size_text(found.working_bytes)} while sampling" if found.working_bytes else "",
        ),
    ]
    return Result({"tensors": [found]}, pairs(rows))


def _describe_manifest(options: argparse.Namespace) -> Result:
    refuse_tensor_options(options)
    if options.shard is not None:
        raise InvalidValueError(
            "--shard goes with an initializer here; a manifest is described whole"
        )
    manifest = load_manifest(options.subject)
    with client_of(options) as client:
        found = list(
            client.describe_all(manifest, timeout_seconds=options.timeout_seconds).values()
        )
    numbers = sum(spec.element_count for spec in manifest.tensors)
    totals = {"tensors": len(manifest), "elements": numbers, "size_bytes": manifest.size_bytes}
    text = (
        f"{_table(manifest.tensors, found)}\n\n"
        f"{count_text(len(manifest), 'tensor')}, {count_text(numbers, 'number')}, "
        f"{manifest.size_bytes:,} bytes ({size_text(manifest.size_bytes)})"
    )
    return Result({"tensors": found, "total": totals}, text)


def _table(specs: Sequence[TensorSpec], found: Sequence[TensorDescription]) -> str:
    rows = [
        (
            printable(spec.name),
            shape_text(each.shape),
            each.dtype.value,
            f"{each.size_bytes:,}",
            distribution_text(spec.initializer, each),
        )
        for spec, each in zip(specs, found, strict=True)
    ]
    return table(
        ("name", "shape", "dtype", "bytes", "distribution"), rows, right=("shape", "bytes")
    )
