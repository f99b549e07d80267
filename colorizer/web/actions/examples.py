"""Photos to try, and one of them before and after, for visitors without a photo.

Each public method of `ExampleActions` is an event of the page.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from threading import Lock

import gradio as gr

from colorizer import Adjustments, Photo
from colorizer.web.actions.batch_zip import before_and_after
from colorizer.web.server.files import picture, result_folder
from colorizer.web.server.models import Models
from colorizer.web.texts import say

SHOWN = "workers"  # name of the example before and after; the first one if it is absent


class ExampleActions:
    """What the examples do.

    Args:
        models: the checkpoints; the default one makes the picture before and after.
        photos: paths of the examples.
    """

    def __init__(self, models: Models, photos: Sequence[Path]) -> None:
        self.models = models
        self.photos = list(photos)
        self._pair = ""  # path of the picture, which is deleted like every other
        self._lock = Lock()

    def names(self, request: gr.Request) -> list[tuple[str, str]]:
        """The examples, with what can be seen on them in the visitor's language."""
        return [(str(path), say(f"photo.example.{path.stem}", request)) for path in self.photos]

    def choose(self, event: gr.SelectData) -> str:
        """A copy of the chosen example among the uploads."""
        return str(shutil.copy(self.photos[int(event.index)], result_folder()))

    def before_and_after(self, request: gr.Request) -> list[tuple[str, str]]:
        """One example before and after, made once by the default model, with a caption."""
        if not self.photos:
            return []
        with self._lock:
            if not Path(self._pair).is_file():
                result = self.models.get("").colorize(Photo.open(self._shown))
                self._pair = picture(before_and_after(result, Adjustments()), self._shown.stem)
        name = say(f"photo.example.{self._shown.stem}", request)
        return [(self._pair, say("photo.before_after", request, name=name))]

    def choose_shown(self) -> str:
        """A copy of that example among the uploads."""
        return str(shutil.copy(self._shown, result_folder()))

    @property
    def _shown(self) -> Path:
        return next((path for path in self.photos if path.stem == SHOWN), self.photos[0])
