"""Decisions about whole populations under limits."""
