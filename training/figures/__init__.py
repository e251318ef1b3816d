"""Figures of models and estimates."""
