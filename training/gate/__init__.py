"""The release gates: of models in the registry, and of decisions."""
