"""Data to learn from: labels, attribution, and splits in time."""
