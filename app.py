"""Start the web page: uv run app.py"""

from pathlib import Path

from colorizer import CheckpointError
from colorizer.web.page import build_page
from colorizer.web.serve import serve
from colorizer.web.server.settings import SettingsError, settings
from colorizer.web.server.startup import start_models
from colorizer.web.server.sweeping import prepare_upload_folder

EXAMPLES = Path(__file__).parent / "examples"


def main() -> None:
    """Serve the page; environment variables configure it, see `Settings`."""
    try:
        prepare_upload_folder()
        models = start_models(settings().checkpoint)
    except (CheckpointError, SettingsError) as error:
        raise SystemExit(f"colorizer: {error}") from None
    serve(build_page(models, sorted(EXAMPLES.glob("*.jpg"))), models)


if __name__ == "__main__":
    main()
