"""The base of every experiment: metrics, and sums by arm."""
