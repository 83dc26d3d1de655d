"""seedbed for PyTorch: torch.nn.init's functions, whole modules, and DTensors.

In a program::

    import seedbed.torch as sbt

    sbt.xavier_uniform_(weight, gain=2.0, seed=1, name="wte")  # as torch.nn.init
    sbt.initialize_(model, seed=1)  # plain, on meta, after fully_shard: the same model
    print(sbt.digest(model))  # the same for every layout
"""

from seedbed.frameworks import require

require("torch", title="PyTorch", extra="torch")

# Only now is it known that PyTorch is there.
from seedbed.torch.deprecated import (  # noqa: E402
    constant,
    dirac,
    eye,
    kaiming_normal,
    kaiming_uniform,
    normal,
    orthogonal,
    sparse,
    uniform,
    xavier_normal,
    xavier_uniform,
)
from seedbed.torch.digests import digest, digests  # noqa: E402
from seedbed.torch.errors import OutOfRangeError, UnsupportedDtypeError  # noqa: E402
from seedbed.torch.initializers import (  # noqa: E402
    calculate_gain,
    constant_,
    dirac_,
    eye_,
    kaiming_normal_,
    kaiming_uniform_,
    normal_,
    ones_,
    orthogonal_,
    sparse_,
    trunc_normal_,
    uniform_,
    xavier_normal_,
    xavier_uniform_,
    zeros_,
)
from seedbed.torch.initializing import initializing  # noqa: E402
from seedbed.torch.initializing.recorded import Recorded  # noqa: E402
from seedbed.torch.model import initialize_, manifest_of  # noqa: E402
from seedbed.torch.report import report  # noqa: E402
from seedbed.torch.rules import BufferRules, ParameterRules  # noqa: E402

__all__ = [
    "BufferRules",
    "OutOfRangeError",
    "ParameterRules",
    "Recorded",
    "UnsupportedDtypeError",
    "calculate_gain",
    "constant",
    "constant_",
    "digest",
    "digests",
    "dirac",
    "dirac_",
    "eye",
    "eye_",
    "initialize_",
    "initializing",
    "kaiming_normal",
    "kaiming_normal_",
    "kaiming_uniform",
    "kaiming_uniform_",
    "manifest_of",
    "normal",
    "normal_",
    "ones_",
    "orthogonal",
    "orthogonal_",
    "report",
    "sparse",
    "sparse_",
    "trunc_normal_",
    "uniform",
    "uniform_",
    "xavier_normal",
    "xavier_normal_",
    "xavier_uniform",
    "xavier_uniform_",
    "zeros_",
]
