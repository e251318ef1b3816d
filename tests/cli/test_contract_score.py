"""Contractual churn in use: learnt beside the other scores, without campaigns, and read by a decision."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from tactful.cli.main import app
from tactful.cli.wiring.training import release_all
from tactful.decisions.kernel.decide import Request, RunContext, decide
from tactful.decisions.loading import parse_catalogue
from tactful.features.definitions.standard import STANDARD
from tactful.models.bundles.bundle import Bundle, load
from tactful.models.bundles.registry import MlflowRegistry
from tactful.serving.engine.in_force.champion import vocabulary
from tactful.training.gate.registry_gate import set_champion
from tests.decisions.people import person, told
from tests.decisions.rehearsal import GREEDY
from tests.training.shops import frame, write
from tests.training.test_renewals import subscribers

NOW = datetime(2026, 5, 5, 16, tzinfo=UTC)
CATALOGUE = """
catalogue: subscription
currency: EUR
timezone: Europe/Dublin
objective: effect
attributes:
  contract_ends: {type: date}
segments:
  leaving: scores.contract_churn >= 0.5
channels:
  email: {cost: 0.002, subject: true}
programmes:
  - id: contract_30
    trigger: {kind: date, attribute: contract_ends, every: once, before: 30, at: "09:00", expiry: 25d}
    messages:
      - id: two_taps
        channels: email
        state: "!segment.leaving"
        value: 60
        effect: {mean: 0.05}
        content: {subject: Thirty days left, body: "Two taps, and everything stays as it is."}
      - id: stay_for_less
        channels: email
        state: segment.leaving
        value: 60
        discount: 15
        offer: {months: 12}
        response: {mean: 0.12}
        effect: {mean: 0.08}
        content: {subject: Stay for a quarter less, body: "Another year for a quarter less."}
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of buyers and of subscribers with contracts, and no campaigns."""
    folder = tmp_path_factory.mktemp("shop")
    signed, table, _ = subscribers(seed=0, customers=1500)
    buyers = frame(customers=150, days=580)
    write(pd.concat([buyers[buyers["type"] == "purchase"], signed], ignore_index=True), folder / "events")
    table.to_parquet(folder / "contracts.parquet")
    return folder


def trained(shop: Path, *more: str) -> Any:
    words = ["train", "all", "--events", str(shop / "events"), "--store", str(shop / "mlflow"), "--json", *more]
    return CliRunner().invoke(app, words)


@pytest.fixture(scope="module")
def learnt(shop: Path) -> tuple[dict[str, Any], str]:
    """What was told of the models, and of those left out."""
    result = trained(shop, "--contracts", str(shop / "contracts.parquet"))
    models = json.loads(result.stdout)["models"]
    assert result.exit_code == any(model["refused"] for model in models.values()), result.output
    return models, result.stderr


@pytest.fixture(scope="module")
def bundle(shop: Path, learnt: tuple[dict[str, Any], str]) -> Bundle:
    registry = MlflowRegistry(shop / "mlflow")
    for name in learnt[0]:
        set_champion(registry, name, registry.versions(name)[-1])
    release_all(shop / "mlflow", shop / "bundle")
    return load(shop / "bundle", fingerprint=STANDARD.fingerprint)


def test_a_shop_without_campaigns_learns_the_rest(learnt: tuple[dict[str, Any], str]) -> None:
    models, said = learnt
    assert set(models) == {"lapse", "clv", "contract_churn"}
    assert models["contract_churn"]["parameters"]["notice_days"] == 30
    assert "left out: no campaigns" in said


def test_the_bundle_has_the_score_and_no_response(bundle: Bundle) -> None:
    assert set(bundle.customer_scores) == {"lapse", "clv", "contract_churn"}
    assert bundle.explained == ("contract_churn", "lapse")


@pytest.mark.parametrize(("views", "message"), [(90, "two_taps"), (1, "stay_for_less")])
def test_a_decision_reads_the_score(bundle: Bundle, views: int, message: str) -> None:
    """Who looked in often will stay; who looked in once will not. Offers wait for a model that reads them."""
    compiled = parse_catalogue(CATALOGUE, vocabulary(bundle.names), "contract.yaml")
    happened = [*told("purchase", 150, amount=20.0), *told("view", *(150 - 140 * i / views for i in range(views)))]
    reader = person(compiled, NOW, happened, contract_ends=(NOW + timedelta(days=30)).date())
    (decision,) = decide([Request("d", reader)], compiled, GREEDY, bundle, RunContext(explores=False))
    assert decision.choice is not None
    assert decision.choice.action.message == message
    assert (decision.scores["contract_churn"] >= 0.5) == (message == "stay_for_less")


@pytest.mark.parametrize("option", ["--contracts", "--campaigns"])
def test_a_file_that_is_named_must_be_there(shop: Path, option: str) -> None:
    error = trained(shop, option, str(shop / "none.parquet")).exception
    assert "no such file" in str(error)


def test_retraining_takes_contracts_too(shop: Path, bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "catalogue.yaml").write_text(CATALOGUE)
    words = ["retrain", "--events", str(shop / "events"), "--contracts", str(shop / "contracts.parquet")]
    words += ["--store", str(shop / "mlflow"), "--data", str(tmp_path), "--json"]
    result = CliRunner().invoke(app, words)
    found = json.loads(result.stdout)
    assert all(model["found"] for model in found["models"].values())
    assert set(found["models"]) == {"lapse", "clv", "contract_churn"}
    assert found["release"]["version"] == bundle.version
