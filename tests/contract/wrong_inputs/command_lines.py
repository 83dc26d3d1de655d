"""Wrong command lines of ``seedbed``."""

from tests.contract.wrong_inputs.case import Case

SAMPLE = ["sample", "GlorotUniform", "--shape", "4,6"]

COMMAND_LINES: dict[str, Case] = {
    "no command": Case([], "COMMAND", "one of sample, fetch", "nothing"),
    "a command's typo": Case(["smaple"], "COMMAND", "one of sample", '"smaple"', "sample"),
    "a command near to nothing": Case(["frobnicate"], "COMMAND", "one of sample", '"frobnicate"'),
    "an option shortened": Case(
        [*SAMPLE, "--dty", "float32"], "--dty", "sample --help", "--dty", "--dtype"
    ),
    "an option's typo": Case([*SAMPLE, "--sede=1"], "--sede", "sample --help", "--sede", "--seed"),
    "PyTorch's option": Case(
        ["fetch", "m.yaml", "--outptu", "x"], "--outptu", "fetch --help", "--outptu", "--output"
    ),
    "an option before the command": Case(
        ["--target", "embedded:", "info"], "--target", "come after it", "--target"
    ),
    "another option before the command": Case(
        ["--json", "info"], "--json", "come after it", "--json"
    ),
    "an option's typo before the command": Case(
        ["--jsno", "info"], "--jsno", "come after it", "--jsno", "--json"
    ),
    "an option of other commands": Case(
        ["fetch", "m.yaml", "-o", "w.safetensors", "--seed", "4"],
        "--seed",
        "no option --seed here",
        "sample, describe, digest have it",
    ),
    "help as a command": Case(["help", "fetch"], "COMMAND", "one of sample", '"help"', "--help"),
    "version as a command": Case(["version"], "COMMAND", "one of sample", '"version"', "--version"),
    "a manifest to sample": Case(
        ["sample", "m.yaml"], "INITIALIZER", "a name, such as GlorotUniform", '"m.yaml", a manifest'
    ),
    "a checkpoint to fetch": Case(
        ["fetch", "w.safetensors", "-o", "m.yaml"],
        "MANIFEST",
        "a YAML or JSON file",
        '"w.safetensors", a checkpoint',
    ),
    "a manifest to inspect": Case(
        ["inspect", "m.yaml"],
        "FILE|FOLDER",
        "a checkpoint",
        '"m.yaml", a manifest',
        "`seedbed describe m.yaml`",
    ),
    "a checkpoint and a manifest swapped": Case(
        ["verify", "m.yaml", "w.safetensors"],
        "FILE|FOLDER",
        "a checkpoint",
        '"m.yaml", a manifest',
        "`seedbed verify w.safetensors m.yaml`",
    ),
    "an argument too many": Case(
        [*SAMPLE, "surplus"], "argument", "one argument too many", '"surplus"'
    ),
    "an option without its value": Case(
        ["sample", "Ones", "--shape"], "--shape", "expected one argument", "--shape"
    ),
    "no output": Case(["fetch", "m.yaml"], "--output", "required", "fetch"),
    "an initializer's typo": Case(
        ["sample", "GlorotUnifrom", "--shape", "4"],
        "`initializer`",
        "one of Constant",
        '"GlorotUnifrom"',
        "GlorotUniform",
    ),
    "no shape": Case(["sample", "Ones"], "--shape", "such as --shape 1024,512", "missing"),
    "a shape of words": Case(
        ["sample", "Ones", "--shape", "4x6"], "--shape", "integers with commas", '"4x6"'
    ),
    "a shape from a variable that is not set": Case(
        ["sample", "Ones", "--shape", ""], "--shape", "integers with commas", '""'
    ),
    "a shape below zero": Case(["sample", "Ones", "--shape=-4"], "`shape[0]`", "0 or more", "-4"),
    "a dtype of another name": Case(
        [*SAMPLE, "--dtype", "bf16"], "`dtype`", "one of float16", '"bf16"', "bfloat16"
    ),
    "a dtype from a variable that is not set": Case(
        [*SAMPLE, "--dtype="], "`dtype`", "one of float16", '""'
    ),
    "a seed of words": Case([*SAMPLE, "--seed", "lucky"], "--seed", "an integer", '"lucky"'),
    "a seed of 65 bits": Case(
        [*SAMPLE, "--seed", str(2**64)], "`seed`", "from -2**63 to 2**64 - 1", str(2**64)
    ),
    "a parameter's typo": Case(
        ["sample", "RandomNormal", "--shape", "4", "--param", "std=1"],
        "`initializer.std`",
        "RandomNormal (mean, stddev)",
        '"std"',
        "stddev",
    ),
    "a parameter without a value": Case(
        ["sample", "RandomNormal", "--shape", "4", "--param", "stddev"],
        "--param",
        "NAME=VALUE",
        '"stddev"',
    ),
    "a parameter of words": Case(
        ["sample", "RandomNormal", "--shape", "4", "--param", "stddev=wide"],
        "`stddev`",
        "a real number",
        "'wide'",
    ),
    "a mode's typo": Case(
        ["sample", "VarianceScaling", "--shape", "4", "--param", "mode=fanin"],
        "`mode`",
        "fan_in, fan_out",
        '"fanin"',
        "fan_in",
    ),
    "a seed as a parameter": Case(
        ["sample", "RandomNormal", "--shape", "4", "--param", "seed=1"],
        "--param seed",
        "its own option: --seed",
        "seed",
    ),
    "a parameter that is missing": Case(
        ["sample", "Sparse", "--shape", "4,4"],
        "`initializer.sparsity`",
        "given: a parameter of Sparse",
        "nothing",
    ),
    "an axis of words": Case([*SAMPLE, "--in-axis", "last"], "--in-axis", "integers", '"last"'),
    "an axis from a variable that is not set": Case(
        [*SAMPLE, "--in-axis="], "--in-axis", "or ()", '""'
    ),
    "a token's file from a variable that is not set": Case(
        [*SAMPLE, "--token-file="], "--token-file", "a file's path", '""'
    ),
    "a slice of words": Case([*SAMPLE, "--slice", "all"], "--slice", "START:STOP", '"all"'),
    "a slice too long": Case([*SAMPLE, "--slice", "0:9"], "`slice.lengths[0]`", "from 0 to 4", "9"),
    "a slice and a shard": Case(
        [*SAMPLE, "--slice", "0:1", "--shard", "0/2"], "--shard", "not allowed with", "--slice"
    ),
    "a shard of words": Case([*SAMPLE, "--shard", "first"], "--shard", "INDEX/COUNT", '"first"'),
    "a shard beyond the last": Case([*SAMPLE, "--shard", "2/2"], "--shard", "from 0 to 1", "2"),
    "an algorithm's typo": Case(
        ["digest", *SAMPLE[1:], "--algorithm", "sha-256"],
        "--algorithm",
        "one of xxh3_128, sha256",
        '"sha-256"',
        "sha256",
    ),
    "an output of another format": Case(
        [*SAMPLE, "-o", "w.pt"], "--output", ".npy or .safetensors", "'w.pt'"
    ),
    "a size of no unit": Case(
        ["fetch", "m.yaml", "-o", "out", "--max-shard-size", "5 giga"],
        "--max-shard-size",
        "such as 5GB",
        '"5 giga"',
    ),
    "no numbers to sample for a report": Case(
        ["report", "m.yaml", "-o", "r.html", "--sample-elements", "0"],
        "--sample-elements",
        "an integer, 1 or more",
        '"0"',
    ),
    "a fraction as the other seed of a report": Case(
        ["report", "m.yaml", "-o", "r.html", "--against-seed", "1.5"],
        "--against-seed",
        "an integer",
        '"1.5"',
    ),
    "a report of another format": Case(
        ["report", "m.yaml", "-o", "r.pdf"], "--output", ".html or .png", "'r.pdf'"
    ),
    "a timeout of words": Case(
        ["info", "--timeout-seconds", "soon"], "--timeout-seconds", "a positive number", '"soon"'
    ),
    "a patience below zero": Case(
        ["info", "--patience-seconds=-1"], "--patience-seconds", "0 or more", '"-1"'
    ),
    "a target that is a web address": Case(
        ["info", "--target", "http://host:1"],
        "`target`",
        "host:port",
        '"http://host:1"',
        "host:1",
    ),
}
