"""The server behind page and endpoints: settings, limits, files, models and the log."""
