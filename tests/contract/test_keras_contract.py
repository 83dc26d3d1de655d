"""Constructors, calls and configurations are those of Keras's page, class by class."""

import copy
import inspect
import json
import pickle
import re
from typing import Any

import numpy as np
import pytest

import seedbed as sb
from seedbed.spec.dtypes import FLOATING, Dtype
from seedbed.spec.initializers import Distribution, FanMode
from seedbed.spec.initializers import parameters as parameters_of
from tests.contract.keras_page import (
    AXES,
    PAGES,
    RANDOM,
    Page,
    content,
    every_class,
    every_fixed_class,
    every_random_class,
)

MATRICES = (sb.Orthogonal, sb.DeltaOrthogonal, sb.Sparse)
"""Classes that need two axes or more."""
FIXED_SCALINGS: dict[Any, tuple[float, FanMode, Distribution]] = {
    sb.GlorotUniform: (1.0, "fan_avg", "uniform"),
    sb.GlorotNormal: (1.0, "fan_avg", "truncated_normal"),
    sb.HeUniform: (2.0, "fan_in", "uniform"),
    sb.HeNormal: (2.0, "fan_in", "truncated_normal"),
    sb.LecunUniform: (1.0, "fan_in", "uniform"),
    sb.LecunNormal: (1.0, "fan_in", "truncated_normal"),
}
"""The parameters that are part of a name."""
INTEGERS = tuple(dtype.value for dtype in Dtype if dtype not in FLOATING)


def parameters(page: Page, kind: Any) -> list[inspect.Parameter]:
    """Return the parameters of a class's constructor that are of one kind, without annotations."""
    found = [p for p in inspect.signature(page.cls).parameters.values() if p.kind is kind]
    return [parameter.replace(annotation=inspect.Parameter.empty) for parameter in found]


def test_the_table_has_every_initializer_of_the_package() -> None:
    classes = {
        value
        for value in vars(sb).values()
        if isinstance(value, type) and issubclass(value, sb.Initializer)
    }
    assert {page.cls for page in PAGES} == classes - {sb.Initializer}


