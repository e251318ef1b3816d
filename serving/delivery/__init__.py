"""Delivery of decisions to receivers."""
