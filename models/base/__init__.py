"""The base of every model: trees, calibration, metrics, and the tables they read."""
