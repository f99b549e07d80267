"""Shared by tests; holds no tests."""
