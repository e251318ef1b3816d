"""Readouts: effects, intervals, and reports."""
