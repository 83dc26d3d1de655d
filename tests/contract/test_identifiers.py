"""``get``, ``serialize`` and ``deserialize`` take names, classes, instances, dictionaries."""

import copy
import json
from typing import Any

import pytest

import seedbed as sb
from seedbed.spec.initializers import INITIALIZERS
from tests.contract.keras_page import Page, content, every_class, every_random_class


def tf_keras_form(initializer: Any) -> dict[str, Any]:
    """Return the dictionary that tf_keras writes."""
    return {"class_name": type(initializer).__name__, "config": initializer.get_config()}


def keras_3_form(initializer: Any) -> dict[str, Any]:
    """Return the dictionary that Keras 3 writes."""
    return {"module": "keras.initializers", **tf_keras_form(initializer), "registered_name": None}


both_forms = pytest.mark.parametrize(
    "form", [tf_keras_form, keras_3_form], ids=["tf_keras", "Keras 3"]
)


@every_class
def test_serialize_gives_the_form_of_tf_keras(page: Page) -> None:
    initializer = page.example()
    assert sb.serialize(initializer) == tf_keras_form(initializer)


@every_class
@both_forms
@pytest.mark.parametrize("read", [sb.get, sb.deserialize], ids=["get", "deserialize"])
def test_both_dictionary_forms_are_read_and_not_changed(page: Page, form: Any, read: Any) -> None:
    initializer = page.example()
    written = json.loads(json.dumps(form(initializer)))
    before = copy.deepcopy(written)
    restored = read(written)
    assert type(restored) is page.cls
    assert restored == initializer
    assert written == before
    assert content(restored(page.shape)) == content(initializer(page.shape))


@every_class
def test_the_snake_case_name_stands_in_a_dictionary_too(page: Page) -> None:
    assert type(sb.deserialize({"class_name": page.alias, "config": page.other})) is page.cls


@every_class
@pytest.mark.parametrize(
    "config", [{}, {"config": {}}, {"config": None}], ids=["absent", "empty", "None"]
)
def test_a_dictionary_without_a_config_means_the_defaults(
    page: Page, config: dict[str, Any]
) -> None:
    if page.required:
        with pytest.raises(
            sb.InvalidTypeError, match=rf"config: `\w+` must be given to {page.name}\("
        ):
            sb.deserialize({"class_name": page.name, **config})
        return
    restored = sb.deserialize({"class_name": page.name, **config})
    assert restored.spec == page.make().spec


@pytest.mark.parametrize(
    "identifier", ["sparse", "Sparse", sb.Sparse, {"class_name": "Sparse", "config": {"axis": 1}}]
)
def test_an_argument_that_is_missing_is_named(identifier: Any) -> None:
    with pytest.raises(
        sb.InvalidTypeError, match=r"`sparsity` must be given to Sparse\(sparsity, stddev, "
    ):
        sb.get(identifier)


def test_no_argument_is_called_missing_where_another_is_wrong() -> None:
    with pytest.raises(sb.InvalidTypeError, match=r"`stdev` .* did you mean 'stddev'\?$") as caught:
        sb.Sparse.from_config({"stdev": 1})
    assert caught.value.field == "config.stdev"


@every_random_class
@pytest.mark.parametrize(
    "module", ["keras.random.seed_generator", "keras.src.random.seed_generator"]
)
def test_a_seed_generator_of_keras_3_is_read(page: Page, module: str) -> None:
    seed = {
        "module": module,
        "class_name": "SeedGenerator",
        "config": {"seed": 7},
        "registered_name": None,
    }
    restored = sb.deserialize(
        {
            "module": "keras.initializers",
            "class_name": page.name,
            "config": {**page.required, "seed": seed},
        }
    )
    assert restored.seed == sb.SeedGenerator(7)


@every_class
def test_the_dtype_that_tf_keras_lets_pass_in_a_config_is_let_pass(page: Page) -> None:
    # tf_keras's from_config drops it: configurations of TensorFlow 1 have one.
    config = {**page.example().get_config(), "dtype": "float32"}
    assert sb.deserialize({"class_name": page.name, "config": config}) == page.example()


@every_class
def test_a_name_in_either_spelling_means_the_class(page: Page) -> None:
    for name in (page.alias, page.name):
        if page.required:
            with pytest.raises(
                sb.InvalidTypeError, match=rf"^`\w+` must be given to {page.name}\("
            ):
                sb.get(name)
            continue
        assert type(sb.get(name)) is page.cls
        assert sb.get(name).spec == page.make().spec


