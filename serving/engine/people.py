"""Erases a person from the store and from the event partitions beside it."""

from collections.abc import Collection
from datetime import datetime
from pathlib import Path

from serving.store.admin.erasure import Erased, erase
from serving.store.admin.people import names_of
from serving.store.port import Store


def erase_person(store: Store, tenant: str, customer: str, when: datetime, histories: Path | None) -> Erased:
    """Erase a person from the partitions, then from the store, which alone knows all their names.

    Args:
        store: The store.
        tenant: Whose customer.
        customer: By any id they are known by.
        when: Now.
        histories: The tenant's data set of events, where there is one.

    Raises:
        EventError: The data set is of another release.
        StoreError: The store fails.
    """
    if histories is not None and histories.is_dir():
        with store.database.read() as connection:
            _erase_events(histories, names_of(connection, tenant, customer))
    return erase(store.database, tenant, customer, when)


def _erase_events(folder: Path, names: Collection[str]) -> None:
    from features.events import dataset  # brings pandas, which whoever only answers requests does without

    dataset.erase(dataset.open_events(folder), names)
