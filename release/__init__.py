"""Steps before a release: lock the packages, and check the documentation site."""
