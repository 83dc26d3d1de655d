"""The spec of a convolution that is Keras 3's short-time Fourier transform."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from seedbed.spec.errors import bad_value, over_limit
from seedbed.spec.fans import FanAxes
from seedbed.spec.initializers.base import InitializerSpec, choice, one_of, parameter
from seedbed.spec.numbers import as_flag

Side = Literal["real", "imag"]
Scaling = Literal["density", "spectrum"]
Window = Literal[
    "boxcar",
    "hann",
    "hamming",
    "blackman",
    "nuttall",
    "blackmanharris",
    "flattop",
    "bartlett",
    "triang",
    "cosine",
    "barthann",
    "bohman",
    "parzen",
    "lanczos",
]
SIDES: tuple[Side, ...] = ("real", "imag")
SCALINGS: tuple[Scaling, ...] = ("density", "spectrum")
WINDOWS: tuple[Window, ...] = Window.__args__  # type: ignore[attr-defined]  # a Literal's words
NONE = "none"
"""The word for None where there is no None: on the wire, on a command line."""
# SciPy's other names of these windows.
_OTHER_NAMES: dict[str, Window] = {
    **dict.fromkeys(("box", "ones", "rect", "rectangular"), "boxcar"),
    **dict.fromkeys(("hanning", "han"), "hann"),
    **dict.fromkeys(("hamm", "ham"), "hamming"),
    **dict.fromkeys(("black", "blk"), "blackman"),
    **dict.fromkeys(("nutt", "nut"), "nuttall"),
    **dict.fromkeys(("blackharr", "bkh"), "blackmanharris"),
    **dict.fromkeys(("flat", "flt"), "flattop"),
    **dict.fromkeys(("bart", "brt"), "bartlett"),
    **dict.fromkeys(("triangle", "tri"), "triang"),
    "halfcosine": "cosine",
    **dict.fromkeys(("brthan", "bth"), "barthann"),
    **dict.fromkeys(("bman", "bmn"), "bohman"),
    **dict.fromkeys(("parz", "par"), "parzen"),
    "sinc": "lanczos",
}
# Symmetric windows of two elements that are both 0.
_ZERO_AT_ENDS = ("hann", "blackman", "bartlett", "barthann", "bohman", "lanczos")
MAX_LENGTH = 2**16
"""Elements of a frame, and bins: a second and a half at 44.1 kHz."""


def as_window(name: str, value: object) -> str | None:
    """Return the usual name of a window, or None for no window."""
    if isinstance(value, str):
        value = _OTHER_NAMES.get(value.lower(), value)
    return _word_or_none(name, value, WINDOWS)


def as_scaling(name: str, value: object) -> str | None:
    """Return the word for a scaling, or None for none."""
    return _word_or_none(name, value, SCALINGS)


def _word_or_none(name: str, value: object, words: tuple[str, ...]) -> str | None:
    word = NONE if value is None else choice(name, value, (*words, NONE))
    return None if word == NONE else word


@dataclass(frozen=True, slots=True)
class STFTSpec(InitializerSpec):
    """The real or imaginary part of a windowed Fourier transform as a convolution's kernel.

    Its shape is (frame length, 1, transform's length / 2 + 1).
    """

    random: ClassVar[bool] = False
    aliases: ClassVar[tuple[str, ...]] = ("STFTInitializer",)

    side: Side = parameter(
        "real", "Which part: cosines, or sines with a minus sign.", SIDES, check=one_of(SIDES)
    )
    window: Window | None = parameter(
        "hann",
        "What a frame is multiplied with; none is no window.",
        (*WINDOWS, NONE),
        check=as_window,
    )
    scaling: Scaling | None = parameter(
        "density",
        "What a windowed kernel is divided by: "
        "the root of the window's sum of squares, or its sum of magnitudes.",
        (*SCALINGS, NONE),
        check=as_scaling,
    )
    periodic: bool = parameter(
        False, "Whether the window is one period of a periodic one.", check=as_flag
    )

    def check_axes(self, shape: tuple[int, ...], axes: FanAxes | None) -> None:
        """Raise unless the shape is such a kernel's."""
        del axes
        if len(shape) != 3 or shape[1] != 1 or shape[2] < 2:
            raise bad_value(
                "shape",
                "[frame length, 1, transform's length / 2 + 1] for STFT, the last at least 2",
                shape,
            )
        if max(shape) > MAX_LENGTH:
            raise over_limit("shape", f"of axes of at most {MAX_LENGTH} for STFT", shape)
        is_zero = shape[0] == 2 and not self.periodic and self.window in _ZERO_AT_ENDS
        if is_zero and self.scaling is not None:
            raise bad_value(
                "shape",
                f"of another frame length for a {self.window} window, which has only zeros",
                shape,
            )
