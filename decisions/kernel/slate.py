"""Slates: several messages at once, for a web page or an app with several places."""

from collections.abc import Sequence
from dataclasses import dataclass

from tactful.decisions.catalogue.selection import Policy
from tactful.decisions.kernel.decide import distribution, drawn
from tactful.decisions.kernel.decision import Candidate, Decision
from tactful.decisions.kernel.exploration import policy_in


@dataclass(frozen=True, slots=True)
class Place:
    """One place of a slate.

    Args:
        candidate: The candidate in this place.
        probability: Probability of this choice, given the places before it.
    """

    candidate: Candidate
    probability: float


def slate(decision: Decision, policy: Policy, places: int, per_programme: int = 1) -> tuple[Place, ...]:
    """Fill places one after another: the first with the decision's own choice, each other among what is left.

    A place stays empty, and so do those behind it, once silence is drawn. The probability of the whole slate is the
    product of the probabilities of its places.

    Args:
        decision: The decision, asked for with the channels of the page.
        policy: How to choose, for a customer whom exploration leaves to it.
        places: How many, at least 1.
        per_programme: At most so many messages of one programme.

    Returns:
        At most `places` places, in order.
    """
    if decision.choice is None:
        return ()
    filled = [Place(decision.choice, decision.probability)]
    while len(filled) < places:
        left = [c for c in decision.survivors if _fits(c, filled, per_programme)]
        seed = f"{decision.seed}:{decision.id}:{len(filled)}"
        probabilities = distribution(left, policy_in(decision.stratum, policy), seed)
        chosen = drawn(probabilities, seed)
        if chosen == len(left):
            break
        filled.append(Place(left[chosen], float(probabilities[chosen])))
    return tuple(filled)


def _fits(candidate: Candidate, filled: Sequence[Place], per_programme: int) -> bool:
    actions = [place.candidate.action for place in filled]
    same_programme = sum(action.programme == candidate.action.programme for action in actions)
    return same_programme < per_programme and all(action.message != candidate.action.message for action in actions)
