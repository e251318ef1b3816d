"""Models that score a customer: classifiers, value, contact frequency, and BG/NBD."""
