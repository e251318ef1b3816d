"""The parts of catalogue and kernel: conditions, texts, calendars, values, and records."""
