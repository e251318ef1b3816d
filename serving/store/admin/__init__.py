"""Administration of the store: backup, compaction, erasure, checks."""
