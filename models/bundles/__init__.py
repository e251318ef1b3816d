"""Bundles: the models that a service scores with, and the registry of their versions."""
