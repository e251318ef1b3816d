"""The work before a release: locking the packages, and writing the files that go with the wheel."""
