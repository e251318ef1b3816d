"""Judging, promoting and rolling back, on the log of a shop."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tactful.cli.main import app
from tactful.cli.wiring.bundles import go_back, history, put_in_use
from tactful.cli.wiring.jobs import done
from tactful.cli.wiring.training_jobs import effect_job
from tactful.features.definitions.standard import STANDARD
from tactful.features.timestamps import microseconds
from tactful.models.base.errors import BundleError
from tactful.models.bundles.bundle import export, load
from tactful.models.bundles.registry import MlflowRegistry
from tactful.serving.engine.in_force.pointer import bundle_folder
from tactful.training.data.errors import TrainingError, UndecidedError
from tactful.training.gate.registry_gate import set_champion
from tests.cli.answered import opened
from tests.serving.shop import NOW, export_bundle, furnish, service_of

WIDE = ("--tolerance", "5", "--max-contacts", "1", "--max-unsubscribes", "0.1")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return opened(tmp_path_factory.mktemp("shop"))


def run(*arguments: str | Path) -> Any:
    words = [str(argument) for argument in arguments]
    return CliRunner().invoke(app, words, env={"COLUMNS": "200"}, catch_exceptions=False)


def told(*arguments: str | Path, code: int = 0) -> Any:
    result = run(*arguments, "--json")
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def test_effects_are_learnt_from_the_log(shop: Path, tmp_path: Path) -> None:
    found = told("train", "effect", "--data", shop, "--store", tmp_path)
    effects = found["effects"]
    assert effects["thank_you"]["taken"] + effects["thank_you_short"]["taken"] > 150
    assert abs(effects["thank_you"]["estimate"] - 0.4) < 3 * effects["thank_you"]["error"]
    assert effects["thank_you"]["prior"] == 0.05
    assert found["promotion"]["promoted"]
    assert told("train", "effect", "--data", shop, "--store", tmp_path)["found"]


def test_a_job_that_was_done_before_tells_who_is_the_champion_now(shop: Path, tmp_path: Path) -> None:
    train = ("train", "effect", "--data", shop, "--store", tmp_path / "mlflow")
    first, registry = told(*train)["promotion"]["version"], MlflowRegistry(tmp_path / "mlflow")
    set_champion(registry, "effect", registry.register("effect", registry.download("effect", first, tmp_path / "kept")))
    found = told(*train)
    assert found["found"]
    assert (found["promotion"]["promoted"], found["promotion"]["reasons"]) == (
        False,
        ["version 2 is the champion since"],
    )
    told("rollback", "--model", "effect", "--store", tmp_path / "mlflow")
    assert told(*train)["promotion"]["promoted"]


def with_effects(shop: Path, store: Path, judged_from: datetime | None) -> Path:
    """The bundle in use with effects that learnt nothing settled after a moment."""
    trained = done(effect_job(shop, None if judged_from is None else microseconds(judged_from)), store / "mlflow")
    kept = MlflowRegistry(store / "mlflow").download("effect", trained["promotion"]["version"], store / "kept")
    effects = load(kept, fingerprint=STANDARD.fingerprint).models
    present = load(bundle_folder(shop / "champion"), fingerprint=STANDARD.fingerprint).models
    export(store / "bundle", {**present, **effects}, STANDARD)
    return store / "bundle"


def test_learnt_effects_are_judged_by_the_decisions_after_them(tmp_path: Path) -> None:
    twice = opened(tmp_path / "shop", timedelta(days=14))
    bundle = with_effects(twice, tmp_path, NOW + timedelta(days=14))
    assert load(bundle, fingerprint=STANDARD.fingerprint).learnt_until == NOW + timedelta(days=7)
    verdict = told("evaluate", "--data", twice, "--bundle", bundle, "--no-track", *WIDE)
    held = {arm["arm"]: arm for arm in verdict["figures"]["calibration"]}
    assert verdict["figures"]["decisions"] == 400
    assert verdict["answer"] == "ship"
    assert verdict["figures"]["gain"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    assert 0.25 < held["thank_you"]["predicted"] < held["thank_you"]["observed"] + 0.05
    assert held["thank_you_short"]["predicted"] < held["thank_you"]["predicted"] - 0.1
    for early in ((NOW + timedelta(days=6)).isoformat(), "2020-01-01"):
        with pytest.raises(
            TrainingError, match=r"decisions that the models learnt from cannot judge them: got .* or la"
        ):
            run("evaluate", "--data", twice, "--bundle", bundle, "--no-track", "--since", early)
        with pytest.raises(TrainingError, match="decisions that the models learnt from cannot judge them"):
            run("promote", bundle, "--data", twice, "--store", tmp_path / "mlflow", "--since", early)


def test_a_bundle_that_learnt_from_every_decision_has_none_to_judge_it(shop: Path, tmp_path: Path) -> None:
    bundle = with_effects(shop, tmp_path, None)
    with pytest.raises(UndecidedError, match="cannot be judged: no decision is settled: got '0 decisions to judge by'"):
        run("evaluate", "--data", shop, "--bundle", bundle, "--no-track")
    found = told("promote", bundle, "--data", shop, "--store", tmp_path / "mlflow", code=1)
    assert (found["answer"], found["promoted"]) == ("experiment", False)
    assert found["reasons"][0].startswith("cannot be judged: no decision is settled")


def test_a_bundle_that_does_not_say_what_it_learnt_needs_to_be_told(shop: Path, tmp_path: Path) -> None:
    present = load(bundle_folder(shop / "champion"), fingerprint=STANDARD.fingerprint).models
    silent = {name: replace(model, learnt_until=None) for name, model in present.items()}
    export(tmp_path / "old", silent, STANDARD)
    ask = ("evaluate", "--data", shop, "--bundle", tmp_path / "old", "--no-track", *WIDE)
    with pytest.raises(UndecidedError, match="cannot be judged: got 'models that do not say until when they learnt'"):
        run(*ask)
    assert told(*ask, "--since", "2026-05-01")["answer"] == "ship"


def test_a_running_service_takes_a_promotion_and_a_rollback(tmp_path: Path) -> None:
    settings = furnish(tmp_path)
    service = service_of(settings)
    second = export_bundle(tmp_path / "next", seed=1)
    first = service.decide("thankful", "d1").decision.versions.bundle
    put_in_use(tmp_path / "next", settings.champion, "better")
    assert service.decide("thankful", "d2").decision.versions.bundle == second
    go_back(settings.champion, "worse")
    assert service.decide("thankful", "d3").decision.versions.bundle == first
    service.store.close()


def test_contacts_of_one_moment_show_no_pressure(shop: Path) -> None:
    with pytest.raises(TrainingError, match="too short a log to split"):
        run("train", "pressure", "--data", shop, "--no-track")


def test_a_better_policy_ships_and_a_worse_one_is_exit_code_1(shop: Path) -> None:
    prefer = '{"kind": "softmax", "temperature": 2.0}'
    better = told("evaluate", "--data", shop, "--policy", prefer, "--no-track", *WIDE)
    assert (better["answer"], better["run"]) == ("ship", None)
    assert better["figures"]["decisions"] >= 400
    worse = told("evaluate", "--data", shop, "--policy", prefer, "--no-track", "--max-contacts", "0", code=1)
    assert worse["answer"] in ("experiment", "no")
    assert worse["reasons"]


def test_the_verdict_is_told_with_its_checks(shop: Path, tmp_path: Path) -> None:
    result = run("evaluate", "--data", shop, "--policy", '{"kind": "random"}', "--store", tmp_path, *WIDE)
    assert result.exit_code == 0, result.output
    for check in ("support", "value", "contacts", "unsubscribes", "calibration"):
        assert check in result.stdout
    assert "release.html" in result.stdout


def test_only_the_decisions_that_a_candidate_did_not_learn_from_may_judge_it(shop: Path) -> None:
    greedy = ("--data", shop, "--policy", '{"kind": "random"}', "--no-track", *WIDE)
    assert told("evaluate", *greedy, "--since", "2020-01-01") == told("evaluate", *greedy)
    with pytest.raises(UndecidedError, match="cannot be judged: no decision is settled"):
        run("evaluate", *greedy, "--since", "2100-01-01")


def test_a_candidate_is_needed_and_must_be_one(shop: Path) -> None:
    with pytest.raises(TrainingError, match="nothing to judge"):
        run("evaluate", "--data", shop)
    with pytest.raises(TrainingError, match="not a policy: got 'greedy'"):
        run("evaluate", "--data", shop, "--policy", "greedy")


def test_a_bundle_is_promoted_and_taken_back(shop: Path, tmp_path: Path) -> None:
    export_bundle(tmp_path / "next", seed=1)
    pointer = shop / "champion"
    before = load(bundle_folder(pointer), fingerprint=STANDARD.fingerprint).version
    store = ("--store", tmp_path / "mlflow")
    found = told("promote", tmp_path / "next", "--data", shop, *store, *WIDE, "--anyway", "a test")
    assert (found["promoted"], found["run"] is not None) == (True, True)
    after = load(bundle_folder(pointer), fingerprint=STANDARD.fingerprint).version
    assert after == found["version"] != before
    assert [entry["why"] for entry in history(pointer)] == ["in use before the first promotion", "a test"]
    assert told("rollback", "--data", shop) == {"version": before, "what": "bundle"}
    actions = [(row["action"], row["subject"]) for row in told("audit", "list", "--data", shop)["actions"]]
    assert ("bundle rolled back", before) in actions
    assert ("bundle promoted", found["version"]) in actions
    assert load(bundle_folder(pointer), fingerprint=STANDARD.fingerprint).version == before


def test_there_may_be_nothing_to_go_back_to(tmp_path: Path) -> None:
    export_bundle(tmp_path / "champion")
    with pytest.raises(BundleError, match="nothing to go back to"):
        go_back(tmp_path / "champion", "why")


def test_folders_become_pointers_and_history_goes_both_ways(tmp_path: Path) -> None:
    first, second = export_bundle(tmp_path / "champion"), export_bundle(tmp_path / "next", seed=2)
    pointer = tmp_path / "champion"
    assert put_in_use(tmp_path / "next", pointer, "better") == second
    assert pointer.is_file()
    assert [entry["version"] for entry in history(pointer)] == [first, second]
    assert go_back(pointer, "worse") == first
    assert load(bundle_folder(pointer), fingerprint=STANDARD.fingerprint).version == first
    assert go_back(pointer, "not so bad") == second


def test_a_damaged_bundle_changes_nothing(tmp_path: Path) -> None:
    export_bundle(tmp_path / "champion")
    export_bundle(tmp_path / "next", seed=1)
    (tmp_path / "next" / "lapse.txt").write_text("tree")
    with pytest.raises(BundleError, match="a changed file"):
        put_in_use(tmp_path / "next", tmp_path / "champion", "why")
    assert (tmp_path / "champion").is_dir()
    assert history(tmp_path / "champion") == []
