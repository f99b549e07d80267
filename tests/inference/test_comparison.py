"""The comparison of engines: how far their colors are from the first one's."""

import numpy as np

from colorizer.imaging.arrays import Plane
from colorizer.inference.comparison import Difference, compare
from colorizer.inference.engines import Colors


def test_differences_from_the_first_engine() -> None:
    def exact(lightness: Plane) -> Colors:
        return np.stack([lightness, -lightness]), None

    def wrong(lightness: Plane) -> Colors:
        ab, _ = exact(lightness)
        ab[0, 0, 0] += 8
        return ab, None

    pictures = [np.full((2, 2), level, np.float32) for level in (10, 20)]
    found = compare({"exact": exact, "wrong": wrong}, pictures)
    assert found == {"exact": Difference(0, 0), "wrong": Difference(1, 8)}
