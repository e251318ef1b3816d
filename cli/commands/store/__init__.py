"""`tactful store`."""
