#!/usr/bin/env python3
"""GIMP 3 plug-in: Colors > Colorize Photo adds a colorized layer.

It saves the picture as it looks, runs `colorizer colorize` on it, and adds the result as a new
layer on top, so the original stays. COLORIZER_COMMAND names the command if it is not on the PATH.
"""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("GimpUi", "3.0")
from gi.repository import Gimp, GimpUi, Gio, GLib, GObject  # noqa: E402

PROCEDURE = "colorizer-colorize"
COMMAND = "COLORIZER_COMMAND"


class ColorizeError(Exception):
    """The photo can't be colorized; the message says what to do."""


def command() -> list[str]:
    """The command that starts colorizer.

    Raises:
        ColorizeError: it is not installed.
    """
    if chosen := os.environ.get(COMMAND):
        return shlex.split(chosen)
    if found := shutil.which("colorizer"):
        return [found]
    raise ColorizeError(
        "The command colorizer was not found. Install it with pipx, or set COLORIZER_COMMAND to "
        "the command that starts it."
    )


def colorize_file(source: Path, folder: Path, strength: float) -> Path:
    """Colorize a file into a folder and return the result.

    Args:
        source: a PNG file.
        folder: where the result goes.
        strength: of the colors, 0 (gray) to 1.

    Raises:
        ColorizeError: it failed.
    """
    call = [*command(), "colorize", str(source), "-o", str(folder), "--format", "png"]
    try:
        done = subprocess.run(
            [*call, "--adjust", f"strength={strength:g}"], capture_output=True, text=True
        )
    except OSError as error:
        raise ColorizeError(f"{call[0]} can't be started: {error}.") from error
    results = sorted(folder.glob("*.png"))
    if done.returncode or not results:
        raise ColorizeError(done.stderr.strip() or f"{call[0]} wrote no result.")
    return results[0]


def add_colorized_layer(image: Gimp.Image, strength: float) -> None:
    """Add the colorized picture as a layer on top, in one step of the undo history.

    Args:
        image: a gray one becomes RGB.
        strength: of the colors, 0 (gray) to 1.

    Raises:
        ColorizeError: it failed; the image is unchanged.
    """
    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "photo.png"
        flat = image.duplicate()
        flat.flatten()
        Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, flat, file_of(source), None)
        flat.delete()
        colored = Gimp.file_load(
            Gimp.RunMode.NONINTERACTIVE,
            file_of(colorize_file(source, Path(name) / "out", strength)),
        )
    profile = image.get_effective_color_profile()
    image.undo_group_start()
    if image.get_base_type() == Gimp.ImageBaseType.GRAY:
        image.convert_rgb()
    elif profile is not None:
        colored.convert_color_profile(
            profile, Gimp.ColorRenderingIntent.RELATIVE_COLORIMETRIC, True
        )
    layer = Gimp.Layer.new_from_drawable(colored.get_layers()[0], image)
    layer.set_name("Colorized")
    image.insert_layer(layer, None, 0)
    image.undo_group_end()
    colored.delete()


def file_of(path: Path) -> Gio.File:
    """A path as GIMP takes it."""
    return Gio.File.new_for_path(str(path))


class Colorizer(Gimp.PlugIn):
    """The plug-in, as GIMP asks for it."""

    def do_set_i18n(self, name: str) -> bool:
        """There are no translations."""
        return False

    def do_query_procedures(self) -> list[str]:
        """The names of the procedures."""
        return [PROCEDURE]

    def do_create_procedure(self, name: str) -> Gimp.Procedure:
        """The procedure with its place in the menu and its argument."""
        procedure = Gimp.ImageProcedure.new(self, name, Gimp.PDBProcType.PLUGIN, self.run, None)
        procedure.set_image_types("*")
        procedure.set_sensitivity_mask(Gimp.ProcedureSensitivityMask.ALWAYS)
        procedure.set_menu_label("Colorize _Photo...")
        procedure.add_menu_path("<Image>/Colors")
        procedure.set_documentation(
            "Colorize a black-and-white photo", "Adds a layer with the colorized photo.", name
        )
        procedure.add_double_argument(
            "strength", "_Strength", "Strength of the colors", 0, 1, 1, GObject.ParamFlags.READWRITE
        )
        return procedure

    def run(
        self,
        procedure: Gimp.Procedure,
        mode: Gimp.RunMode,
        image: Gimp.Image,
        drawables: list[Gimp.Drawable],
        config: Gimp.ProcedureConfig,
        data: object,
    ) -> Gimp.ValueArray:
        """Ask for the strength, then colorize."""
        if mode == Gimp.RunMode.INTERACTIVE:
            GimpUi.init(PROCEDURE)
            dialog = GimpUi.ProcedureDialog.new(procedure, config, "Colorize Photo")
            dialog.fill(None)
            chosen = dialog.run()
            dialog.destroy()
            if not chosen:
                return procedure.new_return_values(Gimp.PDBStatusType.CANCEL, GLib.Error())
        try:
            add_colorized_layer(image, config.get_property("strength"))
        except ColorizeError as error:
            return procedure.new_return_values(
                Gimp.PDBStatusType.EXECUTION_ERROR, GLib.Error(str(error))
            )
        Gimp.displays_flush()
        return procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, GLib.Error())


Gimp.main(Colorizer.__gtype__, sys.argv)
