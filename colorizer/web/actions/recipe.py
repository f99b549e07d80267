"""Recipes: a visitor's work as a file; each public method is an event of the page."""

from dataclasses import replace

import gradio as gr

from colorizer.photo.photo import pixel_hash
from colorizer.recipe import Recipe
from colorizer.web.actions import photo_state
from colorizer.web.actions.photo import model_of
from colorizer.web.actions.photo_state import PhotoState
from colorizer.web.actions.previews import pictures, require_state
from colorizer.web.server.errors import LOG, explain_errors, problem, warn
from colorizer.web.server.files import Upload, result_folder, uploaded_path
from colorizer.web.server.models import Models
from colorizer.web.server.uploads import reopen_upload

MAX_BYTES = 3_000_000  # of a recipe: thousands of hints and the copy of another picture


class RecipeActions:
    """Saving a recipe and loading it.

    Args:
        models: the checkpoints that visitors may use.
    """

    def __init__(self, models: Models) -> None:
        self.models = models

    @explain_errors
    def save_recipe(
        self, state: PhotoState | None, alternative: int, request: gr.Request, **settings: float
    ) -> str:
        """Save everything that made the result as a recipe.

        Args:
            state: the visitor's state.
            alternative: index of the chosen one.
            request: the visitor's.
            **settings: of the post-processing.

        Returns:
            A JSON file, which `colorizer.recipe.Recipe` reads, too.
        """
        state = require_state(state, request)
        photo = reopen_upload(state.upload, request)
        recipe = Recipe.of(
            model_of(self.models, state.model, request),
            photo,
            state.upload.name,
            state.edit_with(alternative, settings),
        )
        if not state.model:  # its source may be a folder of the server
            recipe = replace(recipe, checkpoint=self.models.describe("").source)
        target = result_folder() / f"{state.upload.stem}_recipe.json"
        target.write_text(recipe.to_json(), "utf-8")
        return str(target)

    @explain_errors
    def load_recipe(
        self, state: PhotoState | None, recipe: Upload, request: gr.Request
    ) -> tuple[PhotoState | int | float | str, ...]:
        """Apply a recipe to the current photo.

        Args:
            state: the visitor's state.
            recipe: a file that `save_recipe` wrote.
            request: the visitor's.

        Returns:
            The grayscale, the colorized and the post-processed picture, and the settings.
        """
        state = require_state(state, request)
        path = uploaded_path(recipe, request)
        colorizer = model_of(self.models, state.model, request)
        try:
            with path.open(encoding="utf-8") as file:
                wanted = Recipe.from_json(file.read(MAX_BYTES))
        except ValueError as error:  # neither a recipe nor text
            raise refused(error, request) from error
        if colorizer.checkpoint.sha256 != wanted.checkpoint_sha256:
            raise problem("photo.other_model", request, name=wanted.checkpoint)
        photo = reopen_upload(state.upload, request)
        try:
            made = photo_state.colorize(colorizer, photo, wanted.edit, state.upload, state.model)
        except ValueError as error:  # a hint outside the photo
            raise refused(error, request) from error
        sources = photo_state.remembered(state.sources, wanted.edit.color_source)
        state = replace(made, sources=sources)
        if wanted.edit.alternative >= len(state.alternatives):
            raise problem("photo.bad_recipe", request)
        if pixel_hash(photo) != wanted.photo_sha256:
            warn("photo.other_photo", request, name=wanted.photo)
        settings, alternative = vars(wanted.edit.adjustments), wanted.edit.alternative
        return state, alternative, *pictures(state, alternative, settings), *settings.values()


def refused(error: ValueError, request: gr.Request) -> gr.Error:
    """The sentence about a recipe that can't be used; the log gets the reason."""
    LOG.info("%s", error)
    return problem("photo.bad_recipe", request)
