"""``seedbed describe``: what sampling would give, without sampling."""

import argparse
import dataclasses
import logging
import shutil
import sys
from collections.abc import Sequence
from typing import Any

from seedbed.cli.arguments import (
    add_part_options,
    add_tensor_options,
    client_of,
    part_of,
    refuse_tensor_options,
    spec_of,
)
from seedbed.cli.manifests import is_initializer, load_reading
from seedbed.cli.result import Result
from seedbed.manifest import Manifest
from seedbed.manifest_document import Reading
from seedbed.reports.figures import distribution_text, fans_text, initializer_text
from seedbed.reports.fitted_table import (
    ELLIPSIS,
    Column,
    fitted_pairs,
    fitted_table,
    folded,
)
from seedbed.reports.text import count_text, printable, shape_text, size_text
from seedbed.spec.errors import InvalidValueError
from seedbed.spec.info import TensorDescription
from seedbed.spec.initializers import InitializerSpec, parameters
from seedbed.spec.tensors import TensorSpec

NAME = "describe"
SUMMARY = "say what sampling would give, without sampling"
DESCRIPTION = (
    "Say what each tensor would be: shape, dtype, bytes, initializer, the manifest's rule, seed, "
    "fans and distribution. No tensor is sampled. Rules that fill nothing are warned of."
)

_log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument(
        "subject",
        metavar="MANIFEST|INITIALIZER",
        help="a YAML or JSON file, - for standard input, or an initializer's name",
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
        ("seed", str(spec.seed) if spec.initializer.random else ""),
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
    text = fitted_pairs(rows, terminal_width())
    return Result({"tensors": [_fields(spec, found, rule=None)]}, text)


def _describe_manifest(options: argparse.Namespace) -> Result:
    refuse_tensor_options(options)
    if options.shard is not None:
        raise InvalidValueError(
            "--shard goes with an initializer here; a manifest is described whole"
        )
    reading = load_reading(options.subject)
    manifest = Manifest(reading.specs)
    with client_of(options) as client:
        described = client.describe_all(manifest, timeout_seconds=options.timeout_seconds)
    found = list(described.values())
    warnings = list(reading.idle_rules())
    for each in warnings:
        _log.warning("%s: %s", options.subject, each)
    numbers = sum(spec.element_count for spec in manifest.tensors)
    totals = {"tensors": len(manifest), "elements": numbers, "size_bytes": manifest.size_bytes}
    fields = {
        "tensors": [
            _fields(spec, each, reading.rule(spec.name))
            for spec, each in zip(reading.specs, found, strict=True)
        ],
        "total": totals,
        "warnings": warnings,
    }
    width = terminal_width()
    total = (
        f"{count_text(len(manifest), 'tensor')}, {count_text(numbers, 'number')}, "
        f"{manifest.size_bytes:,} bytes ({size_text(manifest.size_bytes)})"
    )
    return Result(fields, f"{_table(reading, found, width)}\n\n{folded(total, width)}")


def _fields(spec: TensorSpec, found: TensorDescription, rule: str | None) -> dict[str, Any]:
    """Return what programs read about a tensor."""
    config = {
        each.name: getattr(spec.initializer, each.name)
        for each in parameters(type(spec.initializer))
    }
    return {
        **{each.name: getattr(found, each.name) for each in dataclasses.fields(found)},
        "initializer": {"class_name": spec.initializer.name(), "config": config},
        "rule": rule,
        "seed": spec.seed,
        "draw": spec.draw,
        "fan_axes": spec.fan_axes,
    }


def _table(reading: Reading, found: Sequence[TensorDescription], width: int | None) -> str:
    """Return the columns for which there is room, and a line about the others."""
    specs = reading.specs
    columns = [
        Column("name", [_shown(spec.name) for spec in specs], 0, least=max(16, (width or 0) // 3)),
        Column("shape", [shape_text(each.shape) for each in found], 1, right=True),
        Column("dtype", [each.dtype.value for each in found], 4),
        Column("initializer", [_initializer_text(spec.initializer) for spec in specs], 2, least=12),
        Column("rule", [_rule_text(reading.rule(spec.name)) for spec in specs], 3, least=10),
        Column("seed", [_seed_text(spec) for spec in specs], 5, right=True),
        Column("fans in, out", [_fans_text(each) for each in found], 6, right=True),
        Column("bytes", [f"{each.size_bytes:,}" for each in found], 8, right=True),
        Column(
            "distribution",
            [
                distribution_text(spec.initializer, each)
                for spec, each in zip(specs, found, strict=True)
            ],
            7,
            least=20,
        ),
    ]
    # Fans matter to some initializers only.
    shown = [each for each in columns if each.value != ""]
    fitted = fitted_table(shown, width, ellipsis=_ellipsis())
    same = [f"{each.heading} {each.value}" for each in fitted.left_out if each.value]
    hidden = [each.heading for each in fitted.left_out if not each.value]
    notes = [f"all tensors: {'; '.join(same)}"] if same else []
    if hidden:
        notes.append(f"no room for {'; '.join(hidden)} (--json has all)")
    return "\n".join([fitted.text, "", *(folded(note, width) for note in notes)]).rstrip()


def _initializer_text(initializer: InitializerSpec) -> str:
    """Return an initializer with the parameters that are not the default."""
    changed = [
        f"{each.name}={value:.7g}" if isinstance(value, float) else f"{each.name}={value}"
        for each in parameters(type(initializer))
        if (value := getattr(initializer, each.name)) != each.default
    ]
    return f"{initializer.name()}({', '.join(changed)})" if changed else initializer.name()


def _rule_text(rule: str | None) -> str:
    return "(its own)" if rule is None else _shown(rule)


def _seed_text(spec: TensorSpec) -> str:
    if not spec.initializer.random:
        return ""
    return f"{spec.seed} draw {spec.draw}" if spec.draw else str(spec.seed)


def _fans_text(found: TensorDescription) -> str:
    if found.fan_in is None or found.fan_out is None:
        return ""
    return f"{found.fan_in:.15g}, {found.fan_out:.15g}"


def terminal_width() -> int | None:
    """Return the columns of the terminal that is written to; None for a file or a pipe."""
    is_terminal = sys.stdout is not None and sys.stdout.isatty()
    return shutil.get_terminal_size().columns if is_terminal else None


def _ellipsis() -> str:
    """Return an ellipsis that standard output can show."""
    return ELLIPSIS if _shown(ELLIPSIS) == ELLIPSIS else "..."


def _shown(text: str) -> str:
    """Return a text as standard output will show it, so that its width is known."""
    encoding = (sys.stdout.encoding if sys.stdout else None) or "utf-8"
    return printable(text).encode(encoding, "backslashreplace").decode(encoding)
