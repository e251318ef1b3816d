"""`tactful catalogue`."""
