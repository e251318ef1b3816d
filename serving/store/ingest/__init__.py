"""Writes of what was ingested."""
