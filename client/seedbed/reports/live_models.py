"""Which function draws a framework's model."""

# By the top module of a class. Keras's layers may be PyTorch's as well: their own come first.
FUNCTIONS = {
    "equinox": "seedbed.jax.report",
    "flax": "seedbed.jax.report",
    "jax": "seedbed.jax.report",
    "jaxlib": "seedbed.jax.report",
    "keras": "seedbed.keras.report",
    "mlx": "seedbed.mlx.report",
    "tf_keras": "seedbed.keras.report",
    "torch": "seedbed.torch.report",
}


def function_for(value: object) -> str:
    """Return the name of the function that a framework's model is for; empty for others.

    Example:
        >>> function_for(1)
        ''
    """
    for base in type(value).__mro__:
        top = base.__module__.partition(".")[0]
        if top in FUNCTIONS:
            return FUNCTIONS[top]
    return ""


def hint_for(value: object) -> str:
    """Return what an error adds to say so."""
    name = function_for(value)
    return f"; {name} draws a live model" if name else ""
