"""Models of the effect of each message."""
