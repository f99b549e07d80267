"""From a gray photo to colors: engines, hints, alternatives, faces and export."""
