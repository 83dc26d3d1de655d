"""What a report is about: a manifest, a checkpoint, or arrays; each gives its tensors' figures."""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedbed.checkpoint_files import metadata_of, open_all, read_headers
from seedbed.client import Client
from seedbed.manifest import Manifest
from seedbed.manifest_files import is_manifest_file
from seedbed.reports.distributions import exact_distribution
from seedbed.reports.figures import initializer_text
from seedbed.reports.live_models import function_for, hint_for
from seedbed.reports.tensor_figures import TensorFigures, measured_figures
from seedbed.spec.digests import digest_array, digest_of
from seedbed.spec.dtypes import Dtype
from seedbed.spec.errors import Words, bad_type, bad_value
from seedbed.spec.info import NUMERICS, TensorDescription
from seedbed.spec.slices import TensorSlice
from seedbed.spec.tensors import TensorSpec

# More change a histogram by less than a pixel. Of a larger tensor the first rows are sampled.
SAMPLED_ELEMENTS = 2**20
# A model that is larger takes minutes to digest.
DIGESTED_BYTES = 2**32
# Texts in a file's header that a report does not show: the digest is computed.
NO_FACTS = ("format", "model_digest", "digest")
# Of numpy's own dtypes; those of other packages, as bfloat16 is, are "V".
REAL_KINDS = "biuf"

Subject = Manifest | Mapping[str, NDArray[Any]] | str | PathLike[str]
"""A manifest or its file, a checkpoint, or arrays by name."""


@dataclass(frozen=True, slots=True)
class ModelFigures:
    """The figures of all tensors of a model."""

    title: str
    """What it is."""
    tensors: tuple[TensorFigures, ...]
    """Of each tensor, in the model's order."""
    facts: Mapping[str, str]
    """What else is known: its digest, its seed, the numerics."""

    @property
    def elements(self) -> int:
        """How many numbers it has."""
        return sum(each.elements for each in self.tensors)

    @property
    def size_bytes(self) -> int:
        """How many bytes it has."""
        return sum(each.size_bytes for each in self.tensors)


def figures_of(
    subject: Subject,
    client: Client,
    title: str = "",
    sample_elements: int = SAMPLED_ELEMENTS,
    field: str = "subject",
) -> ModelFigures:
    """Return the figures of a model.

    Args:
        subject: the model. A manifest is sampled, a checkpoint read.
        client: samples a manifest.
        title: of the report; a file's name where it is empty.
        sample_elements: how many numbers of each tensor of a manifest are sampled at most.
        field: the argument that errors name.

    Raises:
        InvalidTypeError: if the subject is something else.
        InvalidValueError: if an array has no real numbers.
    """
    if isinstance(subject, Manifest):
        return _of_manifest(subject, client, title or "manifest", sample_elements)
    # MLX's modules are mappings.
    if isinstance(subject, Mapping) and not function_for(subject):
        return _of_arrays(subject, title or "model", {}, field)
    if not isinstance(subject, str | PathLike):
        allowed = "a Manifest, arrays by name, or the path of a manifest or a checkpoint"
        raise bad_type(field, allowed, subject, hint=hint_for(subject))
    if not os.fspath(subject):  # not the current folder, which Path takes it for
        raise bad_value(field, "the path of a manifest or a checkpoint", subject)
    path = Path(subject)
    if is_manifest_file(path):
        return _of_manifest(Manifest.load(path), client, title or title_of(path), sample_elements)
    facts = {key: text for key, text in metadata_of(path).items() if key not in NO_FACTS}
    return _of_arrays(open_all(path), title or title_of(path), facts, field)


def title_of(path: str | PathLike[str]) -> str:
    """Return what a report calls a file or a folder: the last part of its path, even of ``.``."""
    return Path(os.path.abspath(path)).name or os.fspath(path)  # noqa: PTH100  # links keep names


def check_readable(subject: Subject | None, field: str) -> None:
    """Raise now what reading a file's tensors would raise after a while."""
    if not isinstance(subject, str | PathLike):
        return
    if not os.fspath(subject):
        raise bad_value(field, "the path of a manifest or a checkpoint", subject)
    if is_manifest_file(subject):
        Manifest.load(Path(subject))
    else:
        read_headers(subject)


