"""What is done before a release: locking the packages, and writing what goes with the wheel."""