@every_class
def test_the_constructor_is_keras_word_for_word(page: Page) -> None:
    ours = parameters(page, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    assert str(inspect.Signature(ours)) == page.signature


@every_class
def test_what_keras_does_not_have_is_for_keywords_only_and_has_a_default(page: Page) -> None:
    extras = parameters(page, inspect.Parameter.KEYWORD_ONLY)
    assert tuple(parameter.name for parameter in extras) == page.extras
    assert all(parameter.default is not inspect.Parameter.empty for parameter in extras)
    ours = parameters(page, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    assert {p.name for p in ours if p.default is inspect.Parameter.empty} == set(page.required)
    kinds = {parameter.kind for parameter in inspect.signature(page.cls).parameters.values()}
    assert kinds <= {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}


@every_class
def test_the_snake_case_alias_is_the_class(page: Page) -> None:
    assert getattr(sb, page.alias) is page.cls
    assert getattr(sb.initializers, page.alias) is page.cls
    assert getattr(sb.initializers, page.name) is page.cls


@every_class
def test_a_call_takes_shape_and_dtype_in_this_order(page: Page) -> None:
    signature = inspect.signature(page.cls.__call__)
    positional = [p for p in signature.parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD][1:]
    assert [(p.name, p.default) for p in positional] == [
        ("shape", inspect.Parameter.empty),
        ("dtype", None),
    ]
    made = page.example()(page.shape, "float64")
    again = page.example()(shape=page.shape, dtype=np.float64)
    assert made.dtype == np.float64
    assert content(made) == content(again)


@every_class
@pytest.mark.parametrize("dtype", [(), (None,)], ids=["absent", "None"])
def test_the_default_dtype_is_float32(page: Page, dtype: tuple[None, ...]) -> None:
    made = page.example()(page.shape, *dtype)
    assert made.dtype == np.float32
    assert made.shape == page.shape
    assert content(made) == content(page.example()(page.shape, "float32"))


@every_random_class
@pytest.mark.parametrize("dtype", INTEGERS)
def test_random_numbers_of_a_dtype_that_is_not_floating_are_refused(page: Page, dtype: str) -> None:
    with pytest.raises(
        ValueError, match=rf"`dtype` must be a floating dtype for {page.name}.*Received: {dtype}$"
    ) as caught:
        page.make(seed=1)(page.shape, dtype)
    assert isinstance(caught.value, sb.InvalidValueError)


@every_fixed_class
@pytest.mark.parametrize("dtype", [dtype.value for dtype in Dtype])
def test_what_is_not_random_comes_in_every_dtype(page: Page, dtype: str) -> None:
    if page.cls is sb.STFT and dtype in INTEGERS:
        with pytest.raises(ValueError, match="`dtype` must be a floating dtype for STFT"):
            page.make()(page.shape, dtype)
        return
    made = page.make()(page.shape, dtype)
    assert made.dtype == Dtype(dtype).numpy
    assert bool(made.astype(np.float64).any()) is (page.alias not in {"zeros", "constant"})
    if page.shape == (4, 3):
        assert (
            made[0, 0]
            == made[1, 1]
            == {"zeros": 0, "ones": 1, "constant": 0, "identity": 1}[page.alias]
        )


@every_class
def test_a_shape_without_elements_gives_an_empty_tensor(page: Page) -> None:
    for shape in ((0, 3), (3, 0), (0, 0)) if len(page.shape) == 2 else ((0, *page.shape[1:]),):
        assert page.make()(shape).shape == shape


@pytest.mark.parametrize(
    "page", [p for p in RANDOM if p.cls not in MATRICES], ids=lambda page: page.alias
)
def test_scalars_and_vectors_are_filled(page: Page) -> None:
    for shape in ((), (5,), 5):
        made = page.make(seed=1)(shape)
        assert made.size in (1, 5)
        assert np.isfinite(made).all()
        assert made.any()


@pytest.mark.parametrize("shape", [(), (5,), 5], ids=str)
def test_orthogonal_wants_two_axes_or_more(shape: object) -> None:
    with pytest.raises(ValueError, match="`shape` must be of two axes or more for Orthogonal"):
        sb.Orthogonal(seed=1)(shape)


@pytest.mark.parametrize("shape", [(), (5,), (2, 2, 2)], ids=str)
def test_identity_wants_a_matrix(shape: object) -> None:
    with pytest.raises(ValueError, match="`shape` must be a matrix's for Identity: two axes"):
        sb.Identity()(shape)


@pytest.mark.parametrize("shape", [(3, 3), (2, 5), (5, 2)], ids=str)
def test_identity_has_its_gain_on_the_diagonal_of_any_matrix(shape: tuple[int, int]) -> None:
    assert np.array_equal(sb.Identity(gain=2.5)(shape), 2.5 * np.eye(*shape, dtype=np.float32))


@every_class
def test_the_config_is_the_constructors_arguments(page: Page) -> None:
    expected = {**page.other, **({"seed": 5} if page.random else {})}
    if "in_axis" in expected:
        expected |= page.axes
    assert page.example().get_config() == expected
    assert set(page.example().get_config()) <= set(inspect.signature(page.cls).parameters)


@every_class
def test_the_config_of_the_defaults_has_every_argument_of_keras(page: Page) -> None:
    arguments = parameters(page, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    config = page.make().get_config()
    defaults = {p.name: p.default for p in arguments if p.name != "seed"} | page.required
    assert {name: config[name] for name in defaults} == defaults
    assert ("seed" in config) is page.random


@every_class
@pytest.mark.parametrize("is_default", [True, False], ids=["defaults", "other arguments"])
def test_the_config_is_complete_and_survives_json(page: Page, is_default: bool) -> None:
    seeded = {"seed": 7} if page.random else {}
    initializer = page.make(**seeded) if is_default else page.example()
    config = json.loads(json.dumps(initializer.get_config(), allow_nan=False))
    again = page.cls.from_config(config)
    assert again == initializer
    assert again.get_config() == initializer.get_config()
    assert content(again(page.shape)) == content(initializer(page.shape))


@every_class
def test_the_config_shares_nothing_with_the_initializer(page: Page) -> None:
    initializer = page.example(seed=sb.SeedGenerator(5, position=2))
    config = initializer.get_config()
    before = copy.deepcopy(config)
    for value in config.values():
        if isinstance(value, dict):
            value["config"]["position"] = 9
        elif isinstance(value, list):
            value.append(7)
    config.clear()
    assert initializer.get_config() == before


@every_class
def test_from_config_takes_every_subset_of_arguments(page: Page) -> None:
    for name, value in page.other.items():
        if name not in AXES:
            assert page.cls.from_config({**page.required, name: value}).get_config()[name] == value


@every_class
@pytest.mark.parametrize("config", [{"no_such": 1}, [], None, "seed"], ids=str)
def test_a_config_that_does_not_fit_is_a_type_error(page: Page, config: Any) -> None:
    with pytest.raises(sb.InvalidTypeError, match=r"`config` must be|config: `no_such` must be"):
        page.cls.from_config(config)


@every_class
def test_a_clone_is_equal_and_another(page: Page) -> None:
    initializer = page.example()
    initializer(page.shape)
    clone = initializer.clone()
    assert clone is not initializer
    assert type(clone) is page.cls
    assert clone == initializer
    assert content(clone(page.shape)) == content(page.example()(page.shape)), (
        "a clone has not been called yet"
    )


@every_class
def test_equality_and_hash_follow_the_configuration(page: Page) -> None:
    one, two = page.example(), page.example()
    assert one == two
    assert hash(one) == hash(two)
    assert len({one, two}) == 1
    assert one != page.cls.from_config(page.required) or not (page.other or page.random)
    assert one != page.name
    assert one != one.get_config()
    if page.random:
        assert one != page.example(seed=6)


def test_initializers_of_two_classes_are_never_equal() -> None:
    made = [page.make(**({"seed": 1} if page.random else {})) for page in PAGES]
    assert len(set(made)) == len(PAGES)
    assert all(one != two for i, one in enumerate(made) for two in made[:i])


@every_class
def test_the_representation_is_code_that_makes_an_equal_one(page: Page) -> None:
    initializer = page.example()
    assert eval(repr(initializer), vars(sb).copy()) == initializer


@every_class
@pytest.mark.parametrize(
    "twin",
    [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))],
    ids=["copy", "deepcopy", "pickle"],
)
def test_a_copy_goes_on_where_the_original_was(page: Page, twin: Any) -> None:
    initializer = page.example()
    initializer(page.shape)
    copied = twin(initializer)
    assert copied == initializer
    assert content(copied(page.shape)) == content(initializer(page.shape))


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: sb.RandomNormal(stddev=-1.0), "`stddev` must be 0 or more. Received: -1.0"),
        (lambda: sb.RandomUniform(minval=1.0, maxval=0.0), "`maxval` must be at least minval"),
        (lambda: sb.VarianceScaling(scale=-1.0), "`scale` must be positive. Received: -1.0"),
        (lambda: sb.VarianceScaling(mode="fan"), "`mode` must be one of fan_in, fan_out, fan_avg"),  # type: ignore[arg-type]
        (
            lambda: sb.VarianceScaling(distribution="cauchy"),  # type: ignore[arg-type]
            "`distribution` must be one of uniform",
        ),
    ],
    ids=["stddev", "maxval", "scale", "mode", "distribution"],
)
def test_a_wrong_parameter_is_refused_by_the_constructor(make: Any, word: str) -> None:
    with pytest.raises(ValueError, match=re.escape(word)) as caught:
        make()
    assert isinstance(caught.value, sb.InvalidValueError)


