"""Effects learnt from logged decisions against a known truth."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from tactful.models.base.errors import ModelError
from tactful.models.effects.pooling import Prior
from tactful.models.effects.scorer import EffectScorer
from tactful.training.data.attribution import Delivery, Goal, LoggedDecision, every_decision
from tactful.training.data.errors import TrainingError
from tactful.training.jobs.effects import catalogue_priors, fit_effects, refuse_campaigns, train
from tests.decisions.retailer import CATALOGUE, compiled
from tests.training.decided import FEATURES, LATER, WORTH, dated, log, windowed


def test_effects_of_messages_are_found() -> None:
    rows = every_decision(log(4000), Goal(), LATER, feature_names=FEATURES)
    model = fit_effects(rows, {"miss_you": Prior(0.0, 100)})
    found = model.evidence
    for message in ("miss_you", "come_back_coupon"):
        truth = WORTH[message] - WORTH["silence"]
        assert abs(found.loc[message, "estimate"] - truth) < 3 * found.loc[message, "error"]
    unaided = model.unaided(pd.DataFrame([[30.0, 50.0]], columns=list(FEATURES)))
    assert unaided[0] == pytest.approx(WORTH["silence"], abs=0.03)


def test_lost_contacts_do_not_bias_effects() -> None:
    rng = np.random.default_rng(3)
    lossy = [
        LoggedDecision(e.decision, e.features, e.outcomes, Delivery.EXPIRED if rng.random() < 0.4 else Delivery.SENT)
        for e in log(4000)
    ]
    rows = every_decision(lossy, Goal(), LATER, feature_names=FEATURES)
    found = fit_effects(rows, {}).evidence.loc["come_back_coupon"]
    assert rows.left_out["not delivered: expired"] > 500
    assert abs(found["estimate"] - 0.25) < 3 * found["error"]


def test_a_message_that_was_never_sent_keeps_what_was_stated() -> None:
    rows = every_decision(log(1000), Goal(), LATER, feature_names=FEATURES)
    model = fit_effects(rows, {"spring": Prior(0.04, 500)})
    assert model.evidence.loc["spring", "taken"] == 0
    assert model.evidence.loc["spring", "effect"] == pytest.approx(0.04, abs=0.03)


def test_a_log_without_chance_shows_no_effect() -> None:
    rows = every_decision(log(200), Goal(), LATER, feature_names=FEATURES)
    certain = replace(rows, probabilities=np.eye(len(rows.arms))[rows.taken])
    with pytest.raises(ModelError, match="a log that cannot show an effect: got 'every action taken with prob"):
        fit_effects(certain, {})


def test_priors_are_what_the_catalogue_states() -> None:
    text = CATALOGUE.replace(
        "response: {mean: 0.1}", "response: {mean: 0.1}\n        effect: {mean: 0.03, weight: 40}", 1
    )
    assert catalogue_priors(compiled(text).catalogue) == {"miss_you": Prior(0.03, 40.0)}


def spread_out(entries: list[LoggedDecision], days: int = 100) -> list[LoggedDecision]:
    """The same decisions over a hundred days."""
    return [
        replace(
            e,
            decision=dated(e.decision, e.decision.moment - timedelta(days=days - days * i / len(entries))),
            outcomes=[replace(o, time=o.time - timedelta(days=days - days * i / len(entries))) for o in e.outcomes],
        )
        for i, e in enumerate(entries)
    ]


def test_effects_that_hold_later_are_let_through() -> None:
    rows = every_decision(spread_out(log(4000)), Goal(), LATER, feature_names=FEATURES)
    told: list[str] = []
    priors = {"miss_you": Prior(0.0, 100)}
    found = train(rows, priors, feature_set=windowed(*FEATURES), progress=lambda step, *_: told.append(step))
    assert told == ["fit", "evaluation"]
    assert found.refusals == ()
    assert {one["arm"] for one in found.metrics["by_action"]} == {"miss_you", "come_back_coupon"}
    assert found.metrics["effects"]["come_back_coupon"]["effect"] == pytest.approx(0.25, abs=0.05)
    assert list(found.figures()) == ["effects", "later"]
    assert isinstance(found.model, EffectScorer)
    scored = found.model.score(np.array([[30.0, 200.0]] * 2), ["come_back_coupon", "unheard of"])
    assert scored[0, 0] == pytest.approx(0.25, abs=0.05)
    assert np.isnan(scored[1]).all()


def test_effects_that_vanished_are_refused() -> None:
    entries = spread_out(log(4000))
    rng = np.random.default_rng(0)
    moment = sorted(e.decision.moment for e in entries)[2600]
    tired = [
        replace(e, outcomes=() if e.decision.moment > moment and rng.random() < 0.9 else e.outcomes) for e in entries
    ]
    rows = every_decision(tired, Goal(), LATER, feature_names=FEATURES)
    found = train(rows, {}, feature_set=windowed(*FEATURES))
    assert found.refusals[0].startswith("effects did not hold on later decisions: joint p = 0.0")


def test_imported_campaigns_show_no_effect() -> None:
    with pytest.raises(TrainingError, match="a log that cannot show an effect: got 'imported contacts without"):
        refuse_campaigns("events")


def test_a_log_without_a_delivered_contact_is_told_apart() -> None:
    lost = [replace(e, delivery=Delivery.RESERVED) for e in log(200)]
    rows = every_decision(lost, Goal(), LATER, feature_names=FEATURES)
    with pytest.raises(TrainingError, match=r"got '\d+ not delivered: reserved'; wanted contacts that were delivered"):
        train(rows, {}, feature_set=windowed(*FEATURES))
