"""ZeroGPU of Hugging Face Spaces: a GPU that is lent for the seconds of a call.

There, the package `spaces` is installed. It lets a model be placed on "cuda" before the page is
served, runs the functions that it has decorated in a forked process that has a GPU, and pickles
what goes in and comes out. Elsewhere it is missing, or does nothing, and so does this module.
"""

import torch

from colorizer import Colorizer

try:
    import spaces  # type: ignore[import-not-found]
except ImportError:
    spaces = None

SECONDS = 10  # for one photo, the weights' way to the GPU included; short requests are served first


def lend_gpu(colorizer: Colorizer) -> torch.device:
    """Let the network of a model run on the lent GPU, if this is a Space with ZeroGPU.

    Args:
        colorizer: loaded in the main thread before the page is served; changed in place. Only the
            lightness at the working size goes in and only the prediction comes out, no full photo;
            a second time for all small faces together.

    Returns:
        Where models run that are loaded later: the processes that have the GPU don't know these.
    """
    predict_all = colorizer.predict_all
    lent = spaces.GPU(duration=SECONDS)(predict_all) if spaces else predict_all
    if lent is predict_all:
        return colorizer.device
    colorizer.predict_all = lent  # type: ignore[method-assign]
    return torch.device("cpu")
