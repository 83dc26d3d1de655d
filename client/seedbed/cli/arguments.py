"""Command-line options that commands share, and the conversion of their texts to values."""

import argparse
import os
import re
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from seedbed.client import EMBEDDED, Client, connect
from seedbed.credentials import TLS_VARIABLES, tls_in_environment
from seedbed.deadlines import DEFAULT_PATIENCE_SECONDS, checked_patience
from seedbed.spec.digests import DIGEST_ALGORITHMS
from seedbed.spec.dtypes import as_dtype
from seedbed.spec.errors import InvalidArgumentError, InvalidValueError, shown
from seedbed.spec.fans import FanAxes
from seedbed.spec.initializers import named_initializer
from seedbed.spec.numbers import as_count
from seedbed.spec.slices import Shard, TensorSlice
from seedbed.spec.tensors import TensorSpec
from seedbed.spec.tls import Tls

DEFAULT_SEED = 42
DEFAULT_DTYPE = "float32"
# More than any index or seed has, and few enough for Python to convert.
MAX_DIGITS = 40

_SIZES = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12} | {
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
}

# Options that say what a single tensor is; a manifest says it itself.
_TENSOR_OPTIONS = (
    "shape",
    "dtype",
    "seed",
    "name",
    "draw",
    "param",
    "in_axis",
    "out_axis",
    "batch_axis",
    "slice",
)


def add_common_options(parser: argparse.ArgumentParser, *, asks_server: bool) -> None:
    """Add what every command takes, or each that may ask a server."""
    group = parser.add_argument_group("options of every command")
    if asks_server:
        _add_target_options(group)
    group.add_argument("--json", action="store_true", help="print one JSON object instead of text")


def _add_target_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--target",
        default=os.environ.get("SEEDBED_TARGET") or EMBEDDED,
        help="host:port or unix:///path of a server, or embedded: for the engine in this process "
        "(default: $SEEDBED_TARGET, else embedded:)",
    )
    group.add_argument(
        "--timeout-seconds",
        type=_converter(_seconds),
        metavar="S",
        help="for each call to the server (default: none)",
    )
    group.add_argument(
        "--patience-seconds",
        type=_converter(_patience),
        default=DEFAULT_PATIENCE_SECONDS,
        metavar="S",
        help="how long a call without --timeout-seconds goes on trying a server that does not "
        "answer or has no room; 0 is one try (default: %(default)g)",
    )
    _add_security_options(group)


def _add_security_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--tls",
        action=argparse.BooleanOptionalAction,
        help="speak TLS with the server (default: $SEEDBED_TLS; the next four imply it)",
    )
    for name, metavar, what, default in (
        ("ca", "FILE", "certificates of authorities that may sign the server's", "the system's"),
        ("cert", "FILE", "the client's own certificate", "none"),
        ("key", "FILE", "its private key", "none"),
        ("server-name", "NAME", "the host name in the server's certificate", "its host"),
    ):
        variable = TLS_VARIABLES[name.replace("-", "_")]
        text = f"{what} (default: ${variable}, else {default})"
        group.add_argument(f"--tls-{name}", metavar=metavar, help=text)
    group.add_argument(
        "--token-file",
        type=_converter(_file),
        metavar="FILE",
        help="a file with the token that goes with each call (default: $SEEDBED_TOKEN, "
        "or the file $SEEDBED_TOKEN_FILE)",
    )


def add_tensor_options(parser: argparse.ArgumentParser) -> None:
    """Add what says which tensor an initializer fills."""
    group = parser.add_argument_group("the tensor")
    group.add_argument(
        "--shape",
        type=_converter(_integers),
        metavar="N,N,...",
        help="such as 1024,512; () is a scalar",
    )
    group.add_argument(
        "--dtype", help=f"of the elements, such as bfloat16 (default: {DEFAULT_DTYPE})"
    )
    group.add_argument(
        "--seed",
        type=_converter(_integer),
        metavar="N",
        help=f"of the random numbers (default: {DEFAULT_SEED})",
    )
    group.add_argument("--name", help="the tensor's name, part of its content (default: empty)")
    group.add_argument(
        "--draw", type=_converter(_integer), metavar="N", help="the n-th draw (default: 0)"
    )
    group.add_argument(
        "--param",
        action="append",
        type=_converter(_parameter),
        metavar="NAME=VALUE",
        help="a parameter of the initializer, such as stddev=0.02; may be given several times",
    )
    for name in ("in", "out", "batch"):
        group.add_argument(
            f"--{name}-axis",
            type=_converter(_integers),
            metavar="N,...",
            help=f"axes that count as {'a batch' if name == 'batch' else name + 'puts'} "
            "for the fans, () for none (default: Keras's rule; "
            f"write --{name}-axis=-2,-1 with = for several negative ones)",
        )


