"""What tests of stores put into them and read from them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from tactful.decisions.base.snapshot import Contact
from tactful.serving.engine.rendering import Renderer
from tactful.serving.store.catalogue_codec import catalogue_to_json
from tactful.serving.store.port import Draft, History, KnownCustomer, Profile, Store, StoredEvent
from tests.decisions.retailer import NOON, RETAILER, at, decided, having

Opener = Callable[[], Store]
T = "shop"
DAY = timedelta(days=1)
BUY = StoredEvent(1_000_000, 0, 9, 12.5, 1.25, 3.0, -1, "sku", "e1")
EMAIL = ("email", "marketing")
SPOKEN = decided(having(), decision_id="d1")
SILENT = decided(having(features=(1.0, 1.0), attributes={}), decision_id="d1")


def history(*profiles: Profile, asserted: datetime = NOON - 300 * DAY, **parts: Any) -> History:
    return History("Europe/Paris", asserted, profiles or (Profile("c1"),), **parts)


def known(store: Store, customer: str = "c1", moment: datetime = NOON, tenant: str = T) -> KnownCustomer:
    (found,) = store.customers(tenant, [(customer, moment)])
    assert found is not None
    return found


def draft(based_on: int, decision_id: str = "d1", customer: str = "c1", *, silent: bool = False) -> Draft:
    decision = replace(SILENT if silent else SPOKEN, id=decision_id, customer=customer)
    contact = (
        None if silent else Contact(NOON, "email", "win_back", "m", ("promo",), "win_back:first", True, decision_id)
    )
    return Draft(decision, b"inputs", based_on, contact, NOON + 2 * DAY, opened_by="e1")


def spoken(based_on: int, decision_id: str, customer: str = "c1", days: float = 0) -> Draft:
    """A decision for a message some days ago, whatever caps say, with the contact that it chose."""
    decision = decided(having(customer=customer, moment=at(days), contacts=()), decision_id=decision_id)
    assert decision.choice is not None
    action = decision.choice.action
    contact = Contact(decision.moment, action.channel, action.programme, action.message, action.tags, id=decision_id)
    return Draft(decision, b"{}", based_on, contact, decision.moment + 30 * DAY)


def keep_catalogue(store: Store) -> None:
    """Keep the retailer's catalogue, with which the decisions of these tests are made."""
    versions = SPOKEN.versions
    catalogue = Renderer(RETAILER.catalogue, RETAILER.vocabulary.features)
    store.keep_catalogue(
        T, versions.catalogue, versions.features, catalogue_to_json(catalogue.catalogue, catalogue.feature_names)
    )
