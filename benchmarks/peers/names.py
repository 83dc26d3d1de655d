"""What contenders call the cells of the sampling benchmark."""

DISTRIBUTIONS = ("uniform", "normal", "truncated normal")
DTYPES = ("float32", "bfloat16", "float16", "float64")
ITEM_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2, "float64": 8}

# The parameters, for libraries that have any: those of a layer. Truncated is at two standard
# deviations.
LIMIT = 1.0
STDDEV = 0.02


def cell(distribution: str, dtype: str) -> str:
    """Return the name of the action that samples a distribution in a dtype."""
    return f"{distribution} {dtype}"
