"""The kernel of a short-time Fourier transform as an initializer."""

from seedbed.initializers.base import Initializer
from seedbed.initializers.parameters import Parameter
from seedbed.spec import initializers as specs
from seedbed.spec.initializers import Scaling, Side, Window


class STFT(Initializer):
    """The real or imaginary part of Keras 3's windowed Fourier transform, as a kernel.

    Floating dtypes. Shape (frame length, 1, F / 2 + 1) for a transform of F points: element (t, 0,
    k) is cos(2 pi t k / F), or for the imaginary part -sin(2 pi t k / F), times the window's value
    at t, divided by the scaling.

    Args:
        side: ``real`` or ``imag``.
        window: a name of SciPy's: ``boxcar``, ``hann``, ``hamming``, ``blackman``, ``nuttall``,
            ``blackmanharris``, ``flattop``, ``bartlett``, ``triang``, ``cosine``, ``barthann``,
            ``bohman``, ``parzen`` or ``lanczos``; None for no window, and no scaling either.
        scaling: ``density`` divides by the root of the sum of the window's squares, ``spectrum`` by
            the sum of its magnitudes, None by nothing.
        periodic: whether the window is one period of a periodic one, rather than symmetric.
    """

    side = Parameter[Side]()
    window = Parameter[Window | None]()
    scaling = Parameter[Scaling | None]()
    periodic = Parameter[bool]()

    def __init__(
        self,
        side: Side = "real",
        window: Window | None = "hann",
        scaling: Scaling | None = "density",
        periodic: bool = False,
    ) -> None:
        super().__init__(specs.STFTSpec(side, window, scaling, periodic))
