"""Exploration by customer: who is never contacted and who gets any survivor alike, recomputable from the id.

The two strata are what later models and judgements are measured against: the first shows what happens without any
contact, the second what each contact does.
"""

import hashlib
from typing import Literal

from tactful.decisions.base.assignment import hash_v2
from tactful.decisions.catalogue.model import Catalogue
from tactful.decisions.catalogue.objective import Holdout
from tactful.decisions.catalogue.selection import Policy, RandomEligible

Stratum = Literal["holdout", "uniform", "policy"]
"""`holdout`: never contacted; `uniform`: survivors and silence all alike; `policy`: as the policy says."""

_ALL_ALIKE = RandomEligible(kind="random")


def stratum(catalogue: Catalogue, customer: str) -> Stratum:
    """The stratum of a customer.

    A hold-out that the catalogue states by itself takes the place of the exploration's.

    Example:
        >>> from tactful.decisions.loading import load_catalogue
        >>> from tactful.decisions.catalogue.compiled import Vocabulary
        >>> from tactful.features.definitions.standard import STANDARD
        >>> from pathlib import Path
        >>> retail = load_catalogue(Path("decisions/examples/retail.yaml"), Vocabulary(STANDARD.names, ("lapse",)))
        >>> [stratum(retail.catalogue, customer) for customer in ("c1", "c2", "c3")]
        ['policy', 'policy', 'policy']
    """
    exploration = catalogue.exploration
    number = hash_v2(exploration.salt or catalogue.catalogue, customer)
    left_alone = exploration.holdout
    if catalogue.holdout is not None:
        if held_out(catalogue.holdout, customer):
            return "holdout"
        left_alone = 0.0
    if number < left_alone:
        return "holdout"
    return "uniform" if number < left_alone + exploration.uniform else "policy"


def held_out(holdout: Holdout, customer: str) -> bool:
    """Whether a hold-out leaves a customer alone: recomputable from the id and the salt.

    Example:
        >>> drawn = sum(held_out(Holdout(share=0.1, salt="2026"), f"c{i}") for i in range(10_000))
        >>> 900 < drawn < 1_100
        True
    """
    digest = hashlib.sha256(f"{holdout.salt}:{customer}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64 < holdout.share


def policy_in(drawn: Stratum, policy: Policy) -> Policy:
    """How survivors are chosen among in a stratum."""
    return _ALL_ALIKE if drawn == "uniform" else policy
