"""What the machine that runs this is, and which packages it has, as JSON. Needs nothing else."""

import ctypes
import json
import platform
from importlib import metadata

# From Linux: include/uapi/linux/auxvec.h, prctl.h, and asm/hwcap.h of arm64.
AT_HWCAP, AT_HWCAP2, PR_SVE_GET_VL = 16, 26, 51
SVE_LENGTH_MASK = 0xFFFF
HWCAP = {"asimd": 1 << 1, "sve": 1 << 22}
HWCAP2 = {"sve2": 1 << 1}
PACKAGES = ("numba", "llvmlite", "numpy", "grpcio", "protobuf")


def features() -> list[str]:
    """Return the vector instructions that Linux says this aarch64 processor has."""
    libc = ctypes.CDLL(None)
    libc.getauxval.restype = ctypes.c_ulong
    first, second = libc.getauxval(AT_HWCAP), libc.getauxval(AT_HWCAP2)
    found = [name for name, bit in HWCAP.items() if first & bit]
    found += [name for name, bit in HWCAP2.items() if second & bit]
    if "sve" in found:
        found.append(f"{8 * (libc.prctl(PR_SVE_GET_VL) & SVE_LENGTH_MASK)}-bit vectors")
    return found


if __name__ == "__main__":
    print(
        json.dumps(
            {
                "machine": platform.machine(),
                "features": features(),
                "versions": {"python": platform.python_version()}
                | {name: metadata.version(name) for name in PACKAGES},
            }
        )
    )
