"""A service's folder, opened without a server: for commands, and for analysis in Python."""
