"""The web page; the rest of the library knows nothing of it."""
