"""Where the files lie that come with the package: the weights and the example photos."""

from pathlib import Path

PACKAGE = Path(__file__).parent


def bundled_folder(name: str) -> Path:
    """A folder that comes with the package: in it when installed, beside it in a clone.

    Args:
        name: of the folder, "weights" or "examples".
    """
    inside = PACKAGE / name
    return inside if inside.is_dir() else PACKAGE.parent / name
