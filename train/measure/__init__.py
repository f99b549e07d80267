"""Quality measures and their reports."""
