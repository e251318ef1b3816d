"""Analyses of decisions: explanations, replays, and what-if questions."""
