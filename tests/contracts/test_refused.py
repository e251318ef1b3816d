"""Counts of refused messages, on either store."""

from datetime import timedelta

from tactful.serving.store.port import Store
from tactful.serving.store.queries import refused
from tactful.serving.store.queries.refused import MOST, Refused
from tests.contracts.stores import T
from tests.decisions.retailer import NOON

UNKNOWN = Refused("unmapped", "track Button Pressed", "", "k1")
UNFIT = Refused("malformed", "track Order Completed", "not a number: at revenue", "k1")
MINUTE = timedelta(minutes=1)


def test_messages_alike_are_counted_together(store: Store) -> None:
    refused.add(store.database, T, {UNKNOWN: 2, UNFIT: 1}, NOON)
    refused.add(store.database, T, {UNKNOWN: 3, UNKNOWN._replace(key="k2"): 1}, NOON + MINUTE)
    refused.add(store.database, "other", {UNFIT: 9}, NOON)
    assert [(one.refused, one.count, one.first, one.last) for one in refused.counts(store.database, T)] == [
        (UNKNOWN, 5, NOON, NOON + MINUTE),
        (UNKNOWN._replace(key="k2"), 1, NOON + MINUTE, NOON + MINUTE),
        (UNFIT, 1, NOON, NOON),
    ]
    assert refused.summary(store.database, T, NOON) == {"malformed": 1, "unmapped": 6}
    assert refused.summary(store.database, T, NOON + MINUTE) == {"unmapped": 6}


def test_the_list_is_bounded_and_keeps_what_was_seen_last(store: Store) -> None:
    for number in range(4):
        some = {UNKNOWN._replace(name=f"track {number}-{other}"): 1 for other in range(MOST // 2)}
        refused.add(store.database, T, some, NOON + number * MINUTE)
    found = refused.counts(store.database, T)
    assert len(found) == MOST
    assert {one.last for one in found} == {NOON + 2 * MINUTE, NOON + 3 * MINUTE}
    refused.add(store.database, T, {UNKNOWN._replace(name=f"track {n}"): 1 for n in range(2 * MOST)}, NOON + 9 * MINUTE)
    assert len(refused.counts(store.database, T)) == MOST
