from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from scipy.special import expit, logit

from tactful.features.definitions.standard import STANDARD
from tactful.models.base.errors import RegistryError
from tactful.models.bundles.bundle import load
from tactful.models.bundles.registry import MlflowRegistry
from tactful.models.scores.bgnbd import HISTORY
from tactful.training.fit.candidate import Candidate
from tactful.training.fit.fallback import rhythm_candidate
from tactful.training.fit.job import TrainingResult
from tactful.training.gate.registry_gate import promote, release, roll_back
from tactful.training.jobs.classifier_candidate import candidate_of
from tactful.training.tracking import track
from tests.contracts.registries import MemoryRegistry


def with_metrics(result: TrainingResult, **changed: Any) -> TrainingResult:
    return replace(result, metrics={**result.metrics, **changed})


def passing(result: TrainingResult) -> TrainingResult:
    """The result with figures that the gate lets through."""
    good = {"value": 0.05, "low": 0.02, "high": 0.08}
    baselines = {name: {**figures, "log_loss_gain": good} for name, figures in result.metrics["baselines"].items()}
    true = {"positives": 150, "n": 500, "slope": {"value": 1.0, "low": 0.9, "high": 1.1}, "by_action_p": 0.5}
    return with_metrics(result, baselines=baselines, ece={"value": 0.01, "low": 0.0, "high": 0.03}, **true)


def weaker(result: TrainingResult) -> TrainingResult:
    """A model that says the same of everyone, on the same test rows."""
    same = replace(result.test, probability=result.test.probability * 0 + 0.3)
    return replace(passing(result), test=same, model=replace(result.model, data_digest="another"))


def test_a_first_model_that_passes_is_the_champion(lapsed: TrainingResult) -> None:
    registry = MemoryRegistry()
    verdict = promote(passing(lapsed), registry)
    assert (verdict.version, verdict.promoted, verdict.reasons, verdict.champion_gains) == ("1", True, (), {})
    assert registry.champion("lapse") == "1"
    assert registry.tags("lapse", "1")["data"] == lapsed.dataset.digest


def test_a_model_no_better_than_one_number_is_registered_and_refused(lapsed: TrainingResult) -> None:
    registry = MemoryRegistry()
    poor = passing(lapsed)
    poor.metrics["baselines"]["recency"]["log_loss_gain"] = {"value": 0.01, "low": -0.002, "high": 0.03}
    verdict = promote(poor, registry)
    assert not verdict.promoted
    assert verdict.reasons[0] == (
        "not better than recency alone: log-loss gain 0.0100 (-0.0020 to 0.0300), low end above 0 wanted, 0.0020 short"
    )
    assert (registry.versions("lapse"), registry.champion("lapse")) == (("1",), None)
    assert registry.aliased("lapse", "challenger") == "1"


def test_auc_alone_refuses_no_model(lapsed: TrainingResult) -> None:
    alike = passing(lapsed)
    for figures in alike.metrics["baselines"].values():
        figures["auc_gain"] = {"value": -0.001, "low": -0.01, "high": 0.008}
    assert promote(alike, MemoryRegistry()).promoted


def test_what_is_promoted_against_its_gate_keeps_the_reason(lapsed: TrainingResult) -> None:
    registry = MemoryRegistry()
    wrong = with_metrics(passing(lapsed), ece={"value": 0.2, "low": 0.18, "high": 0.22})
    verdict = promote(wrong, registry, anyway="the shop opens today")
    assert (verdict.promoted, registry.champion("lapse")) == (True, "1")
    tags = registry.tags("lapse", "1")
    assert tags["anyway"] == "the shop opens today"
    assert tags["refused"] == "; ".join(verdict.reasons)
    assert verdict.reasons[0].startswith("not calibrated: ")


def test_a_model_that_passes_needs_no_reason(lapsed: TrainingResult) -> None:
    registry = MemoryRegistry()
    assert promote(passing(lapsed), registry, anyway="to be sure").promoted
    assert "anyway" not in registry.tags("lapse", "1")


def refused(result: TrainingResult, fallback: Candidate | None) -> Candidate:
    return replace(candidate_of(passing(result)), refusals=("not better than bgnbd alone",), fallback=lambda: fallback)


