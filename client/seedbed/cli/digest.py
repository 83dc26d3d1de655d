"""``seedbed digest``: what identifies tensors, without moving them."""

import argparse

from seedbed.cli.arguments import (
    add_algorithm_option,
    add_part_options,
    add_tensor_options,
    client_of,
    part_of,
    refuse_tensor_options,
    spec_of,
)
from seedbed.cli.manifests import is_initializer, load_manifest
from seedbed.cli.result import Result
from seedbed.reports.text import count_text, printable
from seedbed.spec.digests import digest_of

NAME = "digest"
SUMMARY = "print the digest of a tensor, or of all in a manifest, without moving them"
DESCRIPTION = (
    "Print the digest of a tensor's bytes (little-endian, C order), "
    "or of each tensor of a manifest and then of the model: one digest for all names and digests "
    "(docs/protocol.md). Equal digests, equal tensors."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument(
        "subject",
        metavar="MANIFEST|INITIALIZER",
        help="a YAML or JSON file, - for standard input, or an initializer's name",
    )
    add_tensor_options(parser)
    add_part_options(parser)
    add_algorithm_option(parser)


def run(options: argparse.Namespace) -> Result:
    """Digest one tensor, or all of a manifest."""
    if is_initializer(options.subject):
        return _digest_tensor(options)
    return _digest_manifest(options)


def _digest_tensor(options: argparse.Namespace) -> Result:
    spec = spec_of(options.subject, options)
    part = part_of(options, spec.shape)
    with client_of(options) as client:
        timeout = options.timeout_seconds
        digest = client.digest(
            spec, slice=part, algorithm=options.algorithm, timeout_seconds=timeout
        )
    return Result({"name": spec.name, "digest": str(digest)}, str(digest))


def _digest_manifest(options: argparse.Namespace) -> Result:
    refuse_tensor_options(options)
    manifest = load_manifest(options.subject)
    shard, algorithm, timeout = options.shard, options.algorithm, options.timeout_seconds
    with client_of(options) as client:
        digests = client.digest_all(
            manifest, slice=shard, algorithm=algorithm, timeout_seconds=timeout
        )
    whole = str(digest_of(digests))
    fields = {
        "tensors": {name: str(digest) for name, digest in digests.items()},
        "model_digest": whole,
    }
    width = max((len(str(digest)) for digest in (*digests.values(), whole)), default=0)
    lines = [f"{digest!s:<{width}}  {printable(name)}" for name, digest in digests.items()]
    lines.append(f"{whole:<{width}}  (all {count_text(len(manifest), 'tensor')})")
    return Result(fields, "\n".join(lines))
