"""Types of arrays."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
Pixels = NDArray[Any]  # uint8 or uint16
