"""The engine: reads what the store knows, makes decisions, and records them."""
