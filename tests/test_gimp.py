"""The plug-in in a real GIMP 3, without its window."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.helpers.paths import ROOT

GIMP = shutil.which("gimp-console-3.0") or shutil.which("gimp-console")
SCRIPT = """
import sys
image = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, Gio.File.new_for_path({source!r}))
procedure = Gimp.get_pdb().lookup_procedure("colorizer-colorize")
config = procedure.create_config()
config.set_property("run-mode", Gimp.RunMode.NONINTERACTIVE)
config.set_property("image", image)
config.set_property("strength", {strength})
result = procedure.run(config)
print("status", result.index(0).value_nick, [layer.get_name() for layer in image.get_layers()])
target = Gio.File.new_for_path({target!r})
Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, image, target, None)
"""
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(GIMP is None, reason="GIMP 3 is not installed (Debian 13: gimp)"),
]


def run_in_gimp(folder: Path, strength: float, command: str) -> tuple[str, Path]:
    """Run the plug-in on a gray photo; returns what the script prints and the saved picture."""
    source, target = folder / "gray.png", folder / "saved.png"
    Image.open(ROOT / "examples" / "portrait.jpg").convert("L").save(source)
    script = SCRIPT.format(source=str(source), target=str(target), strength=strength)
    settings = folder / "config"
    settings.mkdir()
    plug_ins = f"{ROOT / 'deploy' / 'gimp'}:${{gimp_plug_in_dir}}/plug-ins"
    (settings / "gimprc").write_text(f'(plug-in-path "{plug_ins}")\n')
    done = subprocess.run(
        [str(GIMP), "-i", "--quit", "--batch-interpreter", "python-fu-eval", "-b", script],
        env=os.environ | {"GIMP3_DIRECTORY": str(settings), "COLORIZER_COMMAND": command},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return done.stdout + done.stderr, target


def test_a_gray_photo_gets_a_colorized_layer(tmp_path: Path) -> None:
    command = f"{sys.executable} -m colorizer"
    output, target = run_in_gimp(tmp_path, 1, command)
    assert "status success ['Colorized', " in output, output
    colored = np.asarray(Image.open(target).convert("RGB"), float)
    assert np.ptp(colored, axis=-1).mean() > 10


def test_without_the_command_the_error_says_what_to_do(tmp_path: Path) -> None:
    output, target = run_in_gimp(tmp_path, 1, str(tmp_path / "nowhere"))
    assert "status execution-error" in output, output
    assert "nowhere can't be started" in output
    assert np.ptp(np.asarray(Image.open(target).convert("RGB"), float), axis=-1).max() == 0
