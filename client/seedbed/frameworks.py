"""Whether a framework is there: what a module of seedbed for one asks before it imports the framework."""

from importlib.util import find_spec

from seedbed.errors import FrameworkNotInstalledError


def require(*modules: str, title: str, extra: str) -> None:
    """Return if all of a framework's modules can be imported.

    Args:
        modules: the top-level modules.
        title: the framework's name.
        extra: which of seedbed's extras brings it.

    Raises:
        FrameworkNotInstalledError: one line, which names the extra.
    """
    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        message = f"{title} is not installed ({', '.join(missing)}): pip install 'seedbed[{extra}]'"
        raise FrameworkNotInstalledError(message)