def add_force_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--force``, without which no file is replaced."""
    parser.add_argument("--force", action="store_true", help="replace what is there")


def add_max_shard_size_option(parser: argparse.ArgumentParser) -> None:
    """Add how much goes into a file."""
    parser.add_argument(
        "--max-shard-size",
        type=_converter(_size),
        metavar="SIZE",
        help="of each file of a folder, such as 500MB or 2GiB (default: 5GB); "
        "a larger tensor has a file of its own",
    )


def add_shard_option(container: argparse._ActionsContainer) -> None:
    """Add ``--shard``."""
    container.add_argument(
        "--shard",
        type=_converter(_shard),
        metavar="INDEX/COUNT[:AXIS]",
        help="one part of each tensor, counted from 0: 1/4:0 is the second of four along axis 0",
    )


def add_part_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--slice`` and ``--shard``, of which one may be given."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--slice",
        type=_converter(_ranges),
        metavar="START:STOP,...",
        help="a rectangle of the tensor, such as 0:10,5:7; axes left out are whole",
    )
    add_shard_option(group)


def add_algorithm_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--algorithm``."""
    parser.add_argument(
        "--algorithm",
        choices=DIGEST_ALGORITHMS,
        default=DIGEST_ALGORITHMS[0],
        help="of the digest: xxh3_128, or sha256, which is slower and cannot be forged "
        "(default: %(default)s)",
    )


def client_of(options: argparse.Namespace) -> Client:
    """Return a client of the target that the options name."""
    return connect(
        options.target,
        patience_seconds=options.patience_seconds,
        tls=_tls(options),
        token=options.token_file,
    )


def _tls(options: argparse.Namespace) -> Tls | bool | None:
    """Return what the options say of TLS, completed from the environment."""
    values = {name: getattr(options, f"tls_{name}") for name in TLS_VARIABLES}
    given = {name: value for name, value in values.items() if value is not None}
    if options.tls is False and given:
        raise InvalidValueError("--no-tls goes with no other option of TLS")
    if options.tls is False or not (options.tls or given):
        return options.tls
    try:
        return replace(tls_in_environment() or Tls(), **given)
    except InvalidArgumentError as error:
        raise error.at("--" + error.field.replace(".", "-").replace("_", "-")) from None


def spec_of(initializer: str, options: argparse.Namespace) -> TensorSpec:
    """Return the tensor that the options mean.

    Raises:
        InvalidArgumentError: naming the option.
    """
    if options.shape is None:
        raise InvalidValueError(
            f"--shape is missing: say which shape {initializer} fills, such as --shape 1024,512"
        )
    parameters: dict[str, Any] = {}
    for name, value in options.param or ():
        if name in parameters or name == "seed":
            hint = "is given twice" if name in parameters else "has its own option: --seed"
            raise InvalidValueError(f"--param {name} {hint}")
        parameters[name] = value
    return TensorSpec(
        name=options.name or "",
        shape=options.shape,
        dtype=as_dtype(DEFAULT_DTYPE if options.dtype is None else options.dtype),
        initializer=named_initializer("initializer", initializer, parameters),
        seed=DEFAULT_SEED if options.seed is None else options.seed,
        draw=options.draw or 0,
        fan_axes=_fan_axes(options),
    )


def part_of(options: argparse.Namespace, shape: tuple[int, ...]) -> TensorSlice | Shard | None:
    """Return the part of a tensor that ``--slice`` or ``--shard`` means, or None for the whole.

    Raises:
        InvalidValueError: if it does not fit the shape.
    """
    ranges = options.slice
    if ranges is None:
        shard: Shard | None = options.shard
        return shard
    if len(ranges) > len(shape):
        raise InvalidValueError(f"--slice has {len(ranges)} axes, and the tensor {len(shape)}")
    filled = [*ranges, *[(0, None)] * (len(shape) - len(ranges))]
    stops = [
        length if stop is None else stop for (_, stop), length in zip(filled, shape, strict=True)
    ]
    starts = [start for start, _ in filled]
    part = TensorSlice(
        tuple(starts), tuple(stop - start for start, stop in zip(starts, stops, strict=True))
    )
    part.check(shape)
    return part


def refuse_tensor_options(options: argparse.Namespace) -> None:
    """Raise if options were given that only an initializer takes.

    Raises:
        InvalidValueError: naming the first.
    """
    for name in _TENSOR_OPTIONS:
        if getattr(options, name, None) is not None:
            flag = "--" + name.replace("_", "-")
            raise InvalidValueError(
                f"{flag} goes with an initializer; a manifest says it for each tensor"
            )


