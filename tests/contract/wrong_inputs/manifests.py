"""Wrong manifests: a file's text, and whole documents of one fault each."""

from tests.contract.wrong_inputs.case import Case

HEAD = "seedbed_manifest: 1\nseed: 1\ndtype: float32\n"
RULES = HEAD + "rules: {'*': ones}\n"
SAME = "the same in YAML 1.1 and YAML 1.2"


def entry(text: str) -> str:
    """Return a manifest with one tensor."""
    return f"{RULES}tensors:\n  w: {text}\n"


def rule(text: str) -> str:
    """Return a manifest with one rule for its one tensor."""
    return f"{HEAD}rules:\n  '*': {text}\ntensors: {{w: [2, 2]}}\n"


MANIFESTS: dict[str, Case] = {
    "an octal seed": Case(entry("{shape: 2, seed: 0042}"), "`tensors.w.seed`", SAME, "0042 ("),
    "a seed of minutes": Case(entry("{shape: 2, seed: 1:30}"), "`tensors.w.seed`", SAME, "1:30 ("),
    "an octal length": Case(entry("[010]"), "`tensors.w[0]`", SAME, "010 (an octal number"),
    "a length with underscores": Case(entry("[1_000]"), "`tensors.w[0]`", SAME, "1_000 ("),
    "a binary seed": Case(entry("{shape: 2, seed: 0b1}"), "`tensors.w.seed`", SAME, "0b1 ("),
    "a name that is a boolean": Case(RULES + "tensors: {no: [1]}", "`tensors.no`", SAME, "no ("),
    "a name that is a date": Case(
        RULES + "tensors: {2020-01-01: [1]}", "`tensors.2020-01-01`", SAME, "(a date in YAML 1.1)"
    ),
    "a name that is a number": Case(
        RULES + "tensors: {1e3: [1]}", "`name`", "a string", "1000.0 (of type float)"
    ),
    "a merge": Case(
        RULES + "tensors: {w: {<<: 1, shape: 2}}", "`tensors.w.<<`", SAME, "<< (a merge"
    ),
    "a tag": Case(entry("!!python/tuple [1]"), "`tensors.w`", "without a tag", "python/tuple"),
    "a key twice": Case(RULES + "seed: 2\ntensors: {}", "`seed`", "there once", "on line 2 and on"),
    "a file of another kind": Case("services: {}", "`seedbed_manifest`", "must be 1", "nothing"),
    "a version as text": Case(
        "seedbed_manifest: '1'\ntensors: {}", "`seedbed_manifest`", "must be 1", '"1"'
    ),
    "other numerics": Case(
        RULES + "numerics: seedbed-2\ntensors: {w: 1}", "`numerics`", "seedbed-1", '"seedbed-2"'
    ),
    "a key's typo": Case(
        RULES + "sede: 1\ntensors: {w: 1}", "`sede`", "a key of a manifest", '"sede"', "seed"
    ),
    "a tensor's key's typo": Case(
        entry("{shape: 2, intializer: ones}"),
        "`intializer`",
        "a key of a tensor",
        '"intializer"',
        "initializer",
    ),
    "tensors as a list": Case(RULES + "tensors: [w]", "`tensors`", "a mapping from names", "['w']"),
    "a negative length": Case(entry("[2, -1]"), "`shape[1]`", "0 or more", "-1"),
    "a length with a point": Case(
        entry("[2.5]"), "`shape[0]`", "an integer", "2.5 (of type float)"
    ),
    "no shape": Case(entry("{draw: 1}"), "`shape`", "a sequence of integers", "None"),
    "a dtype of PyTorch's": Case(
        entry("{shape: 2, dtype: bf16}"), "`dtype`", "one of float16", '"bf16"', "bfloat16"
    ),
    "no dtype": Case(
        "seedbed_manifest: 1\nrules: {'*': ones}\ntensors: {w: 2}", "`dtype`", "given", "nothing"
    ),
    "no seed": Case(
        "seedbed_manifest: 1\ndtype: float32\nrules: {'*': he_normal}\ntensors: {w: [2, 2]}",
        "`seed`",
        "an integer",
        "None",
    ),
    "an initializer's typo": Case(
        rule("glorot_unifrom"), "`initializer`", "one of ", '"glorot_unifrom"', "glorot_uniform"
    ),
    "a parameter's typo": Case(
        rule("{class_name: RandomNormal, config: {std: 1}}"),
        "`initializer.std`",
        "a parameter of RandomNormal",
        '"std"',
        "stddev",
    ),
    "a parameter as text": Case(
        rule("{class_name: RandomNormal, config: {stddev: two}}"),
        "`stddev`",
        "a real number",
        "'two' (of type str)",
    ),
    "an axis' typo": Case(
        rule("{class_name: he_normal, fan_axes: {in_axes: 1}}"),
        "`in_axes`",
        "a key of a fan_axes",
        '"in_axes"',
        "in_axis",
    ),
}
