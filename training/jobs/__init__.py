"""Training jobs, one file a model."""
