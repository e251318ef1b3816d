"""The service as its operators fear it: callers who retry, processes and a database that die, hostile clients."""
