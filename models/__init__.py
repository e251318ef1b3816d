"""Features to calibrated scores: code, never artefacts."""

import os

# OpenMP reads this once, when LightGBM is loaded: threads that spin on busy cores make it up to thirty times slower.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
