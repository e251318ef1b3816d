"""The tracking API over HTTP."""