@every_class
def test_the_parameters_are_attributes(page: Page) -> None:
    initializer = page.example()
    written = {name: value for name, value in page.other.items() if name not in AXES}
    assert {name: getattr(initializer, name) for name in written} == written
    for each in (initializer, page.make()):
        for field in parameters_of(type(each.spec)):
            assert getattr(each, field.name) == getattr(each.spec, field.name)


@every_class
def test_the_attributes_are_read_only(page: Page) -> None:
    initializer = page.example()
    before, hashed = initializer.get_config(), hash(initializer)
    for name in (*(field.name for field in parameters_of(type(initializer.spec))), "seed"):
        with pytest.raises(AttributeError):
            setattr(initializer, name, 0.5)
        with pytest.raises(AttributeError):
            delattr(initializer, name)
    assert (initializer.get_config(), hash(initializer)) == (before, hashed)


def test_the_error_of_a_read_only_attribute_says_what_it_is() -> None:
    initializer: Any = sb.GlorotUniform()
    with pytest.raises(AttributeError, match=re.escape("GlorotUniform.scale is read-only")):
        initializer.scale = 2.0


def test_the_attributes_have_types() -> None:
    # A type checker reads this.
    stddev: float = sb.RandomNormal().stddev
    mode: FanMode = sb.GlorotUniform().mode
    blocks: int = sb.Orthogonal().blocks
    assert (stddev, mode, blocks) == (0.05, "fan_avg", 1)


@pytest.mark.parametrize("cls", FIXED_SCALINGS, ids=lambda cls: cls.__name__)
def test_the_fixed_scalings_are_variance_scalings_with_its_parameters(cls: Any) -> None:
    initializer = cls(seed=5)
    assert issubclass(cls, sb.VarianceScaling)
    form = (initializer.scale, initializer.mode, initializer.distribution)
    assert form == FIXED_SCALINGS[cls]
    assert (initializer.lower, initializer.upper) == (-2.0, 2.0)
    general = sb.VarianceScaling(*form, seed=5)
    assert content(initializer((6, 5), draw=0)) == content(general((6, 5)))
    assert initializer != general
    assert general != initializer
    assert initializer.get_config() == {"seed": 5}
    assert repr(initializer) == f"{cls.__name__}(seed=5)"


def test_what_is_no_variance_scaling_of_keras_is_none_here() -> None:
    others = [
        page.cls
        for page in PAGES
        if page.cls not in FIXED_SCALINGS and page.cls is not sb.VarianceScaling
    ]
    assert not any(issubclass(cls, sb.VarianceScaling) for cls in others)
