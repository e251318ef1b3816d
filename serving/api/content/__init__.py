"""Content of pages over HTTP."""
