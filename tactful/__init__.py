"""Tactful: the best message for this customer at this moment, on the best channel, or silence."""
