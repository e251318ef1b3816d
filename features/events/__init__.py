"""Events: their vocabulary and table, histories as arrays, and data sets on disk."""
