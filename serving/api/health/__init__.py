"""Health and operations over HTTP."""
