"""Fits of models and their evaluation."""
