"""The modules of the SDK that can be imported here: those of missing frameworks cannot."""

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType

import seedbed as sb


def sdk_modules() -> Iterator[ModuleType]:
    """Yield every module of the SDK that people wrote, but for those of missing frameworks."""
    yield sb
    for info in pkgutil.walk_packages(sb.__path__, "seedbed."):
        if info.name.startswith("seedbed.v1"):
            continue
        try:
            module = importlib.import_module(info.name)
        except sb.FrameworkNotInstalledError:
            continue  # tests/frameworks looks at it
        yield module
