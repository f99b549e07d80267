"""Checkpoints: their files, the Hugging Face Hub, and what they say about themselves."""
