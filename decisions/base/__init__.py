"""What catalogue and kernel are made of: conditions, texts, calendars, values, and records."""
