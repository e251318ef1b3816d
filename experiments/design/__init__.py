"""Experiments as a marketer declares them."""
