"""Recorded decisions: read again, exported, erased."""