def fallback(result: TrainingResult, *refusals: str) -> Candidate:
    found = rhythm_candidate(result)
    assert found is not None
    return replace(found, refusals=refusals)


def test_a_refused_model_leaves_the_first_place_to_a_baseline_that_holds(
    lapsed: TrainingResult, tmp_path: Path
) -> None:
    registry = MemoryRegistry()
    verdict = promote(refused(lapsed, fallback(lapsed)), registry)
    assert (verdict.version, verdict.promoted, verdict.instead) == ("1", False, "2")
    assert (registry.champion("lapse"), registry.aliased("lapse", "challenger")) == ("2", "1")
    release(registry, ["lapse"], tmp_path / "bundle", STANDARD)
    bundle = load(tmp_path / "bundle", fingerprint=STANDARD.fingerprint)
    assert bundle.learnt_until == lapsed.model.learnt_until
    test = lapsed.test
    scores = bundle.score_customers(test.features)["lapse"]
    assert (
        scores.tolist()
        == fallback(lapsed).model.score(test.features[:, [STANDARD.names.index(name) for name in HISTORY]]).tolist()
    )
    again = promote(refused(lapsed, fallback(lapsed)), registry)
    assert (again.instead, registry.champion("lapse")) == ("", "2")
    gains = promote(passing(lapsed), registry).champion_gains
    assert set(gains) == {"AUC", "log-loss"}


def test_a_refused_model_and_the_baseline_are_kept_apart_in_mlflow(lapsed: TrainingResult, tmp_path: Path) -> None:
    run = track(candidate_of(lapsed), tmp_path / "mlflow")
    registry = MlflowRegistry(tmp_path / "mlflow")
    verdict = promote(refused(lapsed, fallback(lapsed)), registry, run=run)
    kept = {
        version: load(registry.download("lapse", version, tmp_path / version), fingerprint=STANDARD.fingerprint)
        for version in (verdict.version, verdict.instead)
    }
    assert [bundle.models["lapse"].KIND for bundle in kept.values()] == ["trees", "rhythm"]
    assert registry.champion("lapse") == verdict.instead


@pytest.mark.parametrize("refusals", [("not calibrated",), None])
def test_a_baseline_that_does_not_hold_is_no_champion(lapsed: TrainingResult, refusals: tuple[str, ...] | None) -> None:
    registry = MemoryRegistry()
    simpler = None if refusals is None else fallback(lapsed, *refusals)
    assert promote(refused(lapsed, simpler), registry).instead == ""
    assert registry.champion("lapse") is None


def test_a_model_that_is_not_calibrated_is_refused(lapsed: TrainingResult) -> None:
    wrong = with_metrics(passing(lapsed), ece={"value": 0.2, "low": 0.18, "high": 0.22})
    reason, simpler = promote(wrong, MemoryRegistry()).reasons
    assert simpler.startswith("a simpler model by itself: cannot be judged: ")
    assert reason.startswith("not calibrated: expected calibration error 0.2000 (0.1800 to 0.2200), at most 0.0")


def test_figures_that_could_not_be_computed_are_refused(lapsed: TrainingResult) -> None:
    nothing = {"value": None, "low": None, "high": None}
    verdict = promote(with_metrics(passing(lapsed), ece=nothing), MemoryRegistry())
    assert verdict.reasons[0].startswith("not calibrated: expected calibration error ? (? to ?), at most 0.0")
    verdict = promote(with_metrics(passing(lapsed), slope=nothing), MemoryRegistry())
    assert verdict.reasons[0] == "not calibrated: slope ? (? to ?), some of 0.9 to 1.1 wanted"


def test_a_champion_is_not_registered_twice(lapsed: TrainingResult) -> None:
    registry = MemoryRegistry()
    first, again = promote(passing(lapsed), registry), promote(passing(lapsed), registry)
    assert (first.version, again.version, again.promoted) == ("1", "1", True)
    assert registry.versions("lapse") == ("1",)


def test_a_model_worse_than_the_champion_is_refused(lapsed: TrainingResult) -> None:
    registry = MemoryRegistry()
    promote(passing(lapsed), registry)
    verdict = promote(weaker(lapsed), registry)
    assert not verdict.promoted
    (reason,) = verdict.reasons
    assert reason.startswith("worse than the champion: log-loss gain -0.")
    assert set(verdict.champion_gains) == {"AUC", "log-loss"}
    assert registry.champion("lapse") == "1"
    assert registry.versions("lapse") == ("1", "2")


