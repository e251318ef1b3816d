"""Studies for notebooks."""
