"""Generated customers and requests, for docs, tests, and benchmarks."""
