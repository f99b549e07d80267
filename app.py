"""The web page, `uv run app.py`: a photo in; grayscale, colorized and post-processed out."""

from pathlib import Path

from colorizer import CheckpointError
from colorizer.web.page import build_page
from colorizer.web.server import serve
from colorizer.web.settings import SettingsError, settings
from colorizer.web.startup import start_models

EXAMPLES = Path(__file__).parent / "examples"


def main() -> None:
    """Serve the page as the environment says: `colorizer.web.settings` lists its variables."""
    try:
        models = start_models(settings().checkpoint)
    except (CheckpointError, SettingsError) as error:
        raise SystemExit(f"colorizer: {error}") from None
    serve(build_page(models, sorted(EXAMPLES.glob("*.jpg"))), models)


if __name__ == "__main__":
    main()
