"""The tensors of a model: names, shapes, dtypes and what fills them."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from seedbed.checkpoint_files import CheckpointPath
from seedbed.checkpoint_specs import Layout, specs_of_checkpoint
from seedbed.rules import (
    Filling,
    InitializerLike,
    Rules,
    checked_keys,
    first_match,
    parse_fan_axes,
    parse_initializer,
    parse_rules,
    refuse,
    unfilled,
    unmatched,
)
from seedbed.spec.errors import InvalidArgumentError, bad_type, bad_value
from seedbed.spec.fans import FanAxes
from seedbed.spec.html import table
from seedbed.spec.info import NUMERICS
from seedbed.spec.initializers import parameters
from seedbed.spec.seeds import as_draw, as_seed
from seedbed.spec.shapes import as_shape
from seedbed.spec.tensors import TensorSpec, as_name

FORMAT = 1
"""The version of the file format."""


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
        return self._tensors[name]

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

        Raises:
            InvalidValueError: if the file is no manifest; says where.
            OSError: if it cannot be read.
        """
        try:
            text = Path(path).read_text(encoding="utf-8")
            if Path(path).suffix == ".json":
                document = json.loads(text, object_pairs_hook=_without_duplicates)
            else:
                # A SafeLoader that refuses duplicate keys.
                document = yaml.load(text, _StrictLoader)
        except _UNREADABLE as error:
            raise bad_value(
                "manifest", "a YAML or JSON file", str(error) or type(error).__name__
            ).within(str(path)) from None
        try:
            return cls.from_dict(document)
        except InvalidArgumentError as error:
            raise error.within(str(path)) from None

    def save(self, path: str | Path) -> None:
        """Write the manifest as YAML (.yaml, .yml) or JSON (.json)."""
        if Path(path).suffix == ".json":
            text = json.dumps(self.to_dict(), indent=2) + "\n"
        else:
            text = yaml.dump(
                self.to_dict(),
                Dumper=_SafeDumper,
                sort_keys=False,
                default_flow_style=None,
                width=120,
            )
        Path(path).write_text(text, encoding="utf-8")

    @classmethod
    def from_dict(cls, document: Any) -> "Manifest":
        """Return the manifest of a document as :meth:`load` reads it.

        Raises:
            InvalidArgumentError: naming the key, such as ``tensors.wte.weight.shape[1]``; or all
                tensors that nothing fills, and all rules that match no tensor.
        """
        document = checked_keys(
            "manifest",
            document,
            ("seedbed_manifest", "numerics", "seed", "dtype", "fan_axes", "rules", "tensors"),
        )
        version = document.get("seedbed_manifest")
        if type(version) is not int or version != FORMAT:  # True and 1.0 equal 1, too
            raise bad_value("seedbed_manifest", f"{FORMAT}", version)
        if document.get("numerics", NUMERICS) != NUMERICS:
            raise bad_value("numerics", NUMERICS, document["numerics"])
        tensors = document.get("tensors")
        if not isinstance(tensors, Mapping):
            raise bad_type("tensors", "a mapping from names to shapes", tensors)
        rules = parse_rules("rules", document.get("rules"), parse_initializer)
        return cls(_specs(tensors, rules, document))

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


_TENSOR_KEYS = ("shape", "dtype", "initializer", "seed", "draw", "fan_axes")


def _specs(
    tensors: Mapping[Any, Any], rules: Sequence[tuple[str, Filling]], shared: Mapping[str, Any]
) -> list[TensorSpec]:
    """Return the specs of entries as they stand in a manifest's file."""
    specs: dict[str, TensorSpec | None] = {}
    shapes = {}
    for key, value in tensors.items():
        try:
            name = as_name(key)
            entry = value if isinstance(value, Mapping) else {"shape": value}
            specs[name] = _spec(name, checked_keys("tensor", entry, _TENSOR_KEYS), rules, shared)
            if specs[name] is None:
                shapes[name] = as_shape(entry.get("shape"), 1)
        except InvalidArgumentError as error:
            raise error.within(f"tensors.{key}") from None
    filled = [spec for spec in specs.values() if spec is not None]
    missing = unfilled(shapes, {spec.name for spec in filled}, needy="tensor")
    refuse([*missing, *unmatched(rules, specs, partial=None)])
    return filled


def _spec(
    name: str,
    entry: Mapping[str, Any],
    rules: Sequence[tuple[str, Filling]],
    shared: Mapping[str, Any],
) -> TensorSpec | None:
    """Return the spec of an entry; None if nothing says what fills the tensor."""
    own = entry.get("initializer")
    if own is not None:
        filling = parse_initializer(own)
    elif (rule := first_match(rules, name)) is not None:
        filling = rule[1]
    else:
        return None
    seeds = (entry.get("seed"), filling.seed_bits, shared.get("seed"))
    # Biases of one axis cannot have the layout of the weights, and need none.
    has_shared = filling.fan_axes is None and filling.takes_axes
    shared_axes = shared.get("fan_axes") if has_shared else None
    dtype = entry.get("dtype", shared.get("dtype"))
    if dtype is None:
        raise bad_value("dtype", "given, here or for the whole manifest", None)
    return TensorSpec(
        name=name,
        shape=entry.get("shape"),
        dtype=dtype,
        initializer=filling,
        seed=next((seed for seed in seeds if seed is not None), None),
        draw=entry.get("draw", 0),
        fan_axes=parse_fan_axes(entry.get("fan_axes", shared_axes)),
    )


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


# PyYAML's constructors do not check what an explicit tag stands on: !!bool maybe is a KeyError,
# !!int "" an IndexError.
_UNREADABLE = (yaml.YAMLError, ValueError, TypeError, LookupError, AttributeError, RecursionError)


# libyaml's parser where PyYAML was built with it: it takes a tenth of the time.
_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SafeDumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _StrictLoader(_SafeLoader):  # type: ignore[misc]  # either of two
    """A YAML loader that refuses a key that stands twice in one mapping."""


def _construct_mapping(loader: _StrictLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    pairs = [
        (loader.construct_object(key, deep=True), loader.construct_object(value, deep=True))
        for key, value in node.value
    ]
    return _without_duplicates(pairs)


_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _construct_mapping)


def _without_duplicates(pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
    mapping: dict[Any, Any] = {}
    for key, value in pairs:
        if not isinstance(key, (str, int, float, bool)) or key in mapping:
            raise ValueError(f"the key {key!r} stands twice, or is no plain value")
        mapping[key] = value
    return mapping