def _fan_axes(options: argparse.Namespace) -> FanAxes | None:
    given = {name: getattr(options, name) for name in ("in_axis", "out_axis", "batch_axis")}
    given = {name: axes for name, axes in given.items() if axes is not None}
    return FanAxes(**given) if given else None


def _converter(convert: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return the conversion with its errors in argparse's form, which adds the option's name."""

    def converted(text: str) -> Any:
        try:
            return convert(text)
        except InvalidArgumentError as error:
            raise argparse.ArgumentTypeError(str(error)) from None
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"must be {error}. Received: {shown(text)}") from None

    return converted


def _integer(text: str) -> int:
    if re.fullmatch(rf"[+-]?[0-9]{{1,{MAX_DIGITS}}}", text):
        return int(text)
    if re.fullmatch(rf"0[xX][0-9a-fA-F]{{1,{MAX_DIGITS}}}", text):
        return int(text, 16)
    raise ValueError("an integer")


def _count(text: str) -> int:
    try:
        return as_count("", _integer(text))
    except ValueError:  # InvalidValueError is one
        raise ValueError("an integer, 1 or more") from None


def an_integer(text: str) -> int:
    """Return an option's integer; the ``type`` of an argument.

    Raises:
        ArgumentTypeError: for any other text.
    """
    return int(_converter(_integer)(text))


def a_count(text: str) -> int:
    """Return an option's integer that is 1 or more; the ``type`` of an argument.

    Raises:
        ArgumentTypeError: for any other text.
    """
    return int(_converter(_count)(text))


def _integers(text: str) -> tuple[int, ...]:
    # An empty text is no empty tuple: it is more likely a variable of the shell that is not set.
    if text.strip() == "()":
        return ()
    parts = text.strip().removeprefix("(").removesuffix(")").removesuffix(",").split(",")
    try:
        return tuple(_integer(part.strip()) for part in parts)
    except ValueError:
        raise ValueError("integers with commas between them, such as 1024,512, or ()") from None


def _file(text: str) -> Path:
    if not text:
        raise ValueError("a file's path")
    return Path(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text) if len(text) <= MAX_DIGITS else 0.0
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e9:
        raise ValueError("a positive number of seconds")
    return seconds


def _patience(text: str) -> float:
    try:
        return checked_patience(float(text) if len(text) <= MAX_DIGITS else -1.0)
    except ValueError:  # InvalidValueError is one
        raise ValueError("a number of seconds, 0 or more") from None


def _size(text: str) -> int:
    digits = f"[0-9]{{1,{MAX_DIGITS}}}"
    match = re.fullmatch(rf"({digits}(?:\.{digits})?)\s*([a-zA-Z]*)", text.strip())
    # Hugging Face's libraries take units in upper and lower case, too.
    units = {"": 1} | {unit.upper(): size for unit, size in _SIZES.items()}
    size = int(Fraction(match[1]) * units.get(match[2].upper(), 0)) if match else 0
    if size < 1:
        raise ValueError(f"a size, such as 5GB or 5GiB, in {', '.join(_SIZES)}")
    return size


def _parameter(text: str) -> tuple[str, bool | int | float | str]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise ValueError("NAME=VALUE, such as stddev=0.02")
    if value.lower() in {"true", "false"}:
        return name, value.lower() == "true"
    try:
        return name, _integer(value)
    except ValueError:
        pass
    try:
        return name, float(value)
    except ValueError:
        return name, value


def _ranges(text: str) -> tuple[tuple[int, int | None], ...]:
    ranges = []
    for part in text.split(","):
        match = re.fullmatch(rf"\s*([0-9]{{0,{MAX_DIGITS}}}):([0-9]{{0,{MAX_DIGITS}}})\s*", part)
        if match is None:
            raise ValueError(
                "START:STOP for each axis, such as 0:10,5:7 "
                "(from 0 on; a missing one is the axis's end)"
            )
        start = int(match[1] or 0)
        stop = int(match[2]) if match[2] else None
        if stop is not None and stop < start:
            raise ValueError("START:STOP with STOP not below START")
        ranges.append((start, stop))
    return tuple(ranges)


def _shard(text: str) -> Shard:
    digits = f"[0-9]{{1,{MAX_DIGITS}}}"
    match = re.fullmatch(rf"({digits})/({digits})(?::(-?{digits}))?", text)
    if match is None:
        raise ValueError("INDEX/COUNT or INDEX/COUNT:AXIS, such as 1/4:0")
    return Shard(int(match[1]), int(match[2]), int(match[3] or 0))
