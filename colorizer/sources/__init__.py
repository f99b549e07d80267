"""Colors from other pictures: the same photo colored elsewhere, and reference photos."""
