"""The blocks of code that docs/numerics.md prints have the bits of the service when they are run.

Every block is run by one function here, and fails there if any of its numbers is changed.
"""

import hashlib
import itertools
import math
import random
import re
from collections.abc import Callable, Iterator
from typing import Any

import mpmath
import numpy as np
import pytest
from numpy.typing import NDArray

from seedbed.spec.dtypes import Dtype
from seedbed.spec.fans import Fans
from seedbed.spec.gains import calculate_gain
from seedbed.spec.initializers import (
    KaimingNormalSpec,
    KaimingUniformSpec,
    VarianceScalingSpec,
    XavierNormalSpec,
    XavierUniformSpec,
)
from seedbed_server.backends.rules import Normal, Uniform
from seedbed_server.kernels.bounds import interval, truncated_stddev
from seedbed_server.kernels.keys import derive_key
from seedbed_server.kernels.normal import (
    central_quantile_float64,
    lower_quantile_float32,
    minus_log_float64,
    tail_quantile_float64,
)
from seedbed_server.kernels.orthogonal import BLOCK
from seedbed_server.sampling.derivation import gained_rule, scaled_rule
from tests.elements import values_of_words
from tests.reference import document, fourier, orthogonal, words
from tests.reference.floats import FLOAT32, FLOAT64, Format, decode, encode, next_below, round_ratio
from tests.reference.pseudocode import REMARK, Names, Single, fma, run

Matrix = NDArray[np.float64]
Run = Callable[[str], None]

INF = math.inf
NUMBER = re.compile(r"(?<![\w.])(?:0x[0-9A-F]+|\d+(?:\.\d+)?)(?![\w.]*\w)")
BOUNDS = [
    (-INF, INF),
    (-2.0, 2.0),
    (-1.12, 2.53),
    (0.0, INF),
    (-INF, 0.0),
    (4.0, INF),
    (-INF, -4.0),
    (0.1, 0.1 + 1e-9),
    (-6.0, -1.0),
]
RANDOM = random.Random(5)


def same(ours: object, theirs: object) -> None:
    """Fail unless two numbers, or sequences of them, are equal, zeros' signs too."""
    assert repr(ours) == repr(theirs)


def run_key(code: str) -> None:
    for seed, draw, name in ((1, 0, "dense/kernel"), (2**64 - 1, 2**40 + 3, "ü")):
        found = run(
            code,
            seed=seed,
            draw=draw,
            name=name,
            sha256=lambda *parts: hashlib.sha256(b"".join(parts)).digest(),
            ascii=lambda text: text.encode("ascii"),
            byte=lambda number: bytes([number]),
            bytes8=lambda number: number.to_bytes(8, "little"),
            utf8=lambda text: text.encode(),
            uint32=lambda part: int.from_bytes(part, "little") if len(part) == 4 else None,
        )
        key = derive_key(seed, draw, name)
        for field in ("key0", "key1", "counter2", "counter3"):
            assert found[field] == getattr(key, field)


def run_philox(code: str) -> None:
    for _ in range(20):
        counter = tuple(RANDOM.getrandbits(32) for _ in range(4))
        key = RANDOM.getrandbits(32), RANDOM.getrandbits(32)
        found = run(
            code, counter=counter, key=key, high=lambda p: p >> 32, low=lambda p: p & (2**32 - 1)
        )
        assert found["lanes"] == words.philox4x32_10(counter, key)  # type: ignore[arg-type]


def run_block(code: str) -> None:
    for b in (0, 1, 2**32 - 1, 2**32 + 1, 2**61 - 1, 3 * 2**45 + 7):
        key = (5, 6, 7, 8)
        found = run(code, b=b, philox=words.philox4x32_10, key0=5, key1=6, counter2=7, counter3=8)
        assert found["lanes"] == words.block(b, key)


