"""Whether the service can decide."""
