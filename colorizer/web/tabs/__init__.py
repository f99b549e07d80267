"""The page's tabs and controls."""
