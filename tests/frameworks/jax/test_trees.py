"""initialize fills every leaf of a tree by its name, in few calls, and says which leaf is wrong."""

import hashlib
from typing import Any, NamedTuple

import jax
import numpy as np
import pytest
from jax.sharding import NamedSharding, SingleDeviceSharding
from jax.sharding import PartitionSpec as P

import seedbed as sb
from seedbed.jax import digest, digests, initialize, make_array, manifest_of
from tests.forms_of_rules import FORMS
from tests.frameworks.jax.meshes import mesh_of
from tests.frameworks.recording import RecordingClient

F32 = np.dtype("float32")


def form(*shape: int, dtype: Any = F32) -> jax.ShapeDtypeStruct:
    """Return a tensor without numbers."""
    return jax.ShapeDtypeStruct(shape, dtype)


class Pair(NamedTuple):
    """A container with names of its own."""

    first: Any
    second: Any


TREE = {
    "params": {"dense": {"kernel": form(8, 6), "bias": form(6, dtype="bfloat16")}},
    "list": [form(4, 2), form(4, 2)],
    "pair": Pair(form(3, 3), {"x": form()}),
}
RULES: dict[str, Any] = {
    "*/bias": "zeros",
    "pair/first": "orthogonal",
    "*": {"class_name": "RandomNormal", "config": {"stddev": 0.5}},
}


@pytest.mark.parametrize("form_of_rules", FORMS, ids=FORMS)
def test_names_are_paths_and_values_are_those_of_the_names(
    recorder: RecordingClient, form_of_rules: str
) -> None:
    filled = initialize(TREE, seed=7, rules=FORMS[form_of_rules](RULES), client=recorder)
    assert jax.tree.structure(filled) == jax.tree.structure(TREE)
    assert sorted(spec.name for spec, _ in recorder.parts) == [
        "list/0",
        "list/1",
        "pair/first",
        "pair/second/x",
        "params/dense/bias",
        "params/dense/kernel",
    ]
    assert recorder.call_count == 1
    expected = sb.RandomNormal(stddev=0.5, seed=7)((8, 6), name="params/dense/kernel")
    np.testing.assert_array_equal(filled["params"]["dense"]["kernel"], expected)
    assert filled["params"]["dense"]["bias"].dtype == "bfloat16"
    assert not np.asarray(filled["params"]["dense"]["bias"]).any()
    np.testing.assert_array_equal(
        filled["pair"].first, sb.Orthogonal(seed=7)((3, 3), name="pair/first")
    )
    assert (np.asarray(filled["list"][0]) != np.asarray(filled["list"][1])).all()


def test_a_rule_s_own_seed_does_not_count() -> None:
    (filled,) = jax.tree.leaves(initialize([form(5)], seed=7, rules={"*": sb.RandomNormal(seed=1)}))
    np.testing.assert_array_equal(filled, sb.RandomNormal(seed=7)((5,), name="0"))


@pytest.mark.parametrize(
    "kind", ["one for all", "a prefix", "a whole tree", "specs in a context", "of the leaves"]
)
def test_shardings_come_in_any_form_of_jax(kind: str, recorder: RecordingClient) -> None:
    mesh = mesh_of((2, 1))
    cut = NamedSharding(mesh, P("x"))
    tree = {"a": {"b": form(4, 2), "c": form(6)}, "d": form(2)}
    shardings: dict[str, Any] = {
        "one for all": cut,
        "a prefix": {"a": cut, "d": cut},
        "a whole tree": {"a": {"b": cut, "c": cut}, "d": cut},
        "specs in a context": {"a": P("x"), "d": P("x")},
        "of the leaves": None,
    }
    if kind == "of the leaves":
        tree = jax.tree.map(
            lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=cut), tree
        )
    with jax.set_mesh(mesh):
        filled = initialize(
            tree, shardings[kind], seed=1, rules={"*": "random_normal"}, client=recorder
        )
    assert all(leaf.sharding == cut for leaf in jax.tree.leaves(filled))
    assert recorder.call_count == 2, "one for each half of all tensors"
    whole = initialize(
        tree, SingleDeviceSharding(jax.devices()[0]), seed=1, rules={"*": "random_normal"}
    )
    jax.tree.map(np.testing.assert_array_equal, filled, whole)


def test_none_among_shardings_is_the_default_device() -> None:
    tree = {"a": form(4, 2), "b": form(2)}
    cut = NamedSharding(mesh_of((2, 1)), P("x"))
    filled = initialize(tree, {"a": None, "b": cut}, seed=1, rules={"*": "ones"})
    assert filled["a"].devices() == {jax.devices()[0]}
    assert filled["b"].sharding == cut


