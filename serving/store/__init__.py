"""The operational store: one schema, one port, an adapter a database."""
