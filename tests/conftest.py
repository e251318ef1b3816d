"""What every test has: property tests without a stopwatch, since machines are busy."""

from hypothesis import settings

settings.register_profile("tactful", deadline=None, print_blob=True)
settings.load_profile("tactful")