@pytest.mark.parametrize(
    ("alias", "name"),
    [(alias, spec.name()) for spec in INITIALIZERS.values() for alias in spec.aliases],
    ids=[alias for spec in INITIALIZERS.values() for alias in spec.aliases],
)
def test_a_further_name_means_the_class(alias: str, name: str) -> None:
    assert type(sb.get(alias)).__name__ == name


@every_class
def test_a_class_means_an_instance_with_its_defaults(page: Page) -> None:
    if page.required:
        with pytest.raises(sb.InvalidTypeError, match=rf"^`\w+` must be given to {page.name}\("):
            sb.get(page.cls)
        return
    made = sb.get(page.cls)
    assert type(made) is page.cls
    assert made.spec == page.make().spec


@every_class
def test_an_instance_is_returned_as_it_is(page: Page) -> None:
    initializer = page.example()
    assert sb.get(initializer) is initializer


def test_a_callable_is_returned_as_it_is() -> None:
    def own(shape: object, dtype: object = None) -> None:
        raise NotImplementedError

    assert sb.get(own) is own


def test_none_means_none() -> None:
    assert sb.get(None) is None


@pytest.mark.parametrize(
    "name", ["", "glorot", "GlorotUniforms", "glorot uniform", "Spec", "Initializer", "get"]
)
def test_an_unknown_name_is_a_value_error_that_lists_the_known_ones(name: str) -> None:
    for identifier in (name, {"class_name": name, "config": {}}):
        with pytest.raises(
            ValueError, match=r"`identifier` must be one of .*GlorotUniform.*Zeros"
        ) as caught:
            sb.get(identifier)
        assert isinstance(caught.value, sb.InvalidValueError)


@pytest.mark.parametrize(
    "identifier",
    [
        5,
        1.5,
        b"zeros",
        ["zeros"],
        ("zeros",),
        {},
        {"config": {}},
        {"class_name": 5},
        {"class_name": None},
    ],
    ids=repr,
)
def test_an_identifier_of_the_wrong_type_is_a_type_error(identifier: Any) -> None:
    with pytest.raises(TypeError) as caught:
        sb.get(identifier)
    assert isinstance(caught.value, sb.InvalidTypeError)


@pytest.mark.parametrize(
    "config", [5, "seed", [1], {"no_such": 1}, {"seed": "1"}, {"seed": 1.5}], ids=repr
)
def test_a_config_of_the_wrong_type_is_a_type_error(config: Any) -> None:
    with pytest.raises(TypeError) as caught:
        sb.deserialize({"class_name": "HeNormal", "config": config})
    assert isinstance(caught.value, sb.InvalidTypeError)


@pytest.mark.parametrize("inner", [5, {"no_such": 1}, {"seed": 1.5}, {"position": "1"}], ids=repr)
def test_a_seed_generators_config_of_the_wrong_type_is_a_type_error(inner: Any) -> None:
    seed = {"class_name": "SeedGenerator", "config": inner}
    with pytest.raises(TypeError) as caught:
        sb.deserialize({"class_name": "HeNormal", "config": {"seed": seed}})
    assert isinstance(caught.value, sb.InvalidTypeError)


@pytest.mark.parametrize("value", [5, "zeros", sb.Zeros, None, {}], ids=repr)
def test_only_initializers_are_serialized(value: Any) -> None:
    with pytest.raises(sb.InvalidTypeError, match="`initializer` must be an initializer"):
        sb.serialize(value)


class Halves(sb.Constant):
    """A class of a user."""


def test_a_custom_class_comes_before_ours_and_leaves_the_dictionary_alone() -> None:
    written = {"class_name": "Constant", "config": {"value": 0.5}}
    assert type(sb.deserialize(written, custom_objects={"Constant": Halves})) is Halves
    assert type(sb.deserialize(written, custom_objects={"Other": Halves})) is sb.Constant

    def greedy(**config: Any) -> dict[str, Any]:
        return config

    nested = {"class_name": "Greedy", "config": {"axes": [1, 2]}}
    made = sb.deserialize(nested, custom_objects={"Greedy": greedy})
    made["axes"].append(3)
    assert nested == {"class_name": "Greedy", "config": {"axes": [1, 2]}}


def test_a_subclass_that_is_not_named_is_unknown() -> None:
    with pytest.raises(sb.InvalidValueError, match="Halves"):
        sb.deserialize(sb.serialize(Halves(0.5)))
    assert sb.deserialize(sb.serialize(Halves(0.5)), custom_objects={"Halves": Halves}) == Halves(
        0.5
    )
