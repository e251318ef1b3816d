"""Processes, sockets, and the HTTP protocol."""
