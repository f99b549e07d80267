"""Many photos: find them, colorize them, report on them."""
