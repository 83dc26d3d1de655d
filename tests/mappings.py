"""The file that an array is mapped from."""

from pathlib import Path
from typing import Any

from numpy.typing import NDArray


def mapping_of(array: NDArray[Any]) -> tuple[int, str]:
    """Return inode and path of the file that an array is mapped from; 0 and "" without one."""
    address = array.__array_interface__["data"][0]
    for line in Path("/proc/self/maps").read_text().splitlines():
        addresses, _, _, _, inode, *path = line.split(maxsplit=5)
        first, last = (int(part, 16) for part in addresses.split("-"))
        if first <= address < last:
            return int(inode), path[0] if path else ""
    return 0, ""
