"""Recipes: a visitor's work as a file, to be taken up again; each public method is an event of the
page.
"""

from dataclasses import replace

import gradio as gr

from colorizer import Adjustments, Colorizer, PhotoError
from colorizer.errors import RecipeError
from colorizer.recipe import Recipe, pixel_hash
from colorizer.web.actions import photo_state
from colorizer.web.actions.photo import model_of
from colorizer.web.actions.photo_state import Shown
from colorizer.web.actions.previews import pictures, require_state
from colorizer.web.server.errors import LOG, explain_errors, problem, warn
from colorizer.web.server.files import Upload, result_folder, uploaded_path
from colorizer.web.server.models import Models
from colorizer.web.server.uploads import open_upload

LARGEST = 1_000_000  # bytes: thousands of hints


class RecipeActions:
    """Saving a recipe and loading it.

    Args:
        models: the checkpoints that visitors may use.
    """

    def __init__(self, models: Models) -> None:
        self.models = models

    @explain_errors
    def save_recipe(
        self, shown: Shown | None, version: int, request: gr.Request, **settings: float
    ) -> str:
        """Write down everything that made the result, to make it again.

        Args:
            shown: the visitor's state.
            version: the chosen one.
            request: the visitor's.
            **settings: of the post-processing.

        Returns:
            A JSON file, which `colorizer.recipe.Recipe` reads, too.
        """
        shown = require_state(shown, request)
        try:
            photo = open_upload(shown.upload)
        except PhotoError as error:
            raise problem("page.gone", request) from error
        recipe = Recipe.of(
            model_of(self.models, shown.model, request),
            photo,
            shown.upload.name,
            hints=shown.hints,
            working_size=shown.working_size,
            alternative=version,
            adjustments=Adjustments(**settings),
            framing=shown.framing,
        )
        if not shown.model:  # its source may be a folder of the server
            recipe = replace(recipe, checkpoint=self.models.describe("").source)
        target = result_folder() / f"{shown.upload.stem}_recipe.json"
        target.write_text(recipe.to_json(), "utf-8")
        return str(target)

    @explain_errors
    def load_recipe(
        self, shown: Shown | None, recipe: Upload, request: gr.Request
    ) -> tuple[Shown | int | float | str, ...]:
        """Make a result again of the photo at hand.

        Args:
            shown: the visitor's state.
            recipe: a file that `save_recipe` wrote.
            request: the visitor's.

        Returns:
            The grayscale, the colorized and the post-processed picture, and the settings.
        """
        shown = require_state(shown, request)
        path = uploaded_path(recipe, request)
        colorizer = model_of(self.models, shown.model, request)
        try:
            with path.open(encoding="utf-8") as file:
                wanted = Recipe.from_json(file.read(LARGEST))
            other_model = colorizer.checkpoint.sha256 != wanted.checkpoint_sha256
            remade = None if other_model else remake(shown, colorizer, wanted)
        except PhotoError as error:
            raise problem("page.gone", request) from error
        except ValueError as error:  # no recipe, no text, or a hint outside the photo
            LOG.info("%s", error)
            raise problem("photo.bad_recipe", request) from error
        if remade is None:
            raise problem("photo.other_model", request, name=wanted.checkpoint)
        if pixel_hash(open_upload(remade.upload)) != wanted.photo_sha256:
            warn("photo.other_photo", request, name=wanted.photo)
        settings = vars(wanted.adjustments)
        shown_now = pictures(remade, wanted.alternative, settings)
        return remade, wanted.alternative, *shown_now, *settings.values()


def remake(shown: Shown, colorizer: Colorizer, recipe: Recipe) -> Shown:
    """What a recipe makes of the photo at hand.

    Raises:
        PhotoError: the photo is gone.
        ValueError: a hint lies outside the photo, or it has fewer versions.
    """
    remade = photo_state.colorize(
        colorizer, shown.upload, shown.model, recipe.framing, recipe.hints, recipe.working_size
    )
    if recipe.alternative >= len(remade.versions):
        raise RecipeError(f"The photo has no version {recipe.alternative}.")
    return remade
