"""Features to calibrated scores: code, never artefacts."""
