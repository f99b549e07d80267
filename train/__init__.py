"""Train, measure and publish checkpoints."""
