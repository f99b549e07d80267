"""What is imported when: packages that take long come only where they are needed."""

import subprocess
import sys

import pytest

SLOW = ("gradio", "huggingface_hub", "matplotlib", "ray", "scipy", "timm", "torchvision")
COLORIZE = """
import sys
from colorizer.commands.parser import build_parser
from colorizer import Colorizer, Photo
build_parser()
Colorizer.load(device="cpu").colorize(Photo.open("examples/portrait.jpg").shrunk((64, 64)))
"""


@pytest.mark.slow  # a process of its own that loads the bundled checkpoint
def test_colorizing_with_the_bundled_checkpoint_imports_no_slow_package() -> None:
    code = COLORIZE + f"print([name for name in {SLOW} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
