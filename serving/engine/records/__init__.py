"""What is kept of decisions: read again, exported, erased."""
