"""Wrong calls of the SDK, frameworks left out."""

from typing import Any

import numpy as np

import seedbed as sb
from seedbed.compat import v1
from tests.contract.wrong_inputs.case import Case

ENGINE = sb.connect("embedded:")
W = sb.TensorSpec("w", (4, 6), "float32", sb.RandomUniform(seed=1))
MODEL = sb.Manifest([W, sb.TensorSpec("layer.bias", (6,), "float32", "zeros")])


def spec(**changes: Any) -> sb.TensorSpec:
    """Return a spec with some arguments of its own."""
    good: dict[str, Any] = {
        "name": "w",
        "shape": (4, 6),
        "dtype": "float32",
        "initializer": "zeros",
        "seed": 1,
    }
    return sb.TensorSpec(**good | changes)


def sampled(**arguments: Any) -> Any:
    """Sample a good spec with some arguments."""
    return ENGINE.sample(W, **arguments)


def all_sampled(**arguments: Any) -> Any:
    """Sample a good model with some arguments."""
    return ENGINE.sample_all(MODEL, **arguments)


# Any: what a type checker refuses is what is tried here.
seedbed: Any = sb
engine: Any = ENGINE

INITIALIZERS: dict[str, Case] = {
    "a typo in a name": Case(
        lambda: sb.get("GlorotUnifrom"),
        "`identifier`",
        "one of Constant, Delta",
        '"GlorotUnifrom"',
        "GlorotUniform",
    ),
    "a typo in a snake_case name": Case(
        lambda: sb.get("he_nromal"), "`identifier`", "HeNormal", '"he_nromal"', "he_normal"
    ),
    "PyTorch's name of a function": Case(
        lambda: sb.get("xavier_uniform_"),
        "`identifier`",
        "XavierUniform",
        '"xavier_uniform_"',
        "xavier_uniform",
    ),
    "a name near to nothing": Case(
        lambda: sb.get("fancy"), "`identifier`", "one of Constant", '"fancy"'
    ),
    "a number": Case(lambda: sb.get(3), "`identifier`", "a name, a class", "3 (of type int)"),
    "a dictionary without a class": Case(
        lambda: sb.deserialize({"config": {}}), "`config`", 'with a "class_name"', "{'config': {}}"
    ),
    "a typo in a dictionary": Case(
        lambda: sb.deserialize({"class_name": "Ortogonal", "config": {}}),
        "`identifier`",
        "Orthogonal",
        '"Ortogonal"',
        "Orthogonal",
    ),
    "a module that is not there": Case(
        lambda: sb.deserialize(
            {"module": "seedbed.compat.v1.initialisers", "class_name": "Zeros", "config": {}}
        ),
        "`module`",
        "one of seedbed.compat",
        "initialisers",
        "seedbed.compat.v1.initializers",
    ),
    "a class of another module": Case(
        lambda: sb.deserialize(
            {"module": "seedbed.compat.v1.initializers", "class_name": "Zeroes", "config": {}}
        ),
        "`class_name`",
        "a class of seedbed.compat",
        '"Zeroes"',
        "Zeros",
    ),
    "serializing a name": Case(
        lambda: seedbed.serialize("zeros"), "`initializer`", "an initializer", "'zeros'"
    ),
    "PyTorch's std": Case(
        lambda: seedbed.RandomNormal(std=0.02),
        "`std`",
        "RandomNormal(mean, stddev, seed)",
        "std=0.02",
        "stddev",
    ),
    "a typo in seed": Case(
        lambda: seedbed.GlorotUniform(sed=1), "`sed`", "GlorotUniform(seed)", "sed=1", "seed"
    ),
    "numpy's low": Case(
        lambda: seedbed.RandomUniform(low=-1),
        "`low`",
        "RandomUniform(minval, maxval, seed)",
        "low=-1",
    ),
    "min for minval": Case(
        lambda: seedbed.RandomUniform(min=-1), "`min`", "RandomUniform(", "min=-1", "minval"
    ),
    "a parameter that a fixed class has not": Case(
        lambda: seedbed.HeNormal(scale=2.0), "`scale`", "HeNormal(seed)", "scale=2.0"
    ),
    "a shape to the constructor": Case(
        lambda: seedbed.Zeros((3, 4)), "`arguments`", "at most 0 by place for Zeros()", "[[3, 4]]"
    ),
    "a seed twice": Case(
        lambda: seedbed.LecunNormal(1, seed=2),
        "`seed`",
        "given to LecunNormal(seed) once",
        "seed=2",
    ),
    "sparse without its sparsity": Case(
        lambda: seedbed.Sparse(stddev=1.0),
        "`sparsity`",
        "given to Sparse(sparsity,",
        "only stddev=1.0",
    ),
    "sparse by its name": Case(
        lambda: sb.get("sparse"), "`sparsity`", "given to Sparse(sparsity,", "nothing"
    ),
    "a configuration with a typo": Case(
        lambda: sb.Orthogonal.from_config({"gian": 2.0}),
        "`gian`",
        "Orthogonal(",
        "gian=2.0",
        "gain",
    ),
    "a configuration that is a list": Case(
        lambda: seedbed.Zeros.from_config([]), "`config`", "a dictionary", "[] (of type list)"
    ),
    "a negative stddev": Case(lambda: sb.RandomNormal(stddev=-1), "`stddev`", "0 or more", "-1.0"),
    "a stddev as text": Case(
        lambda: seedbed.RandomNormal(stddev="0.02"),
        "`stddev`",
        "a real number",
        "'0.02' (of type str)",
    ),
    "a mean of NaN": Case(lambda: sb.RandomNormal(mean=np.nan), "`mean`", "a number", "nan"),
    "a mean of None": Case(
        lambda: seedbed.RandomNormal(mean=None), "`mean`", "a real number", "None"
    ),
    "an infinite scale": Case(lambda: sb.VarianceScaling(scale=np.inf), "`scale`", "finite", "inf"),
    "a scale of zero": Case(lambda: sb.VarianceScaling(0.0), "`scale`", "positive", "0.0"),
    "fan_in without its underscore": Case(
        lambda: seedbed.VarianceScaling(mode="fanin"),
        "`mode`",
        "fan_in, fan_out, fan_avg",
        '"fanin"',
        "fan_in",
    ),
    "a distribution with a blank": Case(
        lambda: seedbed.VarianceScaling(distribution="truncated normal"),
        "`distribution`",
        "uniform, truncated_normal",
        '"truncated normal"',
        "truncated_normal",
    ),
    "a nonlinearity without its underscore": Case(
        lambda: seedbed.KaimingUniform(nonlinearity="leakyrelu"),
        "`nonlinearity`",
        "one of linear, sigmoid",
        '"leakyrelu"',
        "leaky_relu",
    ),
    "a nonlinearity that has no gain": Case(
        lambda: seedbed.calculate_gain("swish"), "`nonlinearity`", "one of linear", '"swish"'
    ),
    "a nonlinearity that is a number": Case(
        lambda: seedbed.calculate_gain(5), "`nonlinearity`", "one of linear", "5 (of type int)"
    ),
    "a slope of text": Case(
        lambda: seedbed.calculate_gain("leaky_relu", "0.1"), "`param`", "a real number", "'0.1'"
    ),
    "a window with a typo": Case(
        lambda: seedbed.STFT(window="hanming"),
        "`window`",
        "boxcar, hann, hamming",
        '"hanming"',
        "hamming",
    ),
    "a side written out": Case(
        lambda: seedbed.STFT(side="imaginary"), "`side`", "real, imag", '"imaginary"', "imag"
    ),
    "a flag that is a number": Case(
        lambda: seedbed.STFT(periodic=1), "`periodic`", "True or False", "1 (of type int)"
    ),
    "uniform bounds the wrong way round": Case(
        lambda: sb.RandomUniform(1.0, 0.0), "`maxval`", "at least minval (1.0)", "0.0"
    ),
    "truncation that leaves nothing": Case(
        lambda: sb.TruncatedNormal(lower=2, upper=1), "`upper`", "above lower (2.0)", "1.0"
    ),
    "a sparsity in per cent": Case(lambda: sb.Sparse(90), "`sparsity`", "from 0 to 1", "90.0"),
    "an axis of text": Case(
        lambda: seedbed.VarianceScaling(in_axis="0"), "`in_axis`", "a sequence of integers", "'0'"
    ),
    "groups of a fraction": Case(
        lambda: seedbed.Dirac(groups=1.5), "`groups`", "an integer", "1.5 (of type float)"
    ),
    "a list as a constant": Case(
        lambda: seedbed.Constant([1, 2]), "`value`", "a real number", "[1, 2] (of type list)"
    ),
    "a typo in an argument of TensorFlow 1's": Case(
        lambda: getattr(v1, "zeros_initializer")(dytpe="float32"),  # noqa: B009
        "`dytpe`",
        "Zeros(dtype)",
        'dytpe="float32"',
        "dtype",
    ),
    "a seed of text": Case(
        lambda: seedbed.GlorotUniform(seed="42"), "`seed`", "an integer", "'42' (of type str)"
    ),
    "a seed of a bool": Case(
        lambda: seedbed.GlorotUniform(seed=True), "`seed`", "an integer", "True (of type bool)"
    ),
    "a seed of a float": Case(
        lambda: seedbed.GlorotUniform(seed=1e3), "`seed`", "an integer", "1000.0 (of type float)"
    ),
    "a seed of 65 bits": Case(
        lambda: sb.GlorotUniform(seed=2**64),
        "`seed`",
        "from -2**63 to 2**64 - 1",
        "18446744073709551616",
    ),
    "a position below zero": Case(
        lambda: sb.SeedGenerator(1, position=-1), "`position`", "from 0 to 2**64 - 1", "-1"
    ),
    "a typo in a generator's argument": Case(
        lambda: seedbed.SeedGenerator(1, positon=2),
        "`positon`",
        "SeedGenerator(seed, position)",
        "positon=2",
        "position",
    ),
    "a call with a client's address": Case(
        lambda: seedbed.Zeros()((2,), client="embedded:"),
        "`client`",
        "a Client or None",
        "'embedded:'",
    ),
    "a call without all of a partition": Case(
        lambda: sb.Zeros()((4,), partition_shape=(2,)),
        "`partition_offset`",
        "given, as the other half",
        "nothing",
    ),
}

