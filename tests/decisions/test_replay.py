"""A decision again: the same bytes, or the first difference and its cause."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tactful.decisions.analysis.replay import replay
from tactful.decisions.base.snapshot import Snapshot
from tactful.decisions.kernel.decide import Request, RunContext, decide
from tests.decisions.retailer import CATALOGUE, LAPSING, RETAILER, KnownScorer, compiled, decided
from tests.decisions.test_properties import policies, snapshots


@settings(max_examples=60)
@given(snapshots, policies, st.text(max_size=6), st.dictionaries(st.sampled_from(["email", "mail"]), st.floats(0, 5)))
def test_a_recorded_decision_is_made_again_byte_for_byte(
    snapshot: Snapshot, policy: object, seed: str, prices: dict[str, float]
) -> None:
    run_context = RunContext(seed=seed, capacity={"mail": 3}, prices=prices)
    record = decide([Request("d1", snapshot)], RETAILER, policy, KnownScorer(), run_context)[0].as_bytes()  # type: ignore[arg-type]
    assert replay(record, snapshot, compiled(), KnownScorer()).identical


class OtherScorer(KnownScorer):
    version = "other"


def test_another_catalogue_is_named_as_the_cause() -> None:
    found = replay(
        decided(LAPSING).as_bytes(), LAPSING, compiled(CATALOGUE.replace("cost: 0.01", "cost: 0.02")), KnownScorer()
    )
    assert (found.identical, found.cause) == (False, "catalogue")
    assert (found.place, found.recorded, found.replayed) == ("candidates.0.factors.cost", 0.01, 0.02)


def test_other_models_are_named_as_the_cause() -> None:
    found = replay(decided(LAPSING).as_bytes(), LAPSING, RETAILER, OtherScorer())
    assert (found.identical, found.cause, found.place) == (False, "bundle", "versions.bundle")


class OtherFeatures(KnownScorer):
    fingerprint = "three-features"


def test_other_features_are_named_before_anything_is_decided() -> None:
    found = replay(decided(LAPSING).as_bytes(), LAPSING, RETAILER, OtherFeatures())
    assert (found.identical, found.cause, found.place) == (False, "features", "versions.features")


def test_another_kernel_is_named_whatever_else_the_record_bears() -> None:
    record = b'{"versions": {"features": "two-features", "kernel": "0"}}'
    found = replay(record, LAPSING, RETAILER, KnownScorer())
    assert (found.cause, found.recorded) == ("kernel", "0")


@pytest.mark.parametrize("features", [(31.0, 200.0), (30.0, 90.0)])
def test_other_inputs_are_named_when_every_version_is_the_same(features: tuple[float, float]) -> None:
    found = replay(decided(LAPSING).as_bytes(), replace(LAPSING, features=features), RETAILER, KnownScorer())
    assert (found.identical, found.cause) == (False, "inputs")
    assert found.place
