"""A program as a rank of torchrun, which ends when the program has ended.

The threads of PyTorch's Gloo give a collective's tensors back when they come to it. If that is
while the interpreter ends, they abort the process
(https://github.com/pytorch/pytorch/issues/190489).
"""

import os
import runpy
import sys

if __name__ == "__main__":
    del sys.argv[0]
    runpy.run_path(sys.argv[0], run_name="__main__")
    sys.stdout.flush()
    os._exit(0)
