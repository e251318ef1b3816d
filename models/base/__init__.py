"""What every model uses: trees, calibration, metrics, and the tables they read."""
