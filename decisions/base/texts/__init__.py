"""Texts of messages: Liquid within limits, proofs that no name is printed empty, and the rendering of a message."""
