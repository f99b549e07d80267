"""`colorizer serve`: the page, in any browser that reaches this computer."""

import argparse
import os
from pathlib import Path

from colorizer.bundled import bundled_folder
from colorizer.errors import CheckpointError


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its options."""
    command = commands.add_parser(
        "serve",
        help="start the web page",
        epilog="Environment variables set everything else, for example users and limits.",
    )
    command.set_defaults(run=run)
    command.add_argument(
        "--host", help="address to listen on (default: GRADIO_SERVER_NAME, or this computer alone)"
    )
    command.add_argument(
        "--port", type=int, help="default: GRADIO_SERVER_PORT, or the first free one from 7860"
    )
    command.add_argument(
        "--kiosk",
        action="store_true",
        help="for museums: forget each visitor's work, and start over after two idle minutes "
        "(as COLORIZER_KIOSK=1)",
    )
    command.add_argument(
        "--checkpoint",
        help="folder, user/repo or user/repo@revision (default: COLORIZER_CHECKPOINT, or the "
        "bundled one)",
    )


def run(options: argparse.Namespace) -> int:
    """Serve the page until the process is told to stop; returns the exit code, 0.

    Raises:
        SystemExit: the page can't start, or some jobs did not finish in time.
    """
    # Importing Gradio takes seconds, and only this command needs it.
    from colorizer.web.page import build_page
    from colorizer.web.serve import serve
    from colorizer.web.server.settings import SettingsError, settings
    from colorizer.web.server.startup import start_models
    from colorizer.web.server.sweeping import prepare_upload_folder

    if options.kiosk:
        os.environ["COLORIZER_KIOSK"] = "1"  # before `settings` reads it
    try:
        prepare_upload_folder()
        models = start_models(options.checkpoint or settings().checkpoint)
        page = build_page(models, example_photos())
        serve(page, models, options.host, options.port)
    except (CheckpointError, SettingsError) as error:
        raise SystemExit(f"colorizer: {error}") from None
    return 0


def example_photos() -> list[Path]:
    """The photos that visitors without one can try."""
    return sorted(bundled_folder("examples").glob("*.jpg"))
