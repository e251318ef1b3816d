"""The bars both models must reach on the default data."""

from pathlib import Path

import pytest

from tactful.features.events import complete_journey
from tactful.features.events.dataset import EventDataset, write_events
from tactful.training.gate.registry_gate import promote
from tactful.training.jobs import lapse
from tactful.training.jobs import response_imported as response
from tests.contracts.registries import MemoryRegistry


@pytest.fixture(scope="module")
def journey() -> complete_journey.CompleteJourney:
    return complete_journey.load()


@pytest.fixture(scope="module")
def dataset(journey: complete_journey.CompleteJourney, tmp_path_factory: pytest.TempPathFactory) -> EventDataset:
    folder: Path = tmp_path_factory.mktemp("journey") / "events"
    return write_events(journey.events, folder, zone=complete_journey.ZONE, categories=journey.categories)


def test_the_lapse_model_reaches_its_bars(dataset: EventDataset) -> None:
    result = lapse.train(dataset)
    metrics = result.metrics
    assert metrics["split"]["test"]["from"] == "2017-12-03"
    assert metrics["auc"]["value"] >= 0.855
    assert metrics["log_loss"]["value"] <= 0.29
    assert metrics["ece"]["value"] <= 0.03
    assert metrics["baselines"]["frequency"]["auc"]["value"] == pytest.approx(0.833, abs=0.005)
    assert metrics["baselines"]["recency"]["auc"]["value"] == pytest.approx(0.754, abs=0.005)
    assert promote(result, MemoryRegistry()).promoted


def test_the_response_model_reaches_its_bars(journey: complete_journey.CompleteJourney, dataset: EventDataset) -> None:
    result = response.train(dataset, journey.campaigns)
    metrics = result.metrics
    assert (metrics["split"]["validation"]["from"], metrics["split"]["test"]["from"]) == ("2017-08-08", "2017-10-04")
    assert (metrics["n"], metrics["positives"]) == (1653, 266)
    assert metrics["left_out"] == {"before the first purchase": 147, "window beyond the end of the log": 785}
    assert metrics["auc"]["value"] >= 0.80
    assert metrics["ece"]["value"] <= 0.03
    assert metrics["baselines"]["past_redemptions"]["auc"]["value"] == pytest.approx(0.75, abs=0.01)
    assert promote(result, MemoryRegistry()).promoted
