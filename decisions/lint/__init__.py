"""Lints of a catalogue."""
