"""`tactful demo`: the whole job on real data."""