SPECS: dict[str, Case] = {
    "a name of None": Case(
        lambda: spec(name=None), "`name`", "a string", "None (of type NoneType)"
    ),
    "a name of bytes": Case(lambda: spec(name=b"w"), "`name`", "a string", "b'w' (of type bytes)"),
    "a long name": Case(
        lambda: spec(name="x" * 2000), "`name`", "at most 1024 bytes", "(2000 bytes)"
    ),
    "half a surrogate": Case(lambda: spec(name="\ud800"), "`name`", "valid Unicode", '"\\ud800"'),
    "a shape of text": Case(
        lambda: spec(shape="4,6"), "`shape`", "a sequence of integers", "'4,6'"
    ),
    "a shape with None": Case(lambda: spec(shape=(None, 6)), "`shape[0]`", "an integer", "None"),
    "a shape with a float": Case(lambda: spec(shape=(4.0, 6)), "`shape[0]`", "an integer", "4.0"),
    "a shape with a bool": Case(lambda: spec(shape=(4, True)), "`shape[1]`", "an integer", "True"),
    "a shape with -1": Case(lambda: spec(shape=(4, -1)), "`shape[1]`", "0 or more", "-1"),
    "a shape in a set": Case(
        lambda: spec(shape={4, 6}), "`shape`", "a sequence of integers", "{4, 6}"
    ),
    "a shape of no memory": Case(
        lambda: spec(shape=(2**40, 2**40)),
        "`shape`",
        "at most 2**63 - 1 bytes",
        "[1099511627776, 1099511627776]",
    ),
    "too many axes": Case(lambda: spec(shape=(1,) * 40), "`shape`", "at most 32 axes", "[1, 1,"),
    "bf16": Case(
        lambda: spec(dtype="bf16"), "`dtype`", "one of float16, bfloat16", '"bf16"', "bfloat16"
    ),
    "fp16": Case(lambda: spec(dtype="fp16"), "`dtype`", "one of float16", '"fp16"', "float16"),
    "half": Case(lambda: spec(dtype="half"), "`dtype`", "one of float16", '"half"', "float16"),
    "float": Case(lambda: spec(dtype="float"), "`dtype`", "one of float16", '"float"', "float32"),
    "fp32": Case(lambda: spec(dtype="fp32"), "`dtype`", "one of float16", '"fp32"', "float32"),
    "double": Case(
        lambda: spec(dtype="double"), "`dtype`", "one of float16", '"double"', "float64"
    ),
    "e4m3": Case(
        lambda: spec(dtype="e4m3"), "`dtype`", "one of float16", '"e4m3"', "float8_e4m3fn"
    ),
    "a dtype in capitals": Case(
        lambda: spec(dtype="Float32"), "`dtype`", "one of float16", '"Float32"', "float32"
    ),
    "PyTorch's name of a dtype": Case(
        lambda: spec(dtype="torch.half"), "`dtype`", "one of float16", '"torch.half"', "float16"
    ),
    "complex numbers": Case(
        lambda: spec(dtype=np.complex64), "`dtype`", "one of float16", "numpy.complex64"
    ),
    "no dtype": Case(
        lambda: spec(dtype=None), "`dtype`", "one of float16", "None (of type NoneType)"
    ),
    "random integers": Case(
        lambda: spec(dtype="int8", initializer="random_uniform"),
        "`dtype`",
        "a floating dtype for RandomUniform",
        "int8",
    ),
    "a constant that does not fit": Case(
        lambda: spec(dtype="uint8", initializer=sb.Constant(300)), "`value`", "uint8", "300"
    ),
    "a typo in an initializer's name": Case(
        lambda: spec(initializer="glorot_unifrom"),
        "`initializer`",
        "one of Constant",
        '"glorot_unifrom"',
        "glorot_uniform",
    ),
    "an initializer's class": Case(
        lambda: spec(initializer=sb.Zeros),
        "`initializer`",
        "an initializer, such as",
        "class",
        "Zeros()",
    ),
    "an initializer's configuration": Case(
        lambda: spec(initializer={"class_name": "Zeros"}),
        "`initializer`",
        "an initializer",
        "{'class_name'",
    ),
    "no initializer": Case(
        lambda: spec(initializer=None), "`initializer`", "an initializer", "None (of type NoneType)"
    ),
    "a name without its parameter": Case(
        lambda: spec(initializer="sparse"),
        "`initializer.sparsity`",
        "given: a parameter of Sparse",
        "nothing",
    ),
    "no seed": Case(
        lambda: spec(initializer="he_normal", seed=None),
        "`seed`",
        "an integer, as HeNormal is random",
        "None",
    ),
    "a draw below zero": Case(lambda: spec(draw=-1), "`draw`", "from 0 to 2**64 - 1", "-1"),
    "axes as a tuple": Case(
        lambda: spec(fan_axes=(0, 1)), "`fan_axes`", "FanAxes or None", "(0, 1) (of type tuple)"
    ),
    "an axis that is not there": Case(
        lambda: spec(fan_axes=sb.FanAxes(5, 0)), "`in_axis[0]`", "from -2 to 1", "5"
    ),
    "an axis twice": Case(
        lambda: spec(fan_axes=sb.FanAxes(0, -2)), "`out_axis[0]`", "not named twice", "-2"
    ),
    "a typo in an axis's argument": Case(
        lambda: seedbed.FanAxes(in_axes=0),
        "`in_axes`",
        "FanAxes(in_axis, out_axis, batch_axis)",
        "in_axes=0",
        "in_axis",
    ),
    "an orthogonal vector": Case(
        lambda: spec(shape=(4,), initializer="orthogonal"), "`shape`", "two axes", "[4]"
    ),
    "a spec with type=": Case(
        lambda: seedbed.TensorSpec("w", (2,), type="float32"),
        "`type`",
        "TensorSpec(name, shape, dtype",
        'type="float32"',
        "dtype",
    ),
    "a spec that lacks its dtype": Case(
        lambda: seedbed.TensorSpec("w", (2,)),
        "`dtype`",
        "given to TensorSpec(name, shape,",
        'only name="w", shape=[2]',
    ),
    "a spec that has its initializer where its dtype belongs": Case(
        lambda: seedbed.TensorSpec("w", (2,), "he_normal", seed=1),
        "`initializer`",
        "given to TensorSpec(name, shape,",
        'dtype="he_normal", seed=1',
    ),
    "specs that are one": Case(
        lambda: seedbed.Manifest(W), "`tensors`", "TensorSpecs", "(of type TensorSpec)"
    ),
    "specs of strings": Case(
        lambda: seedbed.Manifest(["w"]), "`tensors`", "TensorSpecs", "'w' (of type str)"
    ),
    "a manifest's file in place of its specs": Case(
        lambda: sb.Manifest("m.yaml"),  # type: ignore[arg-type]
        "`tensors`",
        "TensorSpecs",
        "'m.yaml' (of type str); Manifest.load(...) reads a file",
    ),
    "a checkpoint to load as a manifest": Case(
        lambda: sb.Manifest.load("w.safetensors"),
        "`path`",
        "that of a manifest, such as .yaml",
        '"w.safetensors"; Manifest.from_safetensors reads a checkpoint',
    ),
    "a manifest saved as a checkpoint": Case(
        lambda: MODEL.save("w.safetensors"),
        "`path`",
        "that of a manifest, such as .yaml",
        '"w.safetensors"; `seedbed fetch` writes a checkpoint',
    ),
    "a digest of text": Case(
        lambda: seedbed.digest_bytes("w"), "`data`", "bytes, or a numpy array", "'w' (of type str)"
    ),
    "a model's digest of a list": Case(
        lambda: seedbed.digest_of([sb.digest_bytes(b"")]),
        "`digests`",
        "a mapping from names",
        "(of type list)",
    ),
    "specs of one name": Case(lambda: sb.Manifest([W, W]), "`tensors`", "different names", '"w"'),
    "fans of text": Case(
        lambda: seedbed.compute_fans("3x3"), "`shape`", "a sequence of integers", "'3x3'"
    ),
}

