"""Prints what is in the image, as JSON; run by the image's own Python, in the image.

check_image.py says what is to be expected. It knows nothing but the standard library and seedbed.
"""

import importlib
import importlib.util
import json
import os
import pkgutil
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import seedbed
import seedbed_server

# pip can come from any of them; compilers are called by others' build scripts.
TOOLS = ("pip", "pip3", "gcc", "cc", "c++", "g++", "clang", "ld", "as", "make", "cmake", "rustc")
INSTALLERS = ("pip", "setuptools", "wheel", "ensurepip", "pkg_resources")
# They need what the image has not: a framework, or a GPU's libraries.
OF_EXTRAS = ("seedbed.jax", "seedbed.keras", "seedbed.mlx", "seedbed.torch", "seedbed.compat")
OF_GPUS = ("seedbed_server.backends.cuda", "seedbed_server.backends.cuda_kernels")
# What is written there is gone with the container.
SCRATCH = ("/dev", "/proc", "/run", "/sys", "/tmp", "/var/tmp")


def main() -> None:
    """Print everything."""
    site_packages = Path(seedbed.__file__).parents[1]
    imported = import_all()
    document = {
        "user": os.getuid(),
        "capabilities": capabilities(),
        "writable": list(writable()),
        "tools": [name for name in TOOLS if shutil.which(name)],
        "installers": [name for name in INSTALLERS if importlib.util.find_spec(name)],
        "imported": len(imported),
        "uncompiled": [name for name in imported if not is_compiled(name)],
        "sizes": sizes(site_packages),
        "added": sum(size(Path(path)) for path in ("/opt", "/usr/share/doc/seedbed")),
        "sbom": Path("/usr/share/doc/seedbed/sbom.cdx.json").read_text(),
    }
    json.dump(document, sys.stdout)


def import_all() -> list[str]:
    """Import every module of ours that the image can use, and return the names of all there are."""
    for package in (seedbed, seedbed_server):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.startswith(OF_EXTRAS) and module.name not in OF_GPUS:
                importlib.import_module(module.name)
    return sorted(sys.modules)


def is_compiled(name: str) -> bool:
    """Return whether the module's bytecode is there, if it lies in the environment at all."""
    spec = getattr(sys.modules[name], "__spec__", None)
    if spec is None or not (spec.origin or "").startswith(f"{sys.prefix}/"):
        return True
    return spec.cached is None or Path(spec.cached).exists()


def capabilities() -> str:
    """Return the effective capabilities of this process, in hexadecimal."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith("CapEff:"))


def writable() -> Iterator[str]:
    """Yield the folders and files that this user could change, but for those of no consequence."""
    for name, folders, files in os.walk("/"):
        here = Path(name)
        folders[:] = [each for each in folders if str(here / each) not in SCRATCH]
        for path in (here, *(here / each for each in files)):
            if not path.is_symlink() and os.access(path, os.W_OK):
                yield str(path)


def sizes(site_packages: Path) -> dict[str, int]:
    """Return the bytes of each package."""
    total: Counter[str] = Counter()
    for path in site_packages.iterdir():
        total[path.name.partition("-")[0].partition(".")[0]] += size(path)
    return dict(total.most_common())


def size(path: Path) -> int:
    """Return the bytes of a file or of all files in a folder."""
    files = [path] if path.is_file() else path.rglob("*")
    return sum(each.lstat().st_size for each in files if not each.is_dir() or each.is_symlink())


if __name__ == "__main__":
    main()
