"""The whole loop on a simulated shop, by the commands: learn, judge, release, take back, watch, learn again."""

import json
from pathlib import Path
from typing import Any

import pytest

from tactful.cli.wiring.bundles import history
from tactful.features.definitions.standard import STANDARD
from tactful.models.bundles.bundle import load
from tactful.serving.bootstrap import open_service
from tactful.serving.engine.in_force.pointer import bundle_folder
from tactful.serving.settings import Settings
from tactful.serving.store.admin.checking import check
from tests.cli.shopfront import tactful

WIDE = ("--tolerance", "2", "--max-contacts", "1", "--max-unsubscribes", "0.1")
GREEDIER = '{"kind": "inverse_gap", "gamma": 60}'


class Shop:
    """A simulated shop's folder, and commands upon it."""

    def __init__(self, folder: Path) -> None:
        self.data, self.runs, self.bundle = folder / "shop", folder / "mlflow", folder / "bundle"
        self.events = self.data / "events"
        self.made: dict[str, Any] = {}

    def told(self, *words: str | Path, code: int | None = 0) -> Any:
        """What a command says as JSON; of any exit code where None."""
        result = tactful(*map(str, words), "--json")
        assert code is None or result.exit_code == code, (words, result.output, result.exception)
        return {**json.loads(result.stdout), "exit": result.exit_code}

    def last_decision(self) -> str:
        """Id of the latest decision."""
        service = open_service(Settings.of(self.data))
        *_, last = service.store.decision_log(service.tenant)
        service.store.close()
        return last.id

    @property
    def champion(self) -> str:
        """The version that the service uses."""
        return load(bundle_folder(self.data / "champion"), fingerprint=STANDARD.fingerprint).version


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    kept = Shop(tmp_path_factory.mktemp("loop"))
    kept.made = kept.told("simulate", "--keep", kept.data, "--seeds", "2", "--customers", "120", "--weeks", "9")
    return kept


def test_the_whole_loop(shop: Shop) -> None:
    on_data, tracked = ("--data", shop.data), ("--store", shop.runs)
    first, made = shop.champion, shop.made["decisions"]
    assert shop.told("replay", shop.last_decision(), *on_data)["identical"]
    assert shop.told("kpis", *on_data)["until"] < shop.made["to"]

    # Learn: every model is trained and told apart, and whatever the gate of each says, a bundle comes of it.
    learn = ("--events", shop.events, *on_data, "--margin", "0.35", *tracked)
    models = shop.told("train", "all", *learn, "--bundle", shop.bundle, code=None)["models"]
    assert set(models) == {"lapse", "response", "clv", "unsubscribe", "effect"}
    assert all(one["promotion"]["promoted"] or one["promotion"]["reasons"] for one in models.values())
    assert models["effect"]["n"] > 400
    in_bundle = load(shop.bundle, fingerprint=STANDARD.fingerprint).models
    assert {"lapse", "response"} <= set(in_bundle)

    # Judge: a policy that is a little greedier, by every settled decision, with a report.
    verdict = shop.told("evaluate", *on_data, "--policy", GREEDIER, "--margin", "0.35", *tracked, code=None)
    assert (verdict["answer"] == "ship") is (verdict["exit"] == 0)
    assert verdict["figures"]["decisions"] > 800
    assert verdict["figures"]["contacts"]["candidate"] < verdict["figures"]["contacts"]["incumbent"]
    (report,) = shop.runs.glob(f"artifacts/releases/{verdict['run']}/artifacts/release.html")
    assert "simulated_shop, amounts in EUR" in report.read_text("utf-8")

    # Release: what learnt from everything has nothing left that could judge it. Put into use all the same, taken back.
    refused = shop.told("promote", shop.bundle, *on_data, *tracked, code=1)
    assert refused["reasons"]
    assert shop.champion == first
    shop.told("promote", shop.bundle, *on_data, *tracked, "--anyway", "a drill")
    assert shop.champion == load(shop.bundle, fingerprint=STANDARD.fingerprint).version != first
    assert shop.told("rollback", *on_data)["version"] == first == shop.champion
    assert [entry["why"] for entry in history(shop.data / "champion")][-2:] == ["a drill", "rolled back"]

    # Watch.
    watched = shop.told("monitor", *on_data, code=None)
    assert bool(watched["alerts"]) is (watched["exit"] == 1)
    assert watched["times"]["until"] == "2026-03-09T08:00:00+00:00"
    assert {"outcomes of all decisions", "outcomes of silence"} <= {rate["name"] for rate in watched["rates"]}
    assert shop.told("monitor", "--events", shop.events, "--period", "8w", code=None)["rows"]["after"] > 40

    # Learn again, and be judged by what was not learnt from; a second night finds everything done.
    retrained = shop.told("retrain", *learn, *WIDE, code=None)
    release = retrained["release"]
    assert release["promoted"] is (retrained["exit"] == 0)
    assert release["promoted"] or release["reasons"]
    assert (shop.champion == release["version"]) is release["promoted"]
    assert all(one["found"] for one in shop.told("retrain", *learn, *WIDE, code=None)["models"].values())

    # Nobody was decided about meanwhile.
    service = open_service(Settings.of(shop.data))
    assert sum(1 for _ in service.store.decision_log(service.tenant)) == made
    assert not check(service.store, service.tenant).findings
    service.store.close()