def test_tensors_with_different_numbers_of_parts_share_their_calls(
    recorder: RecordingClient,
) -> None:
    mesh = mesh_of((4, 2))
    cuts = [P("x", "y"), P("x"), P("y"), P()]
    tree = [form(8, 8) for _ in cuts]
    initialize(
        tree,
        [NamedSharding(mesh, cut) for cut in cuts],
        seed=1,
        rules={"*": "ones"},
        client=recorder,
    )
    assert recorder.call_count == 8
    assert len(recorder.parts) == 8 + 4 + 2 + 1
    assert recorder.size_bytes == 4 * 4 * 64


def test_named_axes_fill_kernels_and_stacks() -> None:
    heads = {"in_axis": 1, "out_axis": [2, 3], "batch_axis": 0}
    rules: dict[str, Any] = {
        "conv": sb.VarianceScaling(2.0, in_axis=-2, out_axis=-1),
        "heads": {"class_name": "lecun_normal", "fan_axes": heads},
    }
    tree = {"conv": form(3, 3, 4, 64), "heads": form(3, 64, 8, 8)}
    filled = initialize(tree, seed=1, rules=rules)
    assert np.std(filled["conv"]) == pytest.approx(np.sqrt(2 / 36), rel=0.05)
    assert np.std(filled["heads"]) == pytest.approx(np.sqrt(1 / 64), rel=0.05)


def test_keys_are_made_of_the_seed_and_their_names() -> None:
    keys = jax.eval_shape(
        lambda: {"a": jax.random.key(0), "b": jax.random.split(jax.random.key(0), 5)}
    )
    tree = {**keys, "w": form(2)}
    mesh = mesh_of((2, 1))
    filled = initialize(tree, NamedSharding(mesh, P()), seed=7, rules={"*": "ones"})
    assert jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), filled) == jax.tree.map(
        lambda leaf: (leaf.shape, leaf.dtype), tree
    )
    head = (7).to_bytes(8, "little") + bytes(16)
    words = np.frombuffer(hashlib.sha256(head + b"a").digest()[:8], "<u4")
    np.testing.assert_array_equal(jax.random.key_data(filled["a"]), words)
    assert len(np.unique(jax.random.key_data(filled["b"]))) == 10
    assert digest(filled) == digest(initialize(tree, seed=7, rules={"*": "ones"}))
    assert digest(filled) != digest(initialize(tree, seed=8, rules={"*": "ones"}))
    assert digest(filled) != digest(initialize(tree, seed=7, rules={"*": "ones"}, draw=1))
    assert list(manifest_of(tree, seed=7, rules={"*": "ones"})) == ["w"]


def test_an_empty_tree_stays_empty(recorder: RecordingClient) -> None:
    assert initialize({"a": None, "b": []}, seed=1, rules={}, client=recorder) == {
        "a": None,
        "b": [],
    }


def test_none_leaves_an_array_as_it_is(recorder: RecordingClient) -> None:
    kept = jax.random.key(3)
    tree = {"a": jax.numpy.ones(3), "key": kept, "b": form(2)}
    filled = initialize(tree, seed=1, rules={"[ak]*": None, "*": "zeros"}, client=recorder)
    assert filled["a"] is tree["a"]
    assert filled["key"] is kept
    assert [spec.name for spec, _ in recorder.parts] == ["b"]


def test_the_manifest_says_what_would_be_filled_and_its_digests_what_was() -> None:
    manifest = manifest_of(TREE, seed=7, rules=RULES)
    filled = initialize(TREE, seed=7, rules=RULES)
    assert manifest["params/dense/bias"].dtype is sb.Dtype.BFLOAT16
    assert sb.get_default_client().digest_all(manifest) == digests(filled)
    assert digest(filled) == sb.digest_of(digests(filled))


def test_a_prefix_and_a_draw_are_part_of_the_content() -> None:
    whole = initialize({"net": TREE}, seed=7, rules={"*": "random_normal"}, draw=2)
    part = initialize(TREE, seed=7, rules={"net/*": "random_normal"}, prefix="net/", draw=2)
    assert digests(part, prefix="net/") == digests(whole)
    assert digest(part, prefix="net/") == digest(whole)
    rules = {"net/*": "random_normal", "head/*": "zeros"}
    assert manifest_of({"net": TREE}, seed=7, rules=rules, partial=True) == manifest_of(
        TREE, seed=7, rules=rules, prefix="net/"
    )
    first = initialize({"net": TREE}, seed=7, rules={"*": "random_normal"})
    assert digest(first) != digest(whole)


