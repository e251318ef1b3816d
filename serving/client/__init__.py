"""A client of the HTTP API, for applications in Python."""
