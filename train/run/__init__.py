"""A training run: settings, folder, log and curves."""
