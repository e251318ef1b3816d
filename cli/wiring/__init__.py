"""Stores, catalogues, models and logs that several commands open."""
