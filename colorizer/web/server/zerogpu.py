"""ZeroGPU of Hugging Face Spaces: a GPU that is lent for the seconds of a call.

There, the package `spaces` is installed. It lets a model be placed on "cuda" before the page is
served, runs the functions that it has decorated in a forked process that has a GPU, and pickles
what goes in and comes out. Elsewhere it is missing, or does nothing, and so does this module.
"""

from dataclasses import replace

from colorizer.inference.engines import Engine

try:
    import spaces  # type: ignore[import-not-found]
except ImportError:
    spaces = None

SECONDS = 10  # for one photo, the weights' way to the GPU included; short requests are served first


def lend_gpu(engine: Engine) -> Engine:
    """The same engine, run on a lent GPU if this is a Space with ZeroGPU.

    Args:
        engine: made in the main thread before the page is served. Only lightness at the working
            size goes in and only predictions come out, never a full photo: once for the photo, and
            once for all of its small faces.
    """
    run = spaces.GPU(duration=SECONDS)(engine.run) if spaces else engine.run
    return engine if run is engine.run else replace(engine, run=run)
