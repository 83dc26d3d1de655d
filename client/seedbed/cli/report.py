"""``seedbed report``: a model's weights as a page to look at."""

import argparse
import dataclasses
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seedbed.cli.arguments import a_count, add_force_option, an_integer, client_of
from seedbed.cli.manifests import STDIN, load_manifest, manifest_name
from seedbed.cli.output_file import check_replaceable, checked_output, unfinished
from seedbed.cli.result import CommandError, Result
from seedbed.manifest import Manifest
from seedbed.manifest_files import is_manifest_file
from seedbed.reports.comparison import difference_text, folded, names_text, summary
from seedbed.reports.findings import Finding
from seedbed.reports.report import SUFFIXES, Report, report
from seedbed.reports.subjects import SAMPLED_ELEMENTS, ModelFigures, Subject, title_of
from seedbed.reports.tensor_figures import TensorFigures
from seedbed.reports.text import count_text, pairs, printable, shape_text, size_text
from seedbed.spec.errors import InvalidValueError

NAME = "report"
SUMMARY = "draw a model's weights as one page: sizes, distributions, what is unusual"
DESCRIPTION = (
    "Write a page, or a picture, of a model's weights: what is unusual first, then sizes, standard "
    "deviations by depth, and each tensor's histogram beside the exact density. A manifest is "
    "sampled, a checkpoint is read whole. The page needs "
    "nothing else: no script, style or font comes from elsewhere."
)
# As many lines as a terminal shows at once.
MOST_DIFFERENCES = 20
PICTURE = ".png"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument(
        "subject",
        metavar="MANIFEST|FILE|FOLDER",
        help="a YAML or JSON manifest, - for standard input, or a checkpoint: a file or a folder",
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", required=True, help="FILE.html or FILE.png"
    )
    parser.add_argument(
        "--manifest",
        metavar="MANIFEST",
        help="what a checkpoint was filled by: its tensors are held against their rules",
    )
    beside = parser.add_mutually_exclusive_group()
    beside.add_argument(
        "--against",
        metavar="MANIFEST|FILE|FOLDER",
        help="another model, shown side by side",
    )
    beside.add_argument(
        "--against-seed",
        metavar="SEED",
        type=an_integer,
        help="the same manifest with another seed",
    )
    parser.add_argument(
        "--sample-elements",
        type=a_count,
        default=SAMPLED_ELEMENTS,
        metavar="N",
        help="how many numbers of each tensor of a manifest are sampled at most, its first rows "
        "(default: %(default)s)",
    )
    add_force_option(parser)


def run(options: argparse.Namespace) -> Result:
    """Write the report, and say what was found."""
    target = Path(options.output)
    if target.suffix not in SUFFIXES:
        allowed = " or ".join(SUFFIXES)
        raise InvalidValueError(f"--output must end in {allowed}. Received: {options.output!r}")
    if target.suffix == PICTURE and importlib.util.find_spec("matplotlib") is None:
        raise CommandError("a picture needs matplotlib: pip install 'seedbed[plot]'")
    check_replaceable(target, is_forced=options.force)
    checked_output(target)
    if [options.subject, options.manifest, options.against].count(STDIN) > 1:
        raise InvalidValueError("standard input can be one of MANIFEST, --manifest and --against")
    subject = _subject(options.subject)
    with client_of(options) as client:
        other = _other(options, subject)
        title = _title(options.subject)
        made = report(
            subject,
            manifest=load_manifest(options.manifest) if options.manifest is not None else None,
            against=other,
            title=title,
            against_title=_other_title(options),
            sample_elements=options.sample_elements,
            client=client,
        )
    with unfinished(target, is_forced=options.force) as path:
        made.save(path)
    return _result(made, target)


def _subject(path: str) -> Subject:
    return load_manifest(path) if path == STDIN or is_manifest_file(path) else path


def _title(path: str) -> str:
    return manifest_name(path) if path == STDIN else title_of(path)


def _other(options: argparse.Namespace, subject: Subject) -> Subject | None:
    if options.against is not None:
        return _subject(options.against)
    if options.against_seed is None:
        return None
    if not isinstance(subject, Manifest):
        raise InvalidValueError("--against-seed is for a manifest: a checkpoint has its numbers")
    return Manifest(
        dataclasses.replace(spec, seed=options.against_seed) if spec.initializer.random else spec
        for spec in subject.tensors
    )


def _other_title(options: argparse.Namespace) -> str:
    if options.against_seed is not None:
        return f"seed {options.against_seed}"
    return _title(options.against) if options.against else ""


def _result(made: Report, target: Path) -> Result:
    fields = {
        "file": str(target),
        "tensors": len(made.model.tensors),
        "facts": made.model.facts,
        "figures": [_figures(each) for each in made.model.tensors],
        "findings": made.findings,
        "against": _other_fields(made),
    }
    rows = [
        ("report", f"{printable(str(target))} ({size_text(target.stat().st_size)})"),
        ("tensors", count_text(len(made.model.tensors), "tensor")),
        *_fact_rows(made.model),
        *_finding_rows(made.findings),
    ]
    return Result(fields, "\n\n".join(filter(None, [pairs(rows), pairs(_other_rows(made))])))


def _fact_rows(model: ModelFigures) -> list[tuple[str, str]]:
    return [(printable(key), printable(text)) for key, text in model.facts.items()]


def _finding_rows(found: Sequence[Finding]) -> list[tuple[str, str]]:
    return [
        ("findings", str(len(found)) if found else "nothing unusual"),
        *(("", printable(f"{each.name}: {each.text}")) for each in found),
    ]


def _other_fields(made: Report) -> dict[str, Any] | None:
    if made.other is None:
        return None
    return {
        "title": made.other.title,
        "facts": made.other.facts,
        "findings": made.other_findings,
        "differences": made.differences,
    }


def _other_rows(made: Report) -> list[tuple[str, str]]:
    if made.other is None:
        return []
    names = {each.name: None for model in (made.model, made.other) for each in model.tensors}
    found = folded(made.differences, names)
    lines = [
        printable(f"{names_text(each, 'x')}: {difference_text(each, shape_text)}")
        for each in found[:MOST_DIFFERENCES]
    ]
    if len(found) > MOST_DIFFERENCES:
        lines.append(f"and {len(found) - MOST_DIFFERENCES:,} more (--json has all)")
    return [
        ("against", printable(made.other.title)),
        *_fact_rows(made.other),
        *_finding_rows(made.other_findings),
        ("compared", summary(made.model, made.differences)),
        *(("", line) for line in lines),
    ]


def _figures(tensor: TensorFigures) -> dict[str, Any]:
    """Return what programs read about a tensor."""
    exact = tensor.exact
    return {
        "name": tensor.name,
        "shape": tensor.shape,
        "dtype": tensor.dtype,
        "rule": tensor.rule or None,
        "seed": tensor.seed,
        "draw": tensor.draw,
        "measured": tensor.measured,
        "not_finite": tensor.not_finite,
        "mean": tensor.mean,
        "std": tensor.std,
        "min": tensor.least,
        "max": tensor.largest,
        "exact_mean": exact.mean if exact else None,
        "exact_std": exact.stddev if exact else None,
        "mean_z": tensor.mean_z,
        "std_z": tensor.std_z,
        "digest": tensor.digest or None,
    }