def run_scaling(code: str) -> None:
    for fan_in, fan_out in ((0.0, 0.0), (0.5, 1.0), (3.0, 7.0), (1e15, 17.0), (576.0, 128.0)):
        fans = Fans(fan_in, fan_out)
        for mode, scale in itertools.product(
            ("fan_in", "fan_out", "fan_avg", "fan_geo_avg"), (1.0, 2.0, 0.3)
        ):
            names: Names = {"scale": scale, "left": truncated_stddev(-1.0, 3.0)}
            names |= {"max": max, "fan_in": fan_in, "fan_out": fan_out}
            names["fan"] = 1.0
            if mode in ("fan_in", "fan_out"):
                names["fan"] = getattr(fans, mode)
            else:
                names["fan"] = run(code, **names)[mode]
            found = run(code, **names)

            def rule(distribution: Any, scale: float = scale, mode: Any = mode) -> Any:
                bounds = (-1.0, 3.0) if distribution == "truncated_normal" else (-2.0, 2.0)
                spec = VarianceScalingSpec(scale, mode, distribution, *bounds)
                return scaled_rule(spec, fans)  # noqa: B023  # called at once

            assert rule("uniform") == Uniform(-found["limit"], found["limit"])
            assert rule("untruncated_normal") == Normal(0.0, found["stddev"])
            assert rule("truncated_normal") == Normal(0.0, found["wider"], -1.0, 3.0)


def distribution() -> Names:
    """Return the distribution function and the density of a standard normal number."""
    return {
        "P": lambda x: mpmath.erfc(-x / mpmath.sqrt(2)) / 2,
        "p": mpmath.npdf,
        "sqrt": mpmath.sqrt,
        # What is less than an integer by the last digits only is exactly that integer.
        "floor": lambda x: int(mpmath.floor(x + mpmath.mpf("1e-90"))),
    }


def run_left(code: str) -> None:
    for lower, upper in ((-2.0, 2.0), (-1.0, 3.0), (0.5, 0.75), (3.9, 5.0)):
        with mpmath.workdps(90):
            names = {"lower": mpmath.mpf(lower), "upper": mpmath.mpf(upper)} | distribution()
            assert float(run(code, **names)["left"]) == truncated_stddev(lower, upper)


def run_gains(code: str) -> None:
    for fan_in, fan_out in ((0.0, 0.0), (0.0, 0.5), (3.0, 7.0), (576.0, 128.0)):
        fans = Fans(fan_in, fan_out)
        names: Names = {"gain": 1.7, "fan_in": fan_in, "fan_out": fan_out, "max": max}
        names |= {"g": calculate_gain("tanh"), "fan": fan_in, "stddev": 0.37}
        found = run(code, **names)
        assert gained_rule(XavierNormalSpec(1.7), fans) == Normal(0.0, found["xavier_stddev"])
        kaiming = KaimingNormalSpec(nonlinearity="tanh")
        assert gained_rule(kaiming, fans) == Normal(0.0, found["kaiming_stddev"])
        for spec, stddev in (
            (XavierUniformSpec(1.7), found["xavier_stddev"]),
            (KaimingUniformSpec(nonlinearity="tanh"), found["kaiming_stddev"]),
        ):
            limit = run(code, **names | {"stddev": stddev})["limit"]
            assert gained_rule(spec, fans) == Uniform(-limit, limit)


def run_far(code: str) -> None:
    # The largest scale that float16 takes, from the block and from the service.
    for lower, upper in ((-1.0, 3.0), (-0.5, 0.25), (-INF, INF), (0.0, 20.0), (-0.25, 0.5)):
        far = run(code, lower=lower, upper=upper)["far"]
        scale = (65504 / far) ** 2
        spec = VarianceScalingSpec(scale * (1 - 1e-12), lower=lower, upper=upper)
        spec.check((3,), Dtype.FLOAT16)
        spec = VarianceScalingSpec(scale * (1 + 1e-12), lower=lower, upper=upper)
        with pytest.raises(ValueError, match="scale"):
            spec.check((3,), Dtype.FLOAT16)


def run_wave(code: str) -> None:
    shape, f = (7, 1, 5), 8
    parameters = {"window": "hamming", "scaling": "none", "periodic": False}
    with mpmath.workdps(60):
        window = fourier.window("hamming", 7, periodic=False)
        for t, k, side in itertools.product(range(7), range(5), ("real", "imag")):
            names: Names = {"pi": mpmath.pi, "cos": mpmath.cos, "sin": mpmath.sin, "F": f}
            names |= {"is_real": side == "real", "w": window.__getitem__, "divisor": 1}
            found = run(code, t=t, k=k, **names)["element"]
            exact = fourier.stft_element(shape, t * 5 + k, parameters | {"side": side})
            assert abs(found - exact) <= 2.0**-53 * abs(exact) + 1e-50


