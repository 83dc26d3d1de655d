"""``seedbed sample``: one tensor, its figures, and on request a file and a picture of it."""

import argparse
import math
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedbed import checkpoints
from seedbed.cli import picture
from seedbed.cli.arguments import (
    add_force_option,
    add_part_options,
    add_tensor_options,
    client_of,
    part_of,
    spec_of,
)
from seedbed.cli.output_file import check_replaceable, checked_output, reserve, unfinished
from seedbed.cli.provenance import MODEL_DIGEST, provenance, unknown_digest
from seedbed.cli.resources import check_disk, check_memory
from seedbed.cli.result import Result
from seedbed.client import EMBEDDED, Client
from seedbed.manifest import Manifest
from seedbed.manifest_files import is_manifest_file
from seedbed.reports.distributions import Exact, exact_distribution
from seedbed.reports.figures import distribution_text, fans_text, initializer_text
from seedbed.reports.moments import Moments, moments_of
from seedbed.reports.pictures.figure import figure_of
from seedbed.reports.sparkline import histogram_line
from seedbed.reports.text import number_text, pairs, printable, shape_text, size_text
from seedbed.spec.digests import Digest, digest_array, digest_of
from seedbed.spec.dtypes import Dtype
from seedbed.spec.errors import InvalidValueError, shown
from seedbed.spec.info import TensorDescription
from seedbed.spec.slices import Shard, TensorSlice, as_slice
from seedbed.spec.tensors import TensorSpec

NAME = "sample"
SUMMARY = "sample one tensor; print its figures, save it, draw it"
DESCRIPTION = (
    "Sample one tensor and print its fans, distribution, moments and digest. "
    "The moments of a slice are the slice's."
)

Part = Shard | TensorSlice | None

# The key of a tensor without a name in a file.
UNNAMED = "tensor"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument(
        "initializer", metavar="INITIALIZER", help="such as GlorotUniform; `seedbed list` names all"
    )
    add_tensor_options(parser)
    add_part_options(parser)
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="write the tensor to FILE.npy or FILE.safetensors"
    )
    add_force_option(parser)
    parser.add_argument(
        "--plot",
        metavar="FILE",
        help="draw it, beside its exact distribution: FILE.png, .svg, .pdf",
    )


def run(options: argparse.Namespace) -> Result:
    """Sample, write what was asked for, and report the figures."""
    if is_manifest_file(options.initializer):
        raise InvalidValueError(
            "INITIALIZER must be a name, such as GlorotUniform. Received: "
            f"{shown(options.initializer)}, a manifest by its name; `seedbed fetch` samples one"
        )
    spec = spec_of(options.initializer, options)
    part = part_of(options, spec.shape)
    output = _checked_output(options.output, spec.dtype, is_forced=options.force)
    plot = picture.checked_plot(options.plot, is_forced=options.force)
    if options.force and output is None and plot is None:
        raise InvalidValueError("--force goes with --output or --plot")
    timeout = options.timeout_seconds
    with ExitStack() as stack:
        client = stack.enter_context(client_of(options))
        description = client.describe(spec, slice=part, timeout_seconds=timeout)
        _check_room(client, description, output)
        file = None
        if output is not None:
            path = stack.enter_context(unfinished(output, is_forced=options.force))
            file = _File(path, spec, part, description)
        array = np.empty(description.shape, description.dtype.numpy) if file is None else file.array
        client.sample(spec, slice=part, out=array, timeout_seconds=timeout)
        digest = digest_array(array)
        if file is not None:
            file.complete(digest)
        report = _report(client, spec, part, description, array, digest, output)
        if plot is not None:
            figure = figure_of(array, spec, description, as_slice(part, spec.shape))
            picture.save(figure, plot, is_forced=options.force)
        return report


def _checked_output(path: str | None, dtype: Dtype, *, is_forced: bool) -> Path | None:
    if path is None:
        return None
    suffix = Path(path).suffix
    if suffix not in (".npy", ".safetensors"):
        raise InvalidValueError(f"--output must end in .npy or .safetensors. Received: {path!r}")
    # Read back, ml_dtypes' own types are raw bytes.
    if suffix == ".npy" and dtype.numpy.isbuiltin != 1:
        raise InvalidValueError(
            f"{path}: the .npy format has no {dtype.value}; write a .safetensors file instead"
        )
    check_replaceable(path, is_forced=is_forced)
    return checked_output(path)


