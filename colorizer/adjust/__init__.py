"""Post-processing: color, tone, restoration, skin, framing and the badge."""