def arithmetic(form: Format) -> Names:
    """Return the functions of a type."""
    real = Single if form is FLOAT32 else float
    return {
        "real": lambda x: real(round_ratio(x, 1, FLOAT64) if isinstance(x, int) else x),
        "float32": Single,
        "float64": float,
        "bits": lambda x: encode(float(x), form),
        "from_bits": lambda n: real(decode(n, form)),
        "signed": lambda n: n - (n >> (form.bits - 1) << form.bits),
        "negated": lambda word: 2**form.bits - 1 - word,
        "next_below": lambda x: real(next_below(float(x), form)),
        "horner": horner,
    }


def horner(table: tuple[float, ...], x: float) -> float:
    """Return a polynomial's value."""
    value = table[-1]
    for coefficient in table[-2::-1]:
        value = fma(value, x, coefficient)
    return value


def run_horner(code: str) -> None:
    for x in (0.1, -0.7, 1.0):
        table = document.tables()["QUANTILE"]
        same(run(code, T=table, n=len(table) - 1, x=Single(x))["r"], horner(table, Single(x)))


def run_uniform(code: str) -> None:
    ends = [(-0.05, 0.05), (1.0, 1.00000012), (0.25, 0.25), (-0.0, 0.0), (-3e4, 1e-3), (-1.0, 0.0)]
    for form, dtype, kind in (
        (FLOAT32, Dtype.FLOAT32, np.uint32),
        (FLOAT64, Dtype.FLOAT64, np.uint64),
    ):
        drawn = np.array(
            [0, 255, 2**form.bits - 1, *(RANDOM.getrandbits(form.bits) for _ in range(9))], kind
        )
        for minval, maxval in ends:
            theirs = values_of_words(Uniform(minval, maxval), dtype, drawn).tolist()
            names = arithmetic(form) | {"minval": minval, "maxval": maxval}
            names |= {"digits": form.precision, "unused": form.bits - form.precision}
            ours = [float(run(code, word=int(word), **names)["value"]) for word in drawn]
            same(ours, theirs)


def run_interval(code: str) -> None:
    for (lower, upper), bits in itertools.product(BOUNDS, (32, 64)):
        with mpmath.workdps(120):
            names = {"lower": mpmath.mpf(lower), "upper": mpmath.mpf(upper), "N": bits}
            found = run(code, min=min, max=max, **names, **distribution())
            ours = interval(lower, upper, bits)
            assert found["split"] == ours.split
            for field in ("step", "low_edge", "high_edge"):
                assert float(found[field]) == getattr(ours, field)
            # 120 digits leave some 1e-120 of what is exactly 0.
            assert float(mpmath.chop(found["remainder"], tol=1e-90)) == ours.remainder


