"""The version, as `pyproject.toml` and the marks in photos give it."""

__version__ = "0.1.0"