def _check_room(client: Client, description: TensorDescription, output: Path | None) -> None:
    if client.target == EMBEDDED:  # a server looks after its own memory
        check_memory(
            description.working_bytes, "some of it is computed in one piece; take a smaller one"
        )
    if output is None:
        advice = (
            "write it to a file with -o, take a part with --slice or --shard, "
            "or ask for its digest only"
        )
        check_memory(description.size_bytes, advice)
    else:
        check_disk(output, description.size_bytes)


class _File:
    """The file of a sample: its array is mapped, and the header says where it comes from.

    The .npy format has no room for that.
    """

    def __init__(
        self, path: Path, spec: TensorSpec, part: Part, description: TensorDescription
    ) -> None:
        self._path = path
        self._key = description.name or UNNAMED
        self._layout = [(self._key, description.dtype, description.shape)]
        self._texts = {
            **provenance(Manifest([spec]), part),
            MODEL_DIGEST: unknown_digest(description.size_bytes),
        }
        self.array: NDArray[Any]
        """The tensor, to be filled in place."""
        if path.suffix == ".safetensors":
            self.array = checkpoints.create(path, self._layout, self._texts)[self._key]
        elif description.size_bytes:
            self.array = np.lib.format.open_memmap(
                path, "w+", description.dtype.numpy, description.shape
            )
        else:  # nothing to map
            self.array = np.empty(description.shape, description.dtype.numpy)
            with path.open("wb") as file:
                np.save(file, self.array)
        reserve(path)

    def complete(self, digest: Digest) -> None:
        """Take down the digest of what is in the array."""
        if self._path.suffix == ".safetensors":
            known = {**self._texts, MODEL_DIGEST: str(digest_of({self._key: digest}))}
            checkpoints.amend(self._path, self._layout, self._texts, known)


def _report(
    client: Client,
    spec: TensorSpec,
    part: Part,
    description: TensorDescription,
    array: NDArray[Any],
    digest: Digest,
    output: Path | None,
) -> Result:
    moments = moments_of(array)
    fields = {
        "target": client.target,
        "initializer": spec.initializer.name(),
        "parameters": asdict(spec.initializer),
        "seed": spec.seed,
        "draw": spec.draw,
        "whole_shape": spec.shape,
        "description": description,
        "moments": moments,
        "digest": str(digest),
        "file": str(output) if output is not None else None,
    }
    exact = exact_distribution(description)
    ends = (-math.inf, math.inf) if exact is None else (exact.low, exact.high)
    histogram = histogram_line(array, moments.min, moments.max, within=ends)
    return Result(fields, _text(spec, part, description, moments, histogram, digest, output))


def _text(
    spec: TensorSpec,
    part: Part,
    description: TensorDescription,
    moments: Moments,
    histogram: str,
    digest: Digest,
    output: Path | None,
) -> str:
    of_whole = f" of {shape_text(spec.shape)}" if part is not None else ""
    exact = exact_distribution(description)
    rows = [
        ("name", printable(spec.name)),
        ("initializer", initializer_text(spec.initializer)),
        ("seed", f"{spec.seed}, draw {spec.draw}" if spec.initializer.random else ""),
        ("shape", f"{shape_text(description.shape)}{of_whole}"),
        ("dtype", f"{description.dtype.value} ({size_text(description.size_bytes)})"),
        ("fans", fans_text(description)),
        ("distribution", distribution_text(spec.initializer, description)),
        ("mean", _beside(moments.mean, exact, "mean")),
        ("std", _beside(moments.std, exact, "stddev")),
        ("min", number_text(moments.min)),
        ("max", number_text(moments.max)),
        ("histogram", histogram),
        ("digest", str(digest)),
        ("file", printable(str(output)) if output is not None else ""),
    ]
    return pairs(rows)


def _beside(measured: float | None, exact: Exact | None, figure: str) -> str:
    expected = f"   (exact {getattr(exact, figure):.7g})" if exact is not None else ""
    return f"{number_text(measured):<14}{expected}".rstrip()
