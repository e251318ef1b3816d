"""Definitions of features: what is computed."""
