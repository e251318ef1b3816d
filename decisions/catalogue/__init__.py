"""The catalogue: programmes, messages, triggers, and contact policies."""