def arrays_of(subject: Subject) -> Mapping[str, NDArray[Any]]:
    """Return what can be read whole of a model: nothing of a manifest."""
    if isinstance(subject, Manifest):
        return {}
    if isinstance(subject, Mapping):
        return subject
    return {} if is_manifest_file(subject) else open_all(subject)


def _of_arrays(
    arrays: Mapping[str, NDArray[Any]], title: str, facts: Mapping[str, str], field: str
) -> ModelFigures:
    digests, tensors = {}, []
    # One after the other: what gives them may have to fetch each.
    for name, array in arrays.items():
        if not isinstance(name, str):
            raise bad_type(f"{field}'s names", "strings", name)
        _check_numbers(array, f"{field}[{name!r}]")
        digests[name] = digest_array(array)
        tensors.append(
            measured_figures(
                name,
                array,
                array.shape,
                dtype=array.dtype.name,
                size_bytes=array.nbytes,
                digest=str(digests[name]),
            )
        )
    return ModelFigures(title, tuple(tensors), {"digest": str(digest_of(digests)), **facts})


def _check_numbers(array: object, field: str) -> None:
    if not isinstance(array, np.ndarray):
        raise bad_type(field, "a numpy array", array, hint=hint_for(array))
    is_ours = array.dtype.kind == "V" and array.dtype.name in {each.value for each in Dtype}
    if array.dtype.kind not in REAL_KINDS and not is_ours:
        raise bad_value(field, "an array of real numbers", Words(array.dtype.name))


def _of_manifest(
    manifest: Manifest, client: Client, title: str, sample_elements: int
) -> ModelFigures:
    described = client.describe_all(manifest)
    facts = {"numerics": NUMERICS}
    seeds = sorted({spec.seed for spec in manifest.tensors if spec.initializer.random})
    if seeds:
        facts["seed"] = str(seeds[0]) if len(seeds) == 1 else f"{len(seeds)} seeds"
    digests: Mapping[str, Any] = {}
    if manifest.size_bytes <= DIGESTED_BYTES:
        digests = client.digest_all(manifest)
        facts = {"digest": str(digest_of(digests)), **facts}
    tensors = [
        _of_spec(
            spec,
            first_rows(spec.shape, sample_elements),
            described[spec.name],
            str(digests.get(spec.name, "")),
            client,
        )
        for spec in manifest.tensors
    ]
    return ModelFigures(title, tuple(tensors), facts)


def _of_spec(
    spec: TensorSpec,
    part: TensorSlice | None,
    description: TensorDescription,
    digest: str,
    client: Client,
) -> TensorFigures:
    array = client.sample(spec, slice=part)
    return measured_figures(
        spec.name,
        array,
        spec.shape,
        dtype=spec.dtype.value,
        size_bytes=description.size_bytes,
        digest=digest,
        **rule_figures(spec, description),
    )


def rule_figures(spec: TensorSpec, description: TensorDescription) -> dict[str, Any]:
    """Return those of a tensor's figures that its rule says."""
    return {
        "rule": initializer_text(spec.initializer),
        "seed": spec.seed if spec.initializer.random else None,
        "draw": spec.draw if spec.initializer.random else None,
        "fan_in": description.fan_in,
        "exact": exact_distribution(description),
    }


def first_rows(shape: tuple[int, ...], most: int) -> TensorSlice | None:
    """Return the slice of a tensor's first elements; None is all of it.

    Args:
        shape: of the tensor.
        most: elements, unless one index of the first axes has more: then it is one.

    Example:
        >>> first_rows((10, 5), 20)
        TensorSlice(starts=(0, 0), lengths=(4, 5))
    """
    if math.prod(shape) <= most:
        return None
    lengths = list(shape)
    for axis, length in enumerate(shape):
        inner = math.prod(shape[axis + 1 :])
        lengths[axis] = max(1, min(length, most // inner if inner else length))
        if lengths[axis] > 1:
            break
    return TensorSlice((0,) * len(shape), tuple(lengths))
