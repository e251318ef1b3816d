"""A kit that tests on a catalogue what its decisions promise."""
