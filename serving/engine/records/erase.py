"""Tells an operator what is kept about a person, and erases a person from the store and the partitions beside it."""

from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import Any

from tactful.serving.errors import UnknownCustomerError
from tactful.serving.store.admin.erasure import Erased, erase
from tactful.serving.store.admin.people import export, names_of, salted
from tactful.serving.store.port import Store
from tactful.serving.store.queries.operator_actions import append


def export_person(store: Store, tenant: str, customer: str, when: datetime, by: str = "") -> dict[str, Any]:
    """Everything that is kept about a customer, as JSON values; it is recorded first who asked for it.

    Args:
        store: The store.
        tenant: The customer's tenant.
        customer: By any id they are known by.
        when: Now.
        by: The operator.

    Raises:
        UnknownCustomerError: Nothing is known.
        StoreError: The store fails.
    """
    found = export(store.database, tenant, customer)
    if found is None:
        raise UnknownCustomerError("unknown customer", got=customer, wanted="a customer that is known")
    with store.database.begin() as connection:
        subject = salted(connection, tenant, found["customer_id"])
        append(connection, tenant, "customer exported", subject, by=by, when=when)
    return found


def erase_person(
    store: Store, tenant: str, customer: str, when: datetime, histories: Path | None, by: str = ""
) -> Erased:
    """Erase a person from the partitions, then from the store, which alone knows all their names.

    Args:
        store: The store.
        tenant: The customer's tenant.
        customer: By any id they are known by.
        when: Now.
        histories: The tenant's data set of events, where there is one.
        by: Who does it, for the record of operators' actions.

    Raises:
        EventError: The data set is of another release.
        StoreError: The store fails.
    """
    if histories is not None and histories.is_dir():
        with store.database.read() as connection:
            _erase_events(histories, names_of(connection, tenant, customer))
    return erase(store.database, tenant, customer, when, by)


def _erase_events(folder: Path, names: Collection[str]) -> None:
    from tactful.features.events import dataset  # imports pandas, which answering requests does without

    dataset.erase(dataset.open_events(folder), names)
