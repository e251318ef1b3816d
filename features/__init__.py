"""Events to features, as of a moment."""
