"""Keep messages of decoders off the standard error stream.

The loader says in its own sentences what a person should know about a file.
"""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import cv2

PILLOW_MODULES = r"PIL\."
LOGGERS = ("PIL", "imagecodecs", "tifffile")
_LEVEL = Lock()  # guards OpenCV's level, which belongs to the whole process


def silence_decoders() -> None:
    """Ignore Pillow's warnings; print nothing that decoders log.

    Handlers of an application's own logging still get the messages.
    """
    modules = [getattr(known[3], "pattern", known[3]) for known in warnings.filters]
    if PILLOW_MODULES not in modules:
        warnings.filterwarnings("ignore", module=PILLOW_MODULES)
    for name in LOGGERS:
        logger = logging.getLogger(name)
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())


@contextmanager
def silent_opencv() -> Iterator[None]:
    """Let OpenCV write nothing within the `with` statement."""
    with _LEVEL:
        level = cv2.utils.logging.getLogLevel()
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        try:
            yield
        finally:
            cv2.utils.logging.setLogLevel(level)
