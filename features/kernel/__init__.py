"""The kernel that computes features: programs and arrays."""
