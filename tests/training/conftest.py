import pytest

from features.events.dataset import EventDataset
from models.base.gbm import Parameters
from tests.training.shops import campaigns, frame, write
from training.fit.job import TrainingResult
from training.jobs import lapse
from training.jobs import response_imported as response

SMALL = Parameters(rounds=120, leaf_rows=20, leaves=7)


@pytest.fixture(scope="package")
def shop(tmp_path_factory: pytest.TempPathFactory) -> EventDataset:
    """A shop of 300 customers, open for 300 days."""
    return write(frame(), tmp_path_factory.mktemp("shop") / "events")


@pytest.fixture(scope="package")
def lapsed(shop: EventDataset) -> TrainingResult:
    return lapse.train(shop, parameters=SMALL)


@pytest.fixture(scope="package")
def responded(shop: EventDataset) -> TrainingResult:
    return response.train(shop, campaigns(), parameters=SMALL)
