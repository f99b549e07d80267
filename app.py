"""Start the web page with `uv run app.py`."""

import sys

from colorizer.__main__ import main

if __name__ == "__main__":
    sys.exit(main(["serve", *sys.argv[1:]]))
