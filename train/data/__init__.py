"""Training data: sources, crops and augmentation."""
