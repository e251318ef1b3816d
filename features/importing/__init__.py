"""Imports of foreign logs: mappings, readers, and the quarantine."""