CLIENTS: dict[str, Case] = {
    "an integer as an index": Case(
        lambda: sampled(slice=np.s_[0, :]),
        "`slice[0]`",
        "a slice, such as 0:128",
        "0 (of type int)",
        "0:1",
    ),
    "an index from the end": Case(
        lambda: sampled(slice=np.s_[:, -1]),
        "`slice[1]`",
        "a slice, such as",
        "-1 (of type int)",
        "-1:",
    ),
    "a step": Case(lambda: sampled(slice=np.s_[::2]), "`slice[0].step`", "1 or left out", "2"),
    "an end outside": Case(
        lambda: sampled(slice=np.s_[:9]), "`slice[0].stop`", "from -4 to 4 on an axis of 4", "9"
    ),
    "a start outside": Case(
        lambda: sampled(slice=np.s_[:, -7:]), "`slice[1].start`", "from -6 to 6", "-7"
    ),
    "a slice backwards": Case(
        lambda: sampled(slice=np.s_[3:1]), "`slice[0].stop`", "at least the start, 3", "1"
    ),
    "an axis too many": Case(
        lambda: sampled(slice=np.s_[:, :, :]), "`slice`", "at most 2 slices", "(slice(None"
    ),
    "a float in a slice": Case(
        lambda: sampled(slice=np.s_[0.5:]), "`slice[0].start`", "an integer", "0.5"
    ),
    "a new axis": Case(lambda: sampled(slice=np.s_[None, :]), "`slice[0]`", "a slice", "None"),
    "a list as a slice": Case(
        lambda: sampled(slice=[0, 2]), "`slice`", "a TensorSlice, a shard(...), slices", "[0, 2]"
    ),
    "a rectangle beyond the end": Case(
        lambda: sampled(slice=sb.TensorSlice((2, 0), (3, 6))),
        "`slice.lengths[0]`",
        "from 0 to 2",
        "3",
    ),
    "a rectangle of one axis": Case(
        lambda: sampled(slice=sb.TensorSlice((0,), (1,))),
        "`slice.starts`",
        "2 numbers for a tensor of rank 2",
        "[0]",
    ),
    "a rectangle's typo": Case(
        lambda: seedbed.TensorSlice(start=(0,), lengths=(1,)),
        "`start`",
        "TensorSlice(starts, lengths)",
        "start=[0]",
        "starts",
    ),
    "a shard beyond the last": Case(lambda: sb.shard(4, 4), "`index`", "from 0 to 3", "4"),
    "a shard of none": Case(lambda: sb.shard(0, 0), "`count`", "1 or more", "0"),
    "a shard of text": Case(lambda: seedbed.shard("0", 4), "`index`", "an integer", "'0'"),
    "a shard of an axis that is not there": Case(
        lambda: sampled(slice=sb.shard(0, 2, axis=2)), "`axis`", "from -2 to 1", "2"
    ),
    "a name instead of a spec": Case(lambda: engine.sample("w"), "`spec`", "a TensorSpec", "'w'"),
    "several specs to sample": Case(
        lambda: engine.sample([W]),
        "`spec`",
        "a TensorSpec",
        "(of type list); `sample_all` and its like",
    ),
    "one spec to sample_all": Case(
        lambda: engine.sample_all(W),
        "`manifest`",
        "a Manifest, or a list of TensorSpecs",
        "(of type TensorSpec)",
    ),
    "a name among specs": Case(
        lambda: engine.sample_all([W, "b"]), "`manifest[1]`", "a TensorSpec", "'b' (of type str)"
    ),
    "a file's name as a manifest": Case(
        lambda: engine.digest_all("model.yaml"),
        "`manifest`",
        "a Manifest, or a list",
        "'model.yaml'",
    ),
    "a slice of a name with a typo": Case(
        lambda: all_sampled(slice={"layer.bais": sb.shard(0, 2)}),
        "`slice`",
        "names of the manifest",
        '"layer.bais"',
        "layer.bias",
    ),
    "a slice for all": Case(
        lambda: all_sampled(slice=np.s_[0:1]),
        "`slice`",
        "shard(...) or None for many",
        "slice(0, 1, None)",
    ),
    "an array of a name with a typo": Case(
        lambda: all_sampled(out={"layer_bias": np.zeros(6)}),
        "`out`",
        "names of the manifest",
        '"layer_bias"',
        "layer.bias",
    ),
    "a list of arrays": Case(
        lambda: all_sampled(out=[np.zeros(6)]),
        "`out`",
        "a mapping from names to arrays",
        "(of type list)",
    ),
    "an array of another shape": Case(
        lambda: sampled(out=np.zeros((6, 4), np.float32)),
        "`out['w']`",
        "of shape [4, 6] and dtype float32",
        "[6, 4], float32",
    ),
    "an array of another dtype": Case(
        lambda: sampled(out=np.zeros((4, 6))), "`out['w']`", "dtype float32", "[4, 6], float64"
    ),
    "a list as out": Case(
        lambda: sampled(out=[0.0] * 24), "`out['w']`", "a numpy array", "(of type list)"
    ),
    "cuda": Case(
        lambda: sampled(device="cuda"), "`device`", "'cpu', 'gpu' or 'gpu:N'", '"cuda"', "gpu"
    ),
    "PyTorch's name of a device": Case(
        lambda: sampled(device="cuda:1"), "`device`", "'gpu:N'", '"cuda:1"', "gpu:1"
    ),
    "a device in capitals": Case(
        lambda: sampled(device="GPU:0"), "`device`", "'gpu:N'", '"GPU:0"', "gpu:0"
    ),
    "a device that we do not have": Case(
        lambda: sampled(device="tpu"), "`device`", "'cpu', 'gpu' or 'gpu:N'", '"tpu"'
    ),
    "a device's number": Case(
        lambda: sampled(device=0), "`device`", "a string: 'cpu'", "0 (of type int)"
    ),
    "local as a number": Case(lambda: sampled(local=1), "`local`", "a bool", "1 (of type int)"),
    "no time": Case(
        lambda: sampled(timeout_seconds=0), "`timeout_seconds`", "positive, or None", "0"
    ),
    "a time of text": Case(
        lambda: sampled(timeout_seconds="5s"), "`timeout_seconds`", "a real number", "'5s'"
    ),
    "a digest's typo": Case(
        lambda: engine.digest(W, algorithm="sha-256"),
        "`algorithm`",
        "one of xxh3_128, sha256",
        '"sha-256"',
        "sha256",
    ),
    "a digest that we do not have": Case(
        lambda: engine.digest(W, algorithm="md5"), "`algorithm`", "one of xxh3_128", '"md5"'
    ),
    "bytes' digest of a typo": Case(
        lambda: seedbed.digest_bytes(b"", "xxh3"),
        "`algorithm`",
        "one of xxh3_128",
        '"xxh3"',
        "xxh3_128",
    ),
    "half an element": Case(
        lambda: engine.chunks(W, first_byte=2), "`first_byte`", "a multiple of 4 from 0 to 96", "2"
    ),
    "a default client's address": Case(
        lambda: seedbed.set_default_client("embedded:"),
        "`client`",
        "a Client or None",
        "'embedded:' (of type str); seedbed.connect",
    ),
    "a client of an address": Case(
        lambda: seedbed.Client("host:1"),
        "`transport`",
        "a transport",
        "'host:1' (of type str); seedbed.connect",
    ),
    "a port": Case(lambda: seedbed.connect(50051), "`target`", "a string", "50051 (of type int)"),
    "no targets": Case(lambda: sb.connect([]), "`target`", "at least one", "[]"),
    "a web address": Case(
        lambda: sb.connect("http://host:1"), "`target`", "host:port", '"http://host:1"', "host:1"
    ),
    "an address without a port": Case(
        lambda: sb.connect("localhost"), "`target`", "host:port", '"localhost"', "localhost:50051"
    ),
    "the engine without its colon": Case(
        lambda: sb.connect("embedded"), "`target`", "embedded:", '"embedded"', "embedded:"
    ),
    "the engine among servers": Case(
        lambda: sb.connect(["embedded:", "host:1"]),
        "`target`",
        "goes alone",
        '["embedded:", "host:1"]',
    ),
    "no channels": Case(
        lambda: sb.connect("host:1", channels=0), "`channels`", "from 1 to 64", "0"
    ),
    "options as pairs": Case(
        lambda: seedbed.connect("host:1", options=[("grpc.x", 1)]),
        "`options`",
        "a mapping from gRPC",
        "[('grpc.x', 1)]",
    ),
    "an option of None": Case(
        lambda: seedbed.connect("host:1", options={"grpc.x": None}),
        "`options['grpc.x']`",
        "an integer or a string",
        "None",
    ),
    "patience below zero": Case(
        lambda: sb.connect("host:1", patience_seconds=-1), "`patience_seconds`", "0 or more", "-1"
    ),
    "a folder of a number": Case(
        lambda: seedbed.connect("unix:///s", shared_memory_dir=3),
        "`shared_memory_dir`",
        "a string or None",
        "3",
    ),
    "tls as text": Case(
        lambda: seedbed.connect("host:1", tls="ca.pem"),
        "`tls`",
        "a Tls, True, False or None",
        "'ca.pem'",
    ),
    "tls within a process": Case(
        lambda: sb.connect("embedded:", tls=True), "`tls`", "None or False for embedded:", "true"
    ),
    "a certificate without its key": Case(
        lambda: sb.Tls(cert="client.pem"), "`tls.key`", "go together", "nothing"
    ),
    "a typo in an argument of Tls": Case(
        lambda: seedbed.Tls(servername="x"),
        "`servername`",
        "Tls(ca, cert, key, server_name)",
        'servername="x"',
        "server_name",
    ),
    "a token without tls": Case(
        lambda: sb.connect("example.org:1", token="secret"),
        "`token`",
        "without tls=True",
        "a token",
    ),
    "a token of bytes": Case(
        lambda: seedbed.connect("host:1", token=b"x"),
        "`token`",
        "a string, a pathlib.Path",
        "<class 'bytes'>",
    ),
}
