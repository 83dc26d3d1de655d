"""The tensors of a model: names, shapes, dtypes and what fills them."""

from collections.abc import Iterable, Iterator
from os import PathLike
from pathlib import Path
from typing import Any

from seedbed.checkpoint_files import CheckpointPath
from seedbed.checkpoint_specs import Layout, specs_of_checkpoint
from seedbed.manifest_document import FORMAT, read_document
from seedbed.patterns import close_names
from seedbed.rules import Filling, InitializerLike, Rules
from seedbed.spec.errors import InvalidArgumentError, bad_type, bad_value
from seedbed.spec.fans import FanAxes
from seedbed.spec.html import table
from seedbed.spec.info import NUMERICS
from seedbed.spec.initializers import parameters
from seedbed.spec.seeds import as_draw, as_seed
from seedbed.spec.tensors import TensorSpec


class Manifest:
    """An ordered collection of tensor specs with different names.

    As a file, YAML or JSON::

        seedbed_manifest: 1
        numerics: seedbed-1
        seed: 42                          # for every tensor that has none of its own
        dtype: float32                    # likewise
        fan_axes: {in_axis: 1, out_axis: 0}   # likewise; absence is Keras's rule
        rules:                            # the first pattern that matches a name counts
          - match: "*.bias"
            initializer: zeros
          - match: "*"
            initializer: {class_name: RandomNormal, config: {stddev: 0.02}}
        tensors:
          wte.weight: [50257, 768]        # a shape, or any of the keys above and draw:
          lm_head.weight: {shape: [768, 50257], dtype: bfloat16, initializer: he_normal, seed: 7}

    Rules may also be a mapping from patterns, or pairs. Patterns are those of :mod:`fnmatch`, upper
    and lower case distinct. A seed may also stand in an initializer's config; the tensor's own
    comes first, then that, then the manifest's. An initializer made without a seed has none, and
    with no seed anywhere nothing random is made: two processes get equal manifests.

    Args:
        tensors: the specs.

    Raises:
        InvalidValueError: if two have the same name.
    """

    def __init__(self, tensors: Iterable[TensorSpec]) -> None:
        self._tensors: dict[str, TensorSpec] = {}
        if isinstance(tensors, str | PathLike):
            hint = "; Manifest.load(...) reads a file"
            raise bad_type("tensors", "TensorSpecs", tensors, hint=hint)
        if not isinstance(tensors, Iterable):
            raise bad_type("tensors", "TensorSpecs", tensors)
        for spec in tensors:
            if not isinstance(spec, TensorSpec):
                raise bad_type("tensors", "TensorSpecs", spec)
            if spec.name in self._tensors:
                raise bad_value("tensors", "specs with different names", spec.name)
            self._tensors[spec.name] = spec

    @property
    def tensors(self) -> tuple[TensorSpec, ...]:
        """The specs in order."""
        return tuple(self._tensors.values())

    @property
    def size_bytes(self) -> int:
        """The bytes of all tensors."""
        return sum(spec.element_count * spec.dtype.itemsize for spec in self.tensors)

    def __iter__(self) -> Iterator[str]:
        return iter(self._tensors)

    def __len__(self) -> int:
        return len(self._tensors)

    def __contains__(self, name: object) -> bool:
        return name in self._tensors

    def __getitem__(self, name: str) -> TensorSpec:
        try:
            return self._tensors[name]
        except KeyError:
            close = " or ".join(map(repr, close_names(name, self._tensors)))
            raise KeyError(
                f"no tensor {name!r:.120}" + (f"; did you mean {close}?" if close else "")
            ) from None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Manifest) and self.tensors == other.tensors

    def __hash__(self) -> int:
        return hash(self.tensors)

    def __repr__(self) -> str:
        return f"<seedbed.Manifest of {len(self)} tensors, {self.size_bytes} bytes>"

    def _repr_html_(self) -> str:
        rows = (
            (each.name, str(each.shape), each.dtype.value, str(each.initializer), str(each.seed))
            for each in self.tensors
        )
        headings = ("name", "shape", "dtype", "initializer", "seed")
        caption = f"Manifest of {len(self):,} tensors, {self.size_bytes:,} bytes"
        return table(caption, headings, rows, right=["seed"])

    @classmethod
    def load(cls, path: str | Path) -> "Manifest":
        """Return the manifest of a YAML (.yaml, .yml) or JSON (.json) file.

        YAML is read as YAML 1.2 has it; what YAML 1.1 reads differently is an error.

        Raises:
            InvalidArgumentError: with all that is wrong, each with its line; or if it is a
                checkpoint's by its name, which :meth:`from_safetensors` reads.
            OSError: if it cannot be read.
        """
        # Here, because it imports yaml: 30 ms, which most programs do not need.
        from seedbed.manifest_files import read_file

        return cls(read_file(path).specs)

    def save(self, path: str | Path) -> None:
        """Write the manifest as YAML (.yaml, .yml) or JSON (.json).

        Raises:
            InvalidValueError: if the name is a checkpoint's: a manifest has no tensors' bytes.
        """
        from seedbed.manifest_files import write_file

        write_file(path, self.to_dict())

    @classmethod
    def from_dict(cls, document: Any) -> "Manifest":
        """Return the manifest of a document as :meth:`load` reads it.

        Raises:
            InvalidArgumentError: with all that is wrong, each with its key, such as
                ``tensors.wte.weight.shape[1]``; with the tensors that nothing fills, and the rules
                that match no tensor.
        """
        return cls(read_document(document).specs)

    def to_dict(self) -> dict[str, Any]:
        """Return the document of this manifest, every tensor complete."""
        return {
            "seedbed_manifest": FORMAT,
            "numerics": NUMERICS,
            "tensors": {spec.name: _entry(spec) for spec in self.tensors},
        }

    @classmethod
    def from_safetensors(
        cls,
        path: CheckpointPath,
        rules: Rules[InitializerLike | None],
        *,
        seed: int | None,
        layout: Layout | None = None,
        dtype: Any = None,
        fan_axes: FanAxes | None = None,
        partial: bool = False,
    ) -> "Manifest":
        """Return a manifest with the names, shapes and dtypes of a checkpoint.

        Only the headers of its files are read.

        Args:
            path: a safetensors file; a folder of them; an index, ``model.safetensors.index.json``;
                or a list of files. In a folder ``model.safetensors`` counts first, then an index,
                then all files.
            rules: patterns on names and what fills the tensors that match; the first match counts.
                None leaves a tensor out.
            seed: of every tensor whose initializer was given none.
            layout: whose weights they are: ``"torch"`` (out, in, ...), ``"mlx"`` (out, ..., in), or
                ``"keras"`` and ``"jax"`` (..., in, out). Initializers whose numbers depend on fans
                need it, unless they name their axes.
            dtype: of every tensor; None keeps the files'.
            fan_axes: of every tensor, in place of a layout.
            partial: the checkpoint is a part of a model: a rule that matches nothing is for another
                part, and no error.

        Raises:
            InvalidValueError: if it is no checkpoint; or naming all tensors that no rule matches,
                that have a dtype which seedbed does not make, or that need a layout, and all rules
                that match no tensor.
            OSError: if it cannot be read.
        """
        return cls(
            specs_of_checkpoint(
                path,
                rules,
                seed=seed,
                layout=layout,
                dtype=dtype,
                fan_axes=fan_axes,
                partial=partial,
            )
        )


