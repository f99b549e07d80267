"""Every error of the library.

All derive from `ColorizerError`, and each message is a sentence that says what to do. All but
`ClusterError` are a `ValueError`, too.
"""

from colorizer.file_names import printable


class ColorizerError(Exception):
    """Whatever colorizer raises on purpose; also `train`'s errors and the page's settings.

    Control characters of the message, as from a file's name, are escaped.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(printable(message))


class PhotoError(ColorizerError, ValueError):
    """A photo can't be opened or saved.

    Raised by `Photo.open`, `Photo.save` and by everything that opens or saves photos.
    """


class PhotoCostError(PhotoError):
    """Opening a photo takes more time or memory than a server allows."""


class CheckpointError(ColorizerError, ValueError):
    """A checkpoint can't be used.

    Raised by `Colorizer.load` and all functions of `colorizer.checkpoints`.

    Attributes:
        reason: one word for callers that show their own text: "name" (neither a folder nor a Hub
            name), "absent", "revision" (absent), "gated", "denied" (by the Hub, to this login),
            "unreachable", "busy" (the Hub), "download" (broke off), "foreign" (not a colorizer
            checkpoint), "pickle" (no safetensors), "newer" (than this version) or "broken".
    """

    def __init__(self, sentence: str, reason: str = "broken") -> None:
        super().__init__(sentence)
        self.reason = reason


class RecipeError(ColorizerError, ValueError):
    """A recipe can't be read or applied.

    Raised by `Recipe`, `Recipe.from_json`, `Recipe.colorize` and `Recipe.apply`.
    """


class ColorSourceError(ColorizerError, ValueError):
    """Another picture's colors can't be used.

    Raised by `ColorSource`, `ColorSource.of`, `render` and everything that colorizes with one.

    Attributes:
        reason: one word for callers that show their own text: "unreadable" (the picture's file),
            "size" (too small), "gray" (without color), "other" (another photo), "several" (have the
            photo's name), "broken" (the copy in a recipe), "checkpoint" (which can't compare
            photos) or "range".
    """

    def __init__(self, sentence: str, reason: str) -> None:
        super().__init__(sentence)
        self.reason = reason


class EngineError(ColorizerError, ValueError):
    """An exported file can't be run. Raised by `Colorizer.load`."""


class ExportError(ColorizerError, ValueError):
    """A checkpoint can't be exported. Raised by `colorizer.inference.export.export_onnx`."""


class ReportError(ColorizerError, ValueError):
    """A report of a batch can't be read or written. Raised by `colorizer.batch.report`."""


class ClusterError(ColorizerError, RuntimeError):
    """A Ray cluster can't be used. Raised by `colorizer.batch.ray_runner`."""
