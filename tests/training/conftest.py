import pytest

from tactful.features.events.dataset import EventDataset
from tactful.models.base.gbm import Parameters
from tactful.training.fit.job import TrainingResult
from tactful.training.jobs import lapse
from tactful.training.jobs import response_imported as response
from tests.training.shops import campaigns, frame, write

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