def test_a_model_that_ranks_alike_but_is_too_sure_of_itself_is_worse(lapsed: TrainingResult) -> None:
    registry = MemoryRegistry()
    promote(passing(lapsed), registry)
    odds = logit(lapsed.test.probability)
    sure = replace(lapsed.test, probability=expit(3 * odds))
    verdict = promote(replace(weaker(lapsed), test=sure), registry)
    assert verdict.champion_gains["AUC"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    (reason,) = verdict.reasons
    assert reason.startswith("worse than the champion: log-loss gain -")
    assert reason.endswith("high end of at least 0 wanted")


@pytest.mark.parametrize("job", ["lapsed", "responded"])
def test_a_model_as_good_as_the_champion_takes_over(job: str, request: pytest.FixtureRequest) -> None:
    result = passing(request.getfixturevalue(job))
    registry = MemoryRegistry()
    promote(result, registry)
    verdict = promote(replace(result, model=replace(result.model, data_digest="later data")), registry)
    assert verdict.promoted
    nothing = {"value": 0.0, "low": 0.0, "high": 0.0}
    assert verdict.champion_gains == {"AUC": nothing, "log-loss": nothing}
    assert registry.champion(result.name) == "2"


def test_a_champion_that_foretells_something_else_is_no_yardstick(lapsed: TrainingResult) -> None:
    registry = MemoryRegistry()
    promote(replace(passing(lapsed), label="no purchase in 56 days"), registry)
    verdict = promote(weaker(lapsed), registry)
    assert (verdict.promoted, verdict.champion_gains) == (True, {})


def test_a_champion_of_other_features_is_no_yardstick(lapsed: TrainingResult, tmp_path: Path) -> None:
    registry = MemoryRegistry()
    few = STANDARD.subset(lapsed.model.customer_columns)
    promote(replace(candidate_of(passing(lapsed)), feature_set=few), registry)
    verdict = promote(replace(passing(lapsed), model=replace(lapsed.model, data_digest="x")), registry)
    assert (verdict.promoted, verdict.champion_gains) == (True, {})


def test_the_champion_before_comes_back_and_leaves_again(lapsed: TrainingResult) -> None:
    registry = MemoryRegistry()
    promote(passing(lapsed), registry)
    with pytest.raises(RegistryError, match="nothing to go back to: got '1'; wanted an earlier champion; at lapse"):
        roll_back(registry, "lapse")
    promote(replace(passing(lapsed), model=replace(lapsed.model, data_digest="later data")), registry)
    assert (registry.champion("lapse"), roll_back(registry, "lapse"), registry.champion("lapse")) == ("2", "1", "1")
    assert (roll_back(registry, "lapse"), registry.champion("lapse")) == ("2", "2")


def test_figures_say_the_slope_and_the_bias_by_offer(responded: TrainingResult) -> None:
    metrics = candidate_of(responded).metrics
    assert {one["arm"] for one in metrics["by_action"]} == {"A mail", "B mail"}
    assert metrics["slope"]["value"] is not None


def test_champions_are_released_together(lapsed: TrainingResult, responded: TrainingResult, tmp_path: Path) -> None:
    registry = MemoryRegistry()
    promote(passing(lapsed), registry)
    promote(passing(responded), registry)
    version = release(registry, ("lapse", "response"), tmp_path / "bundle", STANDARD)
    bundle = load(tmp_path / "bundle", fingerprint=STANDARD.fingerprint)
    assert bundle.version == version
    assert bundle.customer_scores == ("lapse",)
    test = lapsed.test
    assert bundle.score_customers(test.features)["lapse"].tolist() == test.probability.tolist()
    test = responded.test
    assert bundle.score_actions(test.features, test.offers).tolist() == test.probability.tolist()


def test_nothing_is_released_without_a_champion(lapsed: TrainingResult, tmp_path: Path) -> None:
    registry = MemoryRegistry()
    promote(passing(lapsed), registry)
    with pytest.raises(
        RegistryError, match="no champion: got 'no version'; wanted a model that was trained; at response"
    ):
        release(registry, ("lapse", "response"), tmp_path / "bundle", STANDARD)
    assert not (tmp_path / "bundle").exists()