def test_what_is_asked_of_a_client_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []

    def note(call: Any) -> Any:
        def noting(client: sb.Client, what: Any, **options: Any) -> Any:
            asked.append({name: options[name] for name in ("local", "progress")})
            assert 0 < options["timeout_seconds"] <= 60
            return call(client, what, **options)

        return noting

    for name in ("sample", "sample_all"):
        monkeypatch.setattr(sb.Client, name, note(getattr(sb.Client, name)))
    cut = NamedSharding(mesh_of((2, 1)), P("x"))
    options: dict[str, Any] = {"local": True, "progress": True, "timeout_seconds": 60}
    initialize({"a": form(4)}, cut, seed=1, rules={"*": "ones"}, **options)
    make_array(sb.TensorSpec("a", 4, "float32", sb.Ones()), cut, **options)
    assert asked == [{"local": True, "progress": True}] * 4


WRONG: list[tuple[str, Any, dict[str, Any], type[Exception], str]] = [
    (
        "no rule",
        {"a": {"b": form(2), "c": form(2)}, "x": form(2)},
        {"rules": {"x": "ones"}},
        ValueError,
        r'`rules` must have a rule for each leaf\. .*\n    "a/b": .*\n    "a/c": ...,  # \(2,\)',
    ),
    ("no rules", {"a": form(2)}, {"rules": None}, ValueError, "a rule for each leaf"),
    (
        "nothing to keep",
        {"a": form(2)},
        {"rules": {"*": None}},
        ValueError,
        r'each leaf.*\n    "a"',
    ),
    (
        "a rule for nothing",
        {"a": form(2)},
        {"rules": {"A": "ones", "*": "zeros"}},
        ValueError,
        r"patterns that match a name.*\n    'A', perhaps meant: 'a'",
    ),
    (
        "an initializer that cannot",
        {"a": {"b": form(2)}},
        {"rules": {"*": "orthogonal"}},
        ValueError,
        "a/b: `shape`",
    ),
    (
        "a dtype that cannot",
        {"a": form(2, 2, dtype="int32")},
        {"rules": {"*": "he_normal"}},
        ValueError,
        "a: `dtype`",
    ),
    (
        "no such initializer",
        {"a": form(2)},
        {"rules": {"*": "he"}},
        ValueError,
        r"rules\['\*'\]: `initializer` must be one of",
    ),
    (
        "no such initializer in a rule that matches nothing",
        {"a": form(2)},
        {"rules": {"*": "ones", "b": "he"}},
        ValueError,
        r"rules\['b'\]: `initializer` must be one of",
    ),
    ("no draw", {"a": form(2)}, {"draw": -1}, ValueError, "`draw` must be from 0"),
    ("no prefix", {"a": form(2)}, {"prefix": 3}, TypeError, "`prefix` must be a string"),
    ("no time", {"a": form(2)}, {"timeout_seconds": "x"}, TypeError, "timeout_seconds"),
    ("not local", {"a": form(2)}, {"local": 1}, TypeError, "`local` must be a bool"),
    ("rules that are none", {"a": form(2)}, {"rules": "zeros"}, TypeError, "rules"),
    ("no seed", {"a": form(2)}, {"seed": "x"}, TypeError, "seed"),
    ("no tensor", {"a": {"b": 3}}, {}, TypeError, r"abstract_tree\['a/b'\]"),
    (
        "axes that are not named",
        {"conv": form(3, 3, 4, 8), "bias": form(8), "dense": form(4, 8)},
        {"rules": {"*": "he_normal"}},
        ValueError,
        r'must name the axes.*\n.*-2.*\n.*\n.*\n    "bias": .*\(8,\)\n    "conv": .*4, 8\)$',
    ),
    ("64 bits", {"a": form(2, dtype="float64")}, {}, ValueError, "jax_enable_x64"),
    (
        "one name twice",
        {"a/b": form(2), "a": {"b": form(2)}},
        {},
        ValueError,
        "different names.*a/b",
    ),
    (
        "another tree of shardings",
        {"a": form(2)},
        {"sharding_tree": {"b": P()}},
        ValueError,
        "sharding_tree",
    ),
    ("no shardings", {"a": form(2)}, {"sharding_tree": "x"}, TypeError, "sharding_tree"),
    ("a spec without a mesh", {"a": form(2)}, {"sharding_tree": P()}, ValueError, "sharding_tree"),
    ("no client", {"a": form(2)}, {"client": "x"}, TypeError, "client"),
]


@pytest.mark.parametrize(
    ("tree", "arguments", "error", "match"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG]
)
def test_what_is_wrong_is_named(
    tree: Any, arguments: dict[str, Any], error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match) as caught:
        initialize(tree, **{"seed": 1, "rules": {"*": "ones"}, **arguments})
    assert isinstance(caught.value, sb.InvalidArgumentError)
