"""A service's folder, opened for analysis on either store: tables of stable types, decisions without a trace."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import select

import tactful
from tactful.experiments.assignment.arms import Exposure
from tactful.features.events.dataset import open_events
from tactful.serving.bootstrap import open_service, open_store
from tactful.serving.engine.contacts import report
from tactful.serving.engine.queries.customers import customer_view
from tactful.serving.errors import SettingsError, UnknownCustomerError, UnknownDecisionError
from tactful.serving.folder.service_folder import ServiceFolder
from tactful.serving.settings import Settings
from tactful.serving.store.port import History, Profile
from tactful.serving.store.queries.experiments import expose
from tactful.serving.store.schema import metadata
from tests.serving.shop import NOW, furnish, stock

TABLES_OF_STORE = sorted(metadata.tables.items())
TABLES = ("events", "contacts", "decisions", "outcomes", "customers")


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return furnish(tmp_path_factory.mktemp("furnished") / "shop").data


@pytest.fixture
def folder(furnished: Path, url: str) -> Iterator[ServiceFolder]:
    """The shop on an own store: two decisions, one of them answered."""
    store = open_store(url)
    stock(store, open_events(furnished / "events"))
    service = open_service(Settings.of(furnished, store=url), store)
    for customer in ("thankful", "regular"):
        service.decide(customer, f"d-{customer}")
    report(service, "d-thankful", "converted", "order-1", NOW + timedelta(hours=1), 42.5)
    expose(store.database, "default", [Exposure("chance", "thankful", "ours", "d-thankful", NOW, {})])
    store.close()
    with tactful.open(furnished, store=url) as opened:
        yield opened


def rows(folder: ServiceFolder) -> dict[str, set[tuple[Any, ...]]]:
    """Every row of every table of the store."""
    with folder.store.database.read() as connection:
        return {name: {tuple(row) for row in connection.execute(select(table))} for name, table in TABLES_OF_STORE}


def test_the_tables_hold_what_the_store_holds(folder: ServiceFolder) -> None:
    decisions = folder.decisions().set_index("decision_id")
    assert decisions.loc["d-thankful", ["programme", "message", "channel"]].tolist() == [
        "thanks", "thank_you", "email",
    ]  # fmt: skip
    assert decisions["time"].tolist() == [NOW, NOW]
    assert decisions.loc["d-regular", "silence"] == "no opening"
    assert decisions.loc["d-regular", ["programme", "priority"]].isna().all()
    contacts = folder.contacts().set_index("contact_id")
    assert contacts.loc["d-thankful", ["customer_id", "status", "message"]].tolist() == [
        "thankful", "sent", "thank_you",
    ]  # fmt: skip
    (outcome,) = folder.outcomes().to_dict("records")
    assert (outcome["decision_id"], outcome["kind"], outcome["value"]) == ("d-thankful", "converted", 42.5)
    bought = folder.events().query("customer_id == 'thankful' and type == 'purchase'")
    assert bought["amount"].tolist() == [80.0] * 3
    customers = folder.customers().set_index("customer_id")
    assert customers.loc["leaver", ["zone", "attribute_first_name"]].tolist() == ["Europe/Paris", "Ada"]
    assert customers["consent_email_marketing"].to_dict()["refuser"] is False


def test_an_attribute_that_does_not_fit_its_type_is_missing(folder: ServiceFolder) -> None:
    odd = {"a": "many", "b": 10**400, "c": True, "d": 3}
    profiles = [Profile(name, attributes={"goal": goal, "first_name": 7}) for name, goal in odd.items()]
    folder.store.load("default", History("UTC", NOW, profiles))
    found = folder.customers().set_index("customer_id").loc[list(odd)]
    assert found["attribute_goal"].fillna(-1.0).tolist() == [-1.0, -1.0, -1.0, 3.0]
    assert found["attribute_first_name"].isna().all()


def test_an_empty_table_has_the_columns_and_types_of_a_full_one(furnished: Path, folder: ServiceFolder) -> None:
    with tactful.open(furnished, store=folder.settings.store, tenant="nobody") as empty:
        for table in TABLES:
            none, some = getattr(empty, table)(), getattr(folder, table)()
            assert (len(none), len(some) > 0) == (0, True)
            pd.testing.assert_series_equal(none.dtypes, some.dtypes)
        none, some = empty.exposures("none"), folder.exposures("chance")
        assert (len(none), len(some)) == (0, 1)
        pd.testing.assert_series_equal(none.dtypes, some.dtypes)
        none, some = empty.features(NOW), folder.features(NOW)
        assert (none.shape, none.index.dtype) == ((0, some.shape[1]), some.index.dtype)


def test_features_are_those_that_a_decision_is_made_on(folder: ServiceFolder) -> None:
    table = folder.features(NOW)
    for customer in ("thankful", "leaver", "celebrant"):
        own = customer_view(folder.service, customer).features
        pd.testing.assert_series_equal(table.loc[customer], pd.Series(own), check_names=False, check_exact=True)
    before = folder.features("2026-04-01T00:00")
    assert before.loc["thankful", "purchases_total"] == 1
    assert table.loc["thankful", "purchases_total"] == 3


def test_deciding_writes_nothing(folder: ServiceFolder) -> None:
    before = rows(folder)
    made = folder.decide("leaver", id="d-none")
    assert made.action is not None
    assert made.action.startswith("win_back/miss_you/")
    assert folder.decide("leaver", channels=("sms",)).action is None
    assert rows(folder) == before


def test_an_explanation_is_text_a_table_and_html(folder: ServiceFolder) -> None:
    found = folder.explain("d-thankful")
    assert str(found).startswith("Chosen: thank_you of thanks by email, worth")
    assert repr(found) == "<Explanation d-thankful: thanks/thank_you/email>"
    candidates = found.candidates()
    assert candidates["message"].tolist()[0] == "thank_you"
    assert candidates["excluded"].isna().tolist()[0]
    silent = folder.explain("d-regular")
    pd.testing.assert_series_equal(silent.candidates().dtypes, candidates.dtypes)
    html: Any = found._repr_html_()
    assert "<strong>thanks/thank_you/email</strong>" in html
    assert "Thank you for 80 USD." in html
    assert silent._repr_html_().count("<table") == 0


def test_markup_of_a_customer_is_shown_as_text(folder: ServiceFolder) -> None:
    html = folder.decide("thankful", channels=("sms",))._repr_html_()
    assert "<b>Ben" not in html


def test_the_catalogue_is_the_one_in_force(folder: ServiceFolder) -> None:
    assert [programme.id for programme in folder.catalogue.programmes] == ["win_back", "thanks", "birthday"]


def test_what_is_not_there_is_named(folder: ServiceFolder, tmp_path: Path) -> None:
    with pytest.raises(UnknownCustomerError, match="got 'stranger'"):
        folder.decide("stranger")
    with pytest.raises(UnknownDecisionError, match="got 'd-9'"):
        folder.explain("d-9")
    with pytest.raises(tactful.TactfulError, match=r"not a moment: got 'noon'; wanted ISO 8601"):
        folder.features("noon")
    with pytest.raises(SettingsError, match=r"no such folder: got '.*/gone'; wanted a folder that"):
        tactful.open(tmp_path / "gone")
    with pytest.raises(SettingsError, match=r"no such store: got 'sqlite:.*'; wanted a folder that"):
        tactful.open(tmp_path)
    assert list(tmp_path.glob("tactful.db*")) == []
