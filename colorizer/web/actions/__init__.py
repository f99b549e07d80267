"""What the page's controls do."""
