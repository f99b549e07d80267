"""Benchmarks; `python -m benchmarks.NAME --help` explains each."""
