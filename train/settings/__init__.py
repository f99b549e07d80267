"""Settings of a training run: fields, checks, presets, flags."""
