"""The meaning of a message of the tracking API."""
