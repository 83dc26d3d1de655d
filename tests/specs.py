"""One spec of each initializer with a shape it can fill, for tests that all share."""

from seedbed.spec.initializers import InitializerSpec, SparseSpec

# Not every initializer fills a matrix of any shape.
_SHAPES = {"DeltaOrthogonal": (3, 4, 5), "Dirac": (3, 4, 5), "STFT": (6, 1, 5)}


def example(kind: type[InitializerSpec]) -> InitializerSpec:
    """Return a spec with the defaults, where every parameter has one."""
    return SparseSpec(0.25) if kind is SparseSpec else kind()


def shape_for(kind: type[InitializerSpec]) -> tuple[int, ...]:
    """Return a shape that the initializer can fill."""
    return _SHAPES.get(kind.name(), (2, 3))
