"""HTTP API, operational store and batch run."""