def filled_manifest(
    tensors: Iterable[tuple[str, tuple[int, ...], object, Filling]],
    *,
    seed: Any,
    draw: Any = 0,
    layout: FanAxes | None = None,
) -> Manifest:
    """Return the manifest of a model's tensors.

    Args:
        tensors: the name, shape and dtype of each, and what fills it.
        seed: of all of them, -2**63 to 2**64 - 1; one that came with an initializer does not count.
        draw: the n-th use of the seed.
        layout: of the framework's weights; None is Keras's.

    Raises:
        InvalidArgumentError: if the seed or the draw is wrong, or an initializer cannot fill its
            tensor, which is named.
    """
    bits, draw = as_seed(seed), as_draw(draw)
    specs = []
    for name, shape, dtype, filling in tensors:
        try:
            placed = filling.in_layout_of(shape, layout)
            specs.append(TensorSpec(name, shape, dtype, placed, bits, draw))
        except InvalidArgumentError as error:
            raise error.within(name) from None
    return Manifest(specs)


def _entry(spec: TensorSpec) -> dict[str, Any]:
    config = {
        field.name: getattr(spec.initializer, field.name)
        for field in parameters(type(spec.initializer))
    }
    entry: dict[str, Any] = {
        "shape": list(spec.shape),
        "dtype": spec.dtype.value,
        "initializer": {"class_name": spec.initializer.name(), "config": config},
        "seed": spec.seed,
    }
    if spec.draw:
        entry["draw"] = spec.draw
    if spec.fan_axes is not None:
        axes = ("in_axis", "out_axis", "batch_axis")
        entry["fan_axes"] = {name: list(getattr(spec.fan_axes, name)) for name in axes}
    return entry
