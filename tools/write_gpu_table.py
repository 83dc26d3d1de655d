"""Write the table of kernels in docs/gpu.md: python -m tools.write_gpu_table.

It comes from the machine code that the cache keeps; a test compares the two.
"""

import re
import sys
from pathlib import Path

from seedbed_server.backends.cuda_kernels import Capability, entry_name, kept_machine_code
from seedbed_server.kernels.blocks import BLOCK_KERNELS
from tools.machine_code import Usage, usage_of

CAPABILITIES: list[Capability] = [(8, 0), (9, 0), (10, 0)]
"""Those that the GPU image carries machine code for."""

PAGE = Path(__file__).resolve().parent.parent / "docs" / "gpu.md"
# The table is all of the lines in cells from its heading on.
TABLE = re.compile(r"^\| kernel \|.*\n(\|.*\n)+", re.MULTILINE)


def table() -> str:
    """Return the table: a row for each kernel, a cell for each compute capability."""
    usages = [usage_of(kept_machine_code(capability)) for capability in CAPABILITIES]
    names = [entry_name(kernel) for kernel in BLOCK_KERNELS.values()]
    rows = [
        ["kernel", *(f"{major}.{minor}" for major, minor in CAPABILITIES)],
        ["---"] * (1 + len(CAPABILITIES)),
        *([f"`{name}`", *(_cell(usage[name]) for usage in usages)] for name in names),
    ]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def with_table(page: str) -> str:
    """Return the page with its table replaced by what the machine code gives.

    Raises:
        ValueError: if the page has no table of kernels.
    """
    replaced, count = TABLE.subn(lambda _: table(), page)
    if count != 1:
        raise ValueError(f"{PAGE.name} has no table of kernels")
    return replaced


def _cell(usage: Usage) -> str:
    return f"{usage.registers}, {usage.spilled_bytes}, {usage.occupancy:.0%}"


def main() -> int:
    """Rewrite the page and return the exit status."""
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
