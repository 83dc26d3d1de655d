"""Reports: a model's weights to look at, as a page, a picture or values."""

import html
from collections.abc import Mapping
from functools import cached_property
from os import PathLike
from pathlib import Path

from seedbed.client import Client
from seedbed.defaults import get_default_client
from seedbed.manifest import Manifest
from seedbed.manifest_files import is_manifest_file
from seedbed.reports.comparison import Difference, differences_between, largest_differences
from seedbed.reports.findings import Finding, findings_in
from seedbed.reports.known_rules import with_rules
from seedbed.reports.page.document import document
from seedbed.reports.subjects import (
    SAMPLED_ELEMENTS,
    ModelFigures,
    Subject,
    arrays_of,
    check_readable,
    figures_of,
)
from seedbed.spec.errors import bad_type, bad_value
from seedbed.spec.numbers import as_count

SUFFIXES = (".html", ".png")
FRAME_HEIGHT = 720


class Report:
    """A model's weights to look at; a notebook shows it as it is.

    Args:
        model: its figures.
        other: those of the model that it is compared with.
        largest: the largest difference of two elements, by the name of a tensor that was read whole
            from both.
    """

    def __init__(
        self,
        model: ModelFigures,
        other: ModelFigures | None = None,
        largest: Mapping[str, float] | None = None,
    ) -> None:
        self.model = model
        """The figures of every tensor."""
        self.other = other
        """Those of the model that it is compared with; None without one."""
        self._largest = largest or {}

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What is unusual."""
        return findings_in(self.model.tensors)

    @cached_property
    def other_findings(self) -> tuple[Finding, ...]:
        """What is unusual about the other model; nothing without one."""
        return findings_in(self.other.tensors) if self.other is not None else ()

    @cached_property
    def differences(self) -> tuple[Difference, ...]:
        """How the other model differs, one tensor and one cause after the other."""
        if self.other is None:
            return ()
        return differences_between(self.model, self.other, self._largest)

    @property
    def html(self) -> str:
        """The page, in one piece."""
        return document(self)

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the page (``.html``), or its main charts (``.png``), and return the path.

        Raises:
            InvalidValueError: if the name ends otherwise.
            ModuleNotFoundError: for a picture without matplotlib.
        """
        target = Path(path)
        if target.suffix == ".html":
            target.write_text(self.html, encoding="utf-8")
        elif target.suffix == ".png":
            from seedbed.reports.report_picture import draw

            draw(target, self)
        else:
            raise bad_value("path", f"a name that ends in {' or '.join(SUFFIXES)}", str(path))
        return target

    def __repr__(self) -> str:
        many = len(self.findings)
        return (
            f"<Report of {self.model.title!r}: {len(self.model.tensors)} tensors, {many} findings>"
        )

    def _repr_html_(self) -> str:
        return (
            f'<iframe srcdoc="{html.escape(self.html)}" title="seedbed report" '
            f'style="width:100%;height:{FRAME_HEIGHT}px;border:0"></iframe>'
        )


def report(
    subject: Subject,
    *,
    manifest: Manifest | str | PathLike[str] | None = None,
    against: Subject | None = None,
    title: str = "",
    against_title: str = "",
    sample_elements: int = SAMPLED_ELEMENTS,
    client: Client | None = None,
) -> Report:
    """Return a report of a model: sizes, distributions beside the exact ones, and what is unusual.

    Args:
        subject: a :class:`Manifest` or its file, a checkpoint (a safetensors file or a folder), or
            numpy arrays by name. A manifest is sampled; checkpoints and arrays are read whole.
        manifest: what a checkpoint, or arrays, were filled by, or its file: each tensor is then
            held against its rule's exact distribution, as a manifest's are.
        against: another model, to be shown beside it.
        title: of the report; a file's name by default.
        against_title: of the other model, likewise.
        sample_elements: how many numbers of each tensor of a manifest are sampled at most: its
            first rows.
        client: samples manifests; None is the default client.

    Raises:
        InvalidTypeError: if the subject is no model; for a framework's, it names the function that
            draws it, such as :func:`seedbed.torch.report`.
        InvalidValueError: if it is a file that is wrong, if numbers are complex, if
            ``sample_elements`` is below 1, or if ``manifest`` is of another model, or of one.
        OSError: if a file cannot be read.

    Example:
        >>> manifest = Manifest([TensorSpec("w", (64, 64), "float32", HeNormal(seed=1))])
        >>> report(manifest).findings
        ()
    """
    most = as_count("sample_elements", sample_elements)
    asked = client if client is not None else get_default_client()
    # Before anything is read whole.
    rules = _rules_of(subject, manifest) if manifest is not None else None
    check_readable(against, "against")
    model = figures_of(subject, asked, title, most)
    if rules is not None:
        model = with_rules(model, rules, asked)
    if against is None:
        return Report(model)
    other = figures_of(against, asked, against_title, most, field="against")
    found = differences_between(model, other, {})
    names = [each.name for each in found if each.what == "content"]
    return Report(model, other, largest_differences(arrays_of(subject), arrays_of(against), names))


def _rules_of(subject: Subject, manifest: Manifest | str | PathLike[str]) -> Manifest:
    if isinstance(subject, Manifest) or (
        isinstance(subject, str | PathLike) and is_manifest_file(subject)
    ):
        raise bad_value("manifest", "nothing where the subject is a manifest itself", manifest)
    if isinstance(manifest, Manifest):
        return manifest
    if not isinstance(manifest, str | PathLike):
        raise bad_type("manifest", "a Manifest or the path of its file", manifest)
    return Manifest.load(Path(manifest))
