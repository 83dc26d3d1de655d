"""The check that a framework is there, before a package for it imports it."""

from importlib import import_module
from importlib.util import find_spec

from seedbed.errors import FrameworkNotInstalledError


def require(*modules: str, title: str, extra: str, also: str = "") -> None:
    """Return if all of a framework's modules can be imported; they are then.

    Args:
        modules: the modules, the top-level one first.
        title: the framework's name.
        extra: which of seedbed's extras brings it.
        also: what it needs besides, in words.

    Raises:
        FrameworkNotInstalledError: one line, which names the extra.
    """
    remedy = f"pip install 'seedbed[{extra}]'" + (f", and {also}" if also else "")
    top = modules[0].partition(".")[0]
    if find_spec(top) is None:
        raise FrameworkNotInstalledError(f"{title} is not installed ({top}): {remedy}")
    for module in modules:
        try:
            import_module(module)
        except ImportError as error:
            what = str(error).splitlines()[0]
            raise FrameworkNotInstalledError(
                f"{title} cannot be imported ({what}): {remedy}"
            ) from None
