"""What a message of the tracking API means."""
