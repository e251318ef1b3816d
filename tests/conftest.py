"""What every test has: property tests without a stopwatch, since machines are busy; a database for who asks."""

from hypothesis import settings

from tests.postgres import database, postgres  # noqa: F401 - fixtures

settings.register_profile("tactful", deadline=None, print_blob=True)
settings.load_profile("tactful")
