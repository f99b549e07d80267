"""The web page, `uv run app.py`: a photo in; grayscale, colorized and post-processed out."""

import os
from pathlib import Path

from colorizer import CheckpointError
from colorizer.web.page import build_page, serve
from colorizer.web.startup import start_models

EXAMPLES = Path(__file__).parent / "examples"


def main() -> None:
    """Serve the page on the checkpoint that COLORIZER_CHECKPOINT names, else on the bundled one."""
    try:
        models = start_models(os.environ.get("COLORIZER_CHECKPOINT"))
    except CheckpointError as error:
        raise SystemExit(f"colorizer: {error}") from None
    serve(build_page(models, sorted(EXAMPLES.glob("*.jpg"))))


if __name__ == "__main__":
    main()
