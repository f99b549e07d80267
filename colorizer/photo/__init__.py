"""One photo and its file: pixels, formats, color profiles and metadata."""