def normal_words(form: Format, split: int, step: float) -> list[int]:
    """Return words at both ends, around the median, where float64's formulas meet, and between."""
    last, middle = (
        2**form.bits - 1,
        [min(max(split + n, 0), 2**form.bits - 1) for n in range(-3, 4)],
    )
    strata = [(i * 2**form.bits + RANDOM.getrandbits(form.bits)) // 24 for i in range(24)]
    joins = [split + int(RANDOM.uniform(0.424, 0.429) / step) for _ in range(30)]
    return sorted(
        {
            0,
            1,
            2,
            100,
            last - 100,
            last - 1,
            last,
            *middle,
            *strata,
            *(n for n in joins if n <= last),
        }
    )


def run_normal(code: str, form: Format, dtype: Dtype, functions: Names) -> None:
    kind, real = (np.uint32, Single) if form is FLOAT32 else (np.uint64, float)
    scales = itertools.cycle(((0.0, 1.0), (-0.75, 1.5)))
    for (lower, upper), (mean, stddev) in zip(BOUNDS, scales, strict=False):
        where = interval(lower, upper, form.bits)
        drawn = normal_words(form, where.split, where.step)
        theirs = values_of_words(Normal(mean, stddev, lower, upper), dtype, np.array(drawn, kind))
        names = arithmetic(form) | functions | {"split": where.split}
        numbers = {"lower": lower, "upper": upper, "mean": mean, "stddev": stddev}
        for field in ("step", "low_edge", "high_edge", "remainder"):
            numbers[field] = getattr(where, field)
        names |= {name: real(number) for name, number in numbers.items()}
        same([float(run(code, word=word, **names)["value"]) for word in drawn], theirs.tolist())


def run_normal_float32(code: str) -> None:
    quantile = {"quantile32": lambda tail: Single(lower_quantile_float32(np.float32(tail)))}
    run_normal(code, FLOAT32, Dtype.FLOAT32, quantile)


def run_normal_float64(code: str) -> None:
    functions = {"central64": central_quantile_float64, "tail64": tail_quantile_float64}
    run_normal(code, FLOAT64, Dtype.FLOAT64, functions)


def run_function(form: Format, kernel: Any, result: str, arguments: list[float]) -> Run:
    """Return a run that compares a function of one number with the kernel's."""
    name, kind = (("tail", np.float32), ("q", np.float64))[form is FLOAT64]

    def compare(code: str) -> None:
        names = arithmetic(form) | document.tables() | {"minus_log": minus_log_float64}
        for argument in arguments:
            number = Single(argument) if form is FLOAT32 else argument
            found = run(code, **names, **dict.fromkeys((name, "p"), number))
            same(float(found[result]), float(kernel(kind(argument))))

    return compare


TAILS = [0.5, 2.0**-40, *(2.0 ** -RANDOM.uniform(1.0, 40.0) for _ in range(150))]
LOGS = [*TAILS, *(RANDOM.uniform(0.7072, 0.72) for _ in range(300))]
CENTRES = [0.0, 1.5 * 2.0**-64, 0.425, *(RANDOM.uniform(0.0, 0.425) for _ in range(50))]


def matrices(*shapes: tuple[int, int]) -> Iterator[Matrix]:
    """Yield normal matrices."""
    numbers = np.random.default_rng(3)
    # So small that some elements of R's diagonal are below 1.
    yield from (0.1 * numbers.standard_normal(shape) for shape in shapes)


def factored(code: str, panel: Matrix) -> tuple[Matrix, Matrix, dict[int, float]]:
    """Return V, T and d of a panel, which is destroyed."""
    h, w = panel.shape
    names: Names = {"V": np.zeros((h, w)), "T": np.zeros((w, w)), "d": {}, "g": {}}
    found = run(code, P=panel, h=h, w=w, **names)
    return found["V"], found["T"], found["d"]


def reflected(code: str, v: Matrix, s: Matrix, matrix: Matrix) -> None:
    """Replace a matrix M by M - V S V' M."""
    (h, w), columns = v.shape, matrix.shape[1]
    run(code, V=v, S=s, M=matrix, h=h, w=w, columns=columns, g={}, e={})


def orthonormal(code: str, matrix: Matrix, factor: Any, reflect: Any) -> Names:
    """Run the block that makes Q of a matrix, which is destroyed."""
    m, n = matrix.shape
    names: Names = {
        "min": min,
        "transpose": np.transpose,
        "unit": np.eye,
        "V": {},
        "T": {},
        "d": {},
    }
    return run(code, A=matrix, m=m, n=n, factor=factor, reflect=reflect, **names)


def run_factor(code: str) -> None:
    for panel in (*matrices((5, 4), (4, 4), (1, 1), (6, 1)), np.full((3, 2), 1e-200)):
        v, diagonal, t = orthogonal.factor_panel(panel.tolist())
        ours = factored(code, panel.copy())
        same([part.tolist() for part in ours[:2]], [v, t])
        same([float(ours[2][k]) for k in range(len(diagonal))], diagonal)


def run_reflect(code: str) -> None:
    v, s, matrix = matrices((5, 3), (3, 3), (5, 4))
    theirs = matrix.tolist()
    orthogonal.reflect(v.tolist(), s.tolist(), theirs, 0, range(4))
    reflected(code, v, s, matrix)
    same(matrix.tolist(), theirs)


def run_orthonormal(code: str) -> None:
    # Which rectangles are factored and reflected shows in digits that rounding leaves alone.
    def factor(panel: Matrix) -> tuple[Matrix, Matrix, Matrix]:
        h, w = panel.shape
        assert w <= BLOCK
        v, t, d = np.eye(h, w), np.zeros((w, w)), np.zeros(w)
        for k in range(w):
            alpha, d[k] = panel[k, k], -math.copysign(math.hypot(*panel[k:, k]), panel[k, k])
            t[k, k] = (d[k] - alpha) / d[k]
            v[k + 1 :, k] = panel[k + 1 :, k] / (alpha - d[k])
            panel[k:] -= t[k, k] * np.outer(v[k:, k], v[k:, k] @ panel[k:])
            t[:k, k] = -t[k, k] * t[:k, :k] @ (v[:, :k].T @ v[:, k])
        return v, t, d

    def reflect(v: Matrix, s: Matrix, matrix: Matrix) -> None:
        matrix -= v @ (s @ (v.T @ matrix))

    for matrix in matrices((130, 128), (140, 65), (9, 5), (65, 65), (64, 64)):
        found = orthonormal(code, matrix.copy(), factor, reflect)
        q, r = np.linalg.qr(matrix)
        assert np.abs(found["Q"] - q * np.sign(np.diag(r))).max() < 1e-9
        assert found["panels"] == math.ceil(matrix.shape[1] / BLOCK)


RUNS: dict[tuple[str, int], Run] = {
    ("1", 0): run_horner,
    ("2", 0): run_key,
    ("3", 0): run_philox,
    ("3", 1): run_block,
    ("4", 1): run_scaling,
    ("4", 2): run_left,
    ("4", 3): run_gains,
    ("4.1", 0): run_far,
    ("5.1", 0): run_wave,
    ("6", 0): run_uniform,
    ("7.1", 0): run_interval,
    ("7.2", 0): run_normal_float32,
    ("7.2", 1): run_function(FLOAT32, lower_quantile_float32, "z", TAILS),
    ("7.3", 0): run_normal_float64,
    ("7.3", 1): run_function(FLOAT64, central_quantile_float64, "z", CENTRES),
    ("7.3", 2): run_function(FLOAT64, tail_quantile_float64, "z", TAILS[1:]),
    ("7.3", 3): run_function(FLOAT64, minus_log_float64, "result", LOGS),
    ("9.1", 0): run_orthonormal,
    ("9.2", 0): run_factor,
    ("9.3", 0): run_reflect,
}
"""What runs a block, by its section and its place there."""
OTHERS = {
    ("4", 0): "sentences without numbers; test_fans_are_as_the_table_says has the fans",
    ("12", 0): "results; page_claims_of_values computes them",
}
"""Blocks that are no code, and why."""


def code_blocks() -> dict[tuple[str, int], tuple[int, int]]:
    """Return where each block begins and ends."""
    places: dict[tuple[str, int], tuple[int, int]] = {}
    for number, begin, end in document.blocks():
        places[number, sum(section == number for section, _ in places)] = (begin, end)
    return places


def numbers_of_code(begin: int, end: int) -> Iterator[re.Match[str]]:
    """Yield the numbers of a block, those of its remarks left out."""
    text = document.text()
    remarks = [range(*match.span()) for match in REMARK.finditer(text, begin, end)]
    for match in NUMBER.finditer(text, begin, end):
        if not any(match.start() in remark for remark in remarks):
            yield match


def line_of(at: int) -> str:
    """Return the line of the document that a place is in."""
    text = document.text()
    return text[text.rfind("\n", 0, at) + 1 : text.index("\n", at)]


def changed(number: str) -> str:
    """Return another number of the same form."""
    if number.startswith("0x"):
        return f"0x{int(number, 16) ^ 2:X}"
    whole, point, fraction = number.partition(".")
    digits = str(int(whole + fraction) + 3).zfill(len(whole + fraction))
    return digits[: len(digits) - len(fraction)] + point + digits[len(digits) - len(fraction) :]


NOTICED = (
    *(ArithmeticError, AssertionError, LookupError, TypeError, ValueError),
    pytest.fail.Exception,
)
WITHOUT_EFFECT = {
    (
        ("7.3", 0),
        "tail        = tail < 0.5 ? tail : 0.5",
    ): "a tail over 0.075 is not used afterwards",
}
"""Lines whose numbers may change, and why."""
CHANGES = [
    pytest.param(
        place, match.start() - begin, match[0], id=f"{'-'.join(map(str, place))}-{match[0]}"
    )
    for place, (begin, end) in code_blocks().items()
    if place in RUNS
    for match in numbers_of_code(begin, end)
    if (place, line_of(match.start())) not in WITHOUT_EFFECT
]


def test_every_block_is_run() -> None:
    assert set(code_blocks()) == set(RUNS) | set(OTHERS)


@pytest.mark.parametrize("place", RUNS, ids=lambda place: "-".join(map(str, place)))
def test_a_block_has_the_bits_of_the_service(place: tuple[str, int]) -> None:
    begin, end = code_blocks()[place]
    RUNS[place](document.text()[begin:end])


@pytest.mark.parametrize(("place", "at", "number"), CHANGES)
def test_a_changed_number_is_noticed(place: tuple[str, int], at: int, number: str) -> None:
    begin, end = code_blocks()[place]
    code = document.text()[begin:end]
    code = code[:at] + changed(number) + code[at + len(number) :]
    with pytest.raises(NOTICED):
        RUNS[place](code)
