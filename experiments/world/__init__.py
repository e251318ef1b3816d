"""The simulated world, whose truth is known."""
