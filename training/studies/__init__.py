"""Studies of data and models, for notebooks."""
