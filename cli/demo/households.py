"""Names and consents, which the data lack and a programme needs, generated from the household's number."""

import hashlib
from pathlib import Path

from tactful.cli.demo.data import MOMENT, ZONE, Grocer
from tactful.cli.demo.service import settings_of
from tactful.serving.ingestion.loading.history import load_history
from tactful.serving.store.opening import open_store
from tactful.serving.store.port import Consent, History, Profile

FIRST_NAMES = (
    "Ada", "Amir", "Ana", "Ben", "Carla", "Chen", "Dana", "Diego", "Elena", "Emil", "Fatima", "Finn", "Grace", "Hana",
    "Hugo", "Ines", "Ivan", "Jana", "Joel", "Kemal", "Lena", "Leo", "Maya", "Milo", "Nadia", "Noah", "Olga", "Omar",
    "Paula", "Petra", "Quinn", "Rosa", "Ruth", "Samir", "Sofia", "Tariq", "Tom", "Uma", "Vera", "Yusuf", "Zoe",
)  # fmt: skip
EMAIL_SHARE = 0.7
"""The share of households that are taken to consent to e-mail."""

DISCLOSURE = (
    "The data hold no names and no consents. First names are generated, and so is consent to e-mail, for about "
    f"{EMAIL_SHARE:.0%} of the households, both from a hash of the household's number; a household that the grocer "
    "mailed before is taken to consent to mail. Nobody's time zone is known: the catalogue's counts."
)


def load_households(grocer: Grocer, folder: Path) -> int:
    """Loads the service's store with what was known at the moment of decision.

    Returns:
        The number of events loaded.
    """
    settings = settings_of(folder)
    store = open_store(settings.store)
    known = load_history(store, settings.tenant, grocer.dataset, asserted=MOMENT, until=MOMENT)
    profiles = [
        Profile(
            household,
            attributes={"first_name": first_name(household)},
            consents=consents(household, household in grocer.mailed),
        )
        for household in grocer.households
    ]
    store.load(settings.tenant, History(str(ZONE), MOMENT, profiles))
    store.close()
    return known


def first_name(household: str) -> str:
    """A generated name."""
    return FIRST_NAMES[int(_share("name", household) * len(FIRST_NAMES))]


def consents(household: str, mailed: bool) -> dict[Consent, bool]:
    """Generated consents: a refusal or not by e-mail, and by mail none at all for a household never mailed."""
    by_email = {("email", "marketing"): _share("email", household) < EMAIL_SHARE}
    return by_email | ({("mail", "marketing"): True} if mailed else {})


def _share(question: str, household: str) -> float:
    """A number in [0, 1) that is always the same for a question about a household."""
    digest = hashlib.blake2b(f"{question}:{household}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
