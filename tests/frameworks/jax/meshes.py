"""The meshes of eight devices that tests lay arrays out on."""

import math
from typing import Any

import jax
import numpy as np
from jax.sharding import AxisType, Mesh

MESHES = [(1, 1), (2, 2), (4, 2), (8, 1)]


def mesh_of(shape: tuple[int, int], kind: Any = AxisType.Auto) -> Mesh:
    """Return a mesh with the axes x and y over the first devices."""
    devices = np.array(jax.devices()[: math.prod(shape)]).reshape(shape)
    return Mesh(devices, ("x", "y"), axis_types=(kind, kind))
