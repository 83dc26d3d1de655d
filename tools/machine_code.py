"""The machine code of the GPU's kernels, read back: instructions, registers, occupancy."""

import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cuda import pathfinder

from seedbed_server.backends.cuda import THREADS_PER_BLOCK

# Of compute capability 8.0, 9.0 and 10.0 alike: "Technical Specifications per Compute Capability"
# in the CUDA programming guide.
WARP_THREADS = 32
WARPS_OF_MULTIPROCESSOR = 64
REGISTERS_OF_MULTIPROCESSOR = 65536
# A warp gets registers in units of this many for each of its threads.
REGISTER_UNIT = 8

FUNCTION = re.compile(r"\.section\s+\.text\.(\w+)")
INSTRUCTION = re.compile(r"/\*[0-9a-f]{4,}\*/\s+(?:@!?U?P\w+\s+)?([A-Z][\w.]*)\s*(.*?)\s*;")
USAGE = re.compile(r"Function (\w+):\s+REG:(\d+) STACK:(\d+) SHARED:(\d+) LOCAL:(\d+)")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction, without its predicate."""

    operation: str
    """With its modifiers: ``MUFU.RSQ``."""
    operands: str


@dataclass(frozen=True, slots=True)
class Usage:
    """What a function takes of a multiprocessor."""

    registers: int
    """For a thread."""
    spilled_bytes: int
    """Of a thread's stack and local memory."""
    shared_bytes: int

    @property
    def occupancy(self) -> float:
        """The share of the multiprocessor's warps that have registers, in whole blocks."""
        units = -(-self.registers // REGISTER_UNIT)
        warps = REGISTERS_OF_MULTIPROCESSOR // (units * REGISTER_UNIT * WARP_THREADS)
        of_block = THREADS_PER_BLOCK // WARP_THREADS
        return min(warps // of_block * of_block, WARPS_OF_MULTIPROCESSOR) / WARPS_OF_MULTIPROCESSOR


def instructions_of(cubin: bytes) -> dict[str, list[Instruction]]:
    """Return the instructions of each function, subroutines of the compiler's included."""
    _, *parts = FUNCTION.split(_output_of("nvdisasm", "--print-code", cubin=cubin))
    return {
        name: [Instruction(*found) for found in INSTRUCTION.findall(text)]
        for name, text in zip(parts[::2], parts[1::2], strict=True)
    }


def usage_of(cubin: bytes) -> dict[str, Usage]:
    """Return what each function takes."""
    text = _output_of("cuobjdump", "--dump-resource-usage", cubin=cubin)
    return {
        name: Usage(int(registers), int(stack) + int(local), int(shared))
        for name, registers, stack, shared, local in USAGE.findall(text)
    }


def _output_of(program: str, option: str, *, cubin: bytes) -> str:
    path = pathfinder.find_nvidia_binary_utility(program)
    if path is None:
        raise FileNotFoundError(f"{program} is missing: `make venv` installs it")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "kernels.cubin"
        file.write_bytes(cubin)
        done = subprocess.run([path, option, file], check=True, capture_output=True, text=True)
    return done.stdout
