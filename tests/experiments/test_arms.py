"""Arms act: each kind changes decisions as it says, decisions replay, and exposure does not depend on the arm."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from tactful.decisions.analysis.replay import replay
from tactful.decisions.catalogue.selection import Greedy, PriorityList
from tactful.decisions.kernel.arbitration import Factors
from tactful.decisions.kernel.decide import Request, RunContext
from tactful.experiments.assignment.arms import HOLDOUT, Arms, Decided, assigned
from tactful.experiments.assignment.treatments import Treatment
from tactful.experiments.base.errors import ExperimentError
from tactful.experiments.design.declaration import (
    AnyArm,
    Current,
    OneMessage,
    OtherBundle,
    OtherCatalogue,
    OtherPolicy,
    Plan,
    RandomEligible,
    Silence,
    Without,
)
from tests.decisions.retailer import CATALOGUE, LAPSING, NOON, RETAILER, KnownScorer, compiled, decided, having
from tests.experiments.declared import experiment, plan

GREEDY = Greedy(kind="greedy")
BASE = Treatment(RETAILER, GREEDY, KnownScorer())
BIRTHDAY = having(attributes={"first_name": "Ada", "birthday": date(1990, 5, 6)})
NOBODY = Plan()


class Gloomy(KnownScorer):
    """Nobody answers anything."""

    version = "gloomy"

    def score_actions(self, features, offers):  # type: ignore[no-untyped-def]
        return 0.0 * super().score_actions(features, offers)


def treated(arm: AnyArm, **known: object) -> Treatment:
    return Arms(NOBODY, BASE, **known).treatment((arm,))  # type: ignore[arg-type]


def made(arm: AnyArm, snapshot=BIRTHDAY, **known: object):  # type: ignore[no-untyped-def]
    found = treated(arm, **known)
    decision = decided_by(found, Request("d1", snapshot))
    again = replay(decision.as_bytes(), snapshot, found.compiled, found.scorer)
    assert again.identical
    return decision


def decided_by(treatment: Treatment, request: Request):  # type: ignore[no-untyped-def]
    from tactful.decisions.kernel.decide import decide

    return decide([request], treatment.compiled, treatment.policy, treatment.scorer)[0]


def test_the_current_arm_changes_nothing() -> None:
    assert treated(Current(id="a", share=1, kind="current")) is BASE
    assert made(Current(id="a", share=1, kind="current")) == decided(BIRTHDAY, policy=GREEDY)


def test_silence_contacts_nobody() -> None:
    decision = made(Silence(id="a", share=1, kind="silence"))
    assert decision.choice is None
    assert all(any(e.gate == "holdout" for e in c.exclusions) for c in decision.candidates)


def test_another_policy_chooses_otherwise() -> None:
    policy = PriorityList(kind="priority_list")
    assert treated(OtherPolicy(id="a", share=1, kind="policy", policy=policy)).policy == policy


def test_random_eligible_makes_survivors_and_silence_alike() -> None:
    decision = made(RandomEligible(id="a", share=1, kind="random"))
    survivors = list(decision.survivors)
    assert len(survivors) > 1
    assert {candidate.probability for candidate in survivors} == {decision.silence_probability}


def test_one_message_goes_whatever_it_is_worth() -> None:
    dear = compiled(CATALOGUE.replace("email: {cost: 0.01", "email: {cost: 99"))
    arm = OneMessage(id="a", share=1, kind="message", message="happy_birthday")
    base = replace(BASE, compiled=dear)
    assert decided(BIRTHDAY, dear, GREEDY).outcome != "birthday/happy_birthday/email"
    decision = decided_by(Arms(NOBODY, base).treatment((arm,)), Request("d1", BIRTHDAY))
    assert decision.outcome == "birthday/happy_birthday/email"
    assert [candidate.action.message for candidate in decision.survivors] == ["happy_birthday"]


def test_a_message_whose_response_cannot_be_scored_goes_too() -> None:
    arm = OneMessage(id="a", share=1, kind="message", message="come_back_coupon")
    decision = made(arm)
    assert decision.choice is not None
    assert {candidate.priority for candidate in decision.survivors} == {1.0}


def test_a_programme_and_a_message_are_left_out() -> None:
    arm = Without(id="a", share=1, kind="without", programmes="birthday", messages="miss_you")
    survivors = {candidate.action.message for candidate in made(arm).survivors}
    assert survivors == {"come_back_coupon"}


@pytest.mark.parametrize("factors", [("discount",), ("cost", "value"), ("effect",), ("lever", "context")])
def test_priorities_are_those_without_the_factor(factors: tuple[str, ...]) -> None:
    arm = Without.model_validate({"id": "a", "share": 1, "kind": "without", "factors": factors})
    before = {c.action.id: c.factors for c in decided(BIRTHDAY, policy=GREEDY).survivors}
    after = {c.action.id: c.priority for c in made(arm).survivors}
    assert after == {action: found.without(factors).priority for action, found in before.items() if found}
    assert all(isinstance(found, Factors) for found in before.values())


def test_another_bundle_scores() -> None:
    arm = OtherBundle(id="a", share=1, kind="bundle", bundle="gloomy")
    assert made(arm, bundles={"gloomy": Gloomy()}).versions.bundle == "gloomy"
    with pytest.raises(ExperimentError, match="unknown bundle"):
        treated(arm)


def test_another_catalogue_decides() -> None:
    arm = OtherCatalogue(id="a", share=1, kind="catalogue", catalogue="winter.yaml")
    winter = compiled(CATALOGUE.replace("value: 5", "value: 500"))
    decision = made(arm, catalogues={"winter.yaml": winter})
    assert decision.versions.catalogue == winter.version
    assert decision.outcome == "birthday/happy_birthday/email"
    with pytest.raises(ExperimentError, match="unknown catalogue"):
        treated(arm)


def test_arms_of_two_experiments_act_together() -> None:
    arms = (
        Without(id="a", share=1, kind="without", programmes="birthday"),
        RandomEligible(id="b", share=1, kind="random"),
    )
    found = Arms(NOBODY, BASE).treatment(arms)
    decision = decided_by(found, Request("d1", BIRTHDAY))
    assert "birthday" not in {candidate.action.programme for candidate in decision.survivors}
    assert decision.policy["kind"] == "random"


def crowd(n: int = 600) -> list[Request]:
    return [Request(f"d{i}", replace(BIRTHDAY, customer=f"c{i}")) for i in range(n)]


def run(declared: Plan, requests: list[Request]) -> list[Decided]:
    return Arms(declared, BASE).decide(requests, RunContext())


def test_everybody_is_treated_by_their_places() -> None:
    for request, one in zip(crowd(), run(plan(), crowd()), strict=True):
        assert one.places == assigned(plan(), request.snapshot.customer, NOON)
        if any(place.experiment == HOLDOUT for place in one.places):
            assert (len(one.places), one.decision.choice) == (1, None)
        if any(place.experiment == "without birthday" for place in one.places):
            assert all(c.action.programme != "birthday" for c in one.decision.survivors)
        again = replay(one.decision.as_bytes(), request.snapshot, one.treatment.compiled, one.treatment.scorer)
        assert again.identical


def test_a_group_is_decided_as_one_by_one() -> None:
    requests = crowd(60)
    alone = [run(plan(), [request])[0] for request in requests]
    assert [one.decision for one in run(plan(), requests)] == [one.decision for one in alone]
    assert [one.exposures for one in run(plan(), requests)] == [one.exposures for one in alone]


def test_only_the_population_takes_part() -> None:
    fresh = [replace(r, snapshot=replace(r.snapshot, features=(1.0, 200.0))) for r in crowd(100)]
    assert not any(place.experiment == "tired" for one in run(plan(), fresh) for place in one.places)
    assert any(place.experiment == "tired" for one in run(plan(), crowd(100)) for place in one.places)


def test_who_is_set_apart_to_learn_from_is_in_no_experiment() -> None:
    catalogue = compiled(CATALOGUE.replace("{holdout: 0, uniform: 0}", "{holdout: 0.5, uniform: 0.5}"))
    made_on = Arms(plan(), replace(BASE, compiled=catalogue)).decide(crowd(50))
    assert not any(one.places or one.exposures for one in made_on)


def test_exposure_tells_what_each_arm_would_have_chosen_and_is_the_same_in_every_arm() -> None:
    chance = experiment(space=(0.0, 1.0), layer=None)
    exposed = {e.customer: e for one in run(Plan(experiments=(chance,)), crowd()) for e in one.exposures}
    assert 0 < len(exposed) < 600
    for exposure in exposed.values():
        assert set(exposure.choices) == {"as_it_is", "random", "coupon"}
        assert len(set(exposure.choices.values())) > 1
    swapped = chance.model_copy(update={"salt": "other arms"})
    others = {e.customer: e for one in run(Plan(experiments=(swapped,)), crowd()) for e in one.exposures}
    assert {c: e.choices for c, e in exposed.items()} == {c: e.choices for c, e in others.items()}
    assert any(exposed[customer].arm != others[customer].arm for customer in exposed)


def test_nobody_is_exposed_where_the_arms_agree() -> None:
    same = experiment("tired", population=None)
    requests = [Request("d", having(LAPSING, consents={}))]
    assert [one.exposures for one in run(Plan(experiments=(same,)), requests)] == [()]


def test_nothing_runs_before_the_start() -> None:
    assert assigned(Plan(experiments=(experiment(),)), "c1", NOON - timedelta(days=365)) == ()
