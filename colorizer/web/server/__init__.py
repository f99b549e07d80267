"""What page and endpoints share: settings, limits, files, models and the log."""
