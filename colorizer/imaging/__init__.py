"""Numbers only: color spaces, gamut, curves, bands, resampling and guided filters."""
