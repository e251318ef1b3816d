"""What several commands open."""
