"""Authentication, scopes and rate limits of callers."""
