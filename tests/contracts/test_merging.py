"""Every store merges only what is allowed, in bounds, and can undo each merge."""

import itertools
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from tactful.decisions.base.snapshot import Contact
from tactful.experiments.assignment.arms import Exposure
from tactful.features.timestamps import microseconds
from tactful.features.vocabulary import CHANNELS, EVENT_TYPES
from tactful.serving.errors import NotMergedError
from tactful.serving.store.admin.erasure import erase
from tactful.serving.store.port import MERGES_AN_HOUR, Arrival, Outcome, Profile, Receipt, Store
from tactful.serving.store.queries.experiments import expose
from tactful.serving.store.queries.merges import finish_merges
from tactful.serving.store.schema import exposures, merges, metadata, origins, profile_changes
from tests.contracts.stores import BUY, DAY, EMAIL, Opener, T, draft, history, known
from tests.contracts.test_taking import at_once, bought, ids, told
from tests.decisions.retailer import NOON, at

CALL = ("call", "marketing")
RECORDED = (merges, origins, profile_changes)
"""Tables in which a merge leaves a record."""


def tie(name: str, customer: str, alias: str, *, merges_users: bool = False) -> Arrival:
    """A message that says that two ids are one customer's."""
    return Arrival(name, customer, alias=alias, is_user=True, merges_users=merges_users, caller="k1")


def user(name: str, customer: str, days: float = 1) -> Arrival:
    """A purchase of somebody who has logged in."""
    return replace(bought(name, customer, days), is_user=True)


def state(store: Store) -> dict[str, list[Any]]:
    """Everything in a store but the records of merges and actions, message ids, versions and the salt."""
    found: dict[str, list[Any]] = {}
    with store.database.read() as connection:
        for table in metadata.sorted_tables:
            if table not in RECORDED and table.name not in {"arrivals", "operator_actions"}:
                wanted = [column for column in table.columns if column.name not in {"version", "salt"}]
                found[table.name] = sorted(map(repr, connection.execute(select(*wanted)).all()))
    return found


def fill(store: Store) -> None:
    """Two users who have something in every table, some of it alike."""
    for who, days in (("ada", 3.0), ("eve", 5.0)):
        profile = Profile(
            who, "Asia/Tokyo" if who == "ada" else None, at(days), {"name": who, who: days}, {EMAIL: who == "ada"}
        )
        contact = Contact(at(days), "mail", message="spring", id="same")
        store.load(T, history(profile, events=[(who, BUY._replace(id=f"b-{who}"))], contacts=[(who, contact)]))
        store.ingest(T, [user(f"e-{who}", who, days), told(f"p-{who}", who, days, consents={CALL: who == "eve"})], NOON)
        store.record(T, [draft(known(store, who).version, f"d-{who}", who)])
        store.ingest(
            T, [Arrival(f"o-{who}", who, outcome=Outcome(f"d-{who}", "clicked", microseconds(NOON), 1.0))], NOON
        )
        expose(store.database, T, [Exposure("x1", who, f"arm of {who}", f"d-{who}", at(days), {})])


def test_an_anonymous_id_becomes_a_user_once_and_users_stay_apart(store: Store) -> None:
    store.ingest(T, [user("e1", "u1"), user("e2", "u2"), bought("e3", "a1")], NOON)
    assert store.ingest(T, [tie("i1", "u1", "a1"), tie("i2", "u2", "a1")], NOON) == [Receipt.KEPT] * 2
    assert (ids(store, "u1"), ids(store, "u2")) == (["e1", "e3"], ["e2"])
    before = state(store)
    refused = [tie("i3", "u1", "u2"), tie("i4", "u2", "u1"), tie("i5", "stranger", "u1"), tie("i6", "u2", "c1")]
    assert store.ingest(T, refused, NOON) == [Receipt.NOT_MERGED] * 4
    assert {**state(store), "customers": []} == {**before, "customers": []}
    assert store.customer_ids(T) == ["c1", "stranger", "u1", "u2"]
    assert store.ingest(T, [tie("i3", "u1", "u2", merges_users=True)], NOON) == [Receipt.KEPT], "the id was not used up"
    assert ids(store, "u2") == ["e1", "e2", "e3"]


@pytest.mark.parametrize(
    "known_by",
    [
        lambda name: user("e1", name),
        lambda name: replace(told("p1", name, attributes={"a": 1}), is_user=True),
    ],
)
def test_a_user_is_known_from_the_first_message_on_also_within_a_batch(store: Store, known_by: Any) -> None:
    assert store.ingest(T, [known_by("u2"), tie("i1", "u1", "u2")], NOON) == [Receipt.KEPT, Receipt.NOT_MERGED]
    assert store.ingest(T, [tie("i2", "u1", "u2")], NOON) == [Receipt.NOT_MERGED]


def test_a_message_whose_merge_is_refused_is_kept_apart_from_that(store: Store) -> None:
    both = replace(user("e1", "u1"), alias="c1", profile=Profile("u1", attributes={"name": "Ada"}), wake=b"w")
    assert store.ingest(T, [both, both], NOON) == [Receipt.NOT_MERGED, Receipt.DUPLICATE]
    assert (ids(store, "u1"), known(store, "u1").attributes, store.resolve(T, "c1")) == (["e1"], {"name": "Ada"}, "c1")


def test_one_batch_does_not_make_one_customer_of_everybody(store: Store) -> None:
    store.load(T, history(*(Profile(f"p{n}") for n in range(100))))
    users = [tie(f"i{n}", "thief", f"p{n}") for n in range(100)]
    assert store.ingest(T, users, NOON) == [Receipt.NOT_MERGED] * 100
    for allowed in (False, True):
        visitors = [tie(f"v{allowed}{n}", f"t{allowed}", f"v{allowed}{n}", merges_users=allowed) for n in range(50)]
        receipts = store.ingest(T, visitors, NOON)
        assert receipts == [Receipt.KEPT] * MERGES_AN_HOUR + [Receipt.MERGE_LIMIT] * (50 - MERGES_AN_HOUR)
        assert store.ingest(T, [visitors[-1]], NOON + timedelta(minutes=59)) == [Receipt.MERGE_LIMIT]
        assert store.ingest(T, [visitors[-1]], NOON + timedelta(minutes=61)) == [Receipt.KEPT]


def test_several_at_once_do_not_pass_the_limit(opener: Opener, store: Store) -> None:
    store.ingest(T, [user("e1", "u1")], NOON)

    def work(other: Store, number: int) -> None:
        for n in range(15):
            other.ingest(T, [tie(f"i{number}-{n}", "u1", f"a{number}-{n}")], NOON)

    at_once(opener, work)
    with store.database.read() as connection:
        assert len(connection.execute(select(merges)).all()) == MERGES_AN_HOUR


def test_a_merge_undone_is_as_if_it_had_not_been(store: Store) -> None:
    fill(store)
    before = state(store)
    for _ in range(2):
        store.ingest(T, [tie(f"i{_}", "ada", "eve", merges_users=True)], NOON)
        assert store.resolve(T, "eve") == "ada"
        assert len(ids(store, "ada")) == 4
        undone = store.unmerge(T, "eve", NOON + DAY)
        assert (undone.alias, undone.customer, undone.names) == ("eve", "ada", ("eve",))
        assert state(store) == before
    with store.database.read() as connection:
        assert connection.execute(select(origins)).all() == connection.execute(select(profile_changes)).all() == []
        rows = connection.execute(select(merges.c.alias, merges.c.customer, merges.c.caller, merges.c.undone)).all()
    assert [tuple(row) for row in rows] == [("eve", "ada", "k1", microseconds(NOON + DAY))] * 2


def test_what_came_since_goes_to_the_id_it_came_under(store: Store) -> None:
    fill(store)
    store.ingest(T, [tie("i1", "ada", "eve", merges_users=True)], NOON)
    late = [
        user("s-eve", "eve", 0.4),
        user("s-ada", "ada", 0.3),
        told("t1", "eve", 0.2, attributes={"name": "Eve", "ada": None}, zone="Europe/Paris"),
        told("t2", "ada", 0.2, attributes={"city": "Nara"}, consents={("sms", "marketing"): True}),
        told("t3", "eve", 0.1, consents={("push", "marketing"): True}),
    ]
    store.ingest(T, late, NOON)
    store.ingest(T, [Arrival("m-eve", "eve", mailed("m-eve"))], NOON)
    store.record(T, [draft(known(store, "eve").version, "d-both", "ada")])
    store.load(T, history(Profile("eve", attributes={"tier": "gold"}), events=[("eve", BUY._replace(id="l-eve"))]))
    store.unmerge(T, "eve", NOON)
    assert sorted(ids(store, "eve")) == ["b-eve", "e-eve", "l-eve", "m-eve", "s-eve"]
    assert sorted(ids(store, "ada")) == ["b-ada", "e-ada", "s-ada"]
    ada, eve = known(store, "ada"), known(store, "eve")
    assert ada.attributes == {"name": "ada", "ada": 3.0, "city": "Nara"}
    assert eve.attributes == {"name": "Eve", "eve": 5.0, "tier": "gold"}
    assert (ada.zone, eve.zone) == ("Asia/Tokyo", "Europe/Paris")
    assert ada.consents == {EMAIL: True, CALL: False, ("sms", "marketing"): True}
    assert eve.consents == {EMAIL: False, CALL: True, ("push", "marketing"): True}
    assert sorted(c.id for c in ada.contacts or ()) == ["d-ada", "d-both", "same"]
    assert sorted(c.id for c in eve.contacts or ()) == ["d-eve", "m-eve", "same"]


def mailed(name: str) -> tuple[Any, ...]:
    """An e-mail that somebody else sent."""
    kind, channel = EVENT_TYPES.index("contact"), CHANNELS.index("email")
    return BUY._replace(id=name, type=kind, channel=channel, time=microseconds(at(0.5)))


def test_a_refusal_while_two_were_one_counts_for_both(store: Store) -> None:
    every = {EMAIL: True, CALL: True}
    for who in ("ada", "eve"):
        store.ingest(T, [replace(told(f"p-{who}", who, 5, consents=every), is_user=True)], NOON)
    store.record(T, [draft(known(store, "ada").version, "d1", "ada")])
    store.ingest(T, [tie("i1", "ada", "eve", merges_users=True)], NOON)
    store.ingest(T, [told("r1", "eve", 1, consents={CALL: False})], NOON)
    store.ingest(T, [Arrival("r2", "ada", outcome=Outcome("d1", "unsubscribed", microseconds(NOON)))], NOON)
    store.unmerge(T, "eve", NOON)
    assert known(store, "ada").consents == known(store, "eve").consents == {EMAIL: False, CALL: False}


def test_an_id_takes_along_who_was_merged_into_it_and_is_separated_from_within(store: Store) -> None:
    store.ingest(T, [user("e1", "u1"), user("e2", "u2"), bought("e3", "a1", 2), bought("e4", "a2", 3)], NOON)
    store.ingest(T, [told("p1", "a1", attributes={"n": "a1", "a1": 1}), told("p2", "u2", attributes={"n": "u2"})], NOON)
    apart = state(store)
    store.ingest(T, [tie("i1", "u2", "a1"), tie("i2", "u2", "a2")], NOON)
    before = state(store)
    store.ingest(T, [tie("i3", "u1", "u2", merges_users=True), bought("e5", "a1", 0.5)], NOON)
    assert len(ids(store, "u1")) == 5
    assert store.unmerge(T, "u2", NOON).names == ("u2", "a1", "a2")
    assert ids(store, "u1") == ["e1"]
    assert sorted(ids(store, "a1")) == ["e2", "e3", "e4", "e5"]
    assert state(store)["identities"] == before["identities"]

    store.ingest(T, [tie("i4", "u1", "u2", merges_users=True)], NOON)
    store.unmerge(T, "a1", NOON)
    assert sorted(ids(store, "a1")) == ["e3", "e5"]
    assert (known(store, "a1").attributes, known(store, "u2").attributes) == ({"n": "a1", "a1": 1}, {"n": "u2"})
    store.unmerge(T, "u2", NOON)
    assert store.unmerge(T, "a2", NOON).customer == "u2"
    after = state(store)
    assert {**after, "events": []} == {**apart, "events": []}


def test_who_was_separated_stays_so_until_somebody_merges_users(store: Store) -> None:
    store.ingest(T, [bought("e1", "a1"), tie("i1", "u1", "a1")], NOON)
    store.unmerge(T, "a1", NOON)
    assert store.ingest(T, [tie("i2", "u1", "a1"), tie("i3", "u2", "a1")], NOON) == [Receipt.NOT_MERGED] * 2
    assert store.ingest(T, [tie("i4", "u2", "a1", merges_users=True)], NOON) == [Receipt.KEPT]


def test_a_decision_made_before_an_undoing_is_stale(store: Store) -> None:
    fill(store)
    alone = known(store, "eve").version
    store.ingest(T, [tie("i1", "ada", "eve", merges_users=True)], NOON)
    both = known(store).version, known(store, "ada").version
    store.unmerge(T, "eve", NOON)
    assert known(store, "eve").version > alone
    assert known(store, "ada").version > both[1]


@pytest.mark.parametrize("name", ["c1", "nobody"])
def test_what_is_no_alias_cannot_be_separated(store: Store, name: str) -> None:
    before = state(store)
    with pytest.raises(NotMergedError, match=name):
        store.unmerge(T, name, NOON)
    assert state(store) == before
    store.ingest("market", [bought("e1", "a1"), tie("i1", "u1", "a1")], NOON)
    with pytest.raises(NotMergedError, match="a1"):
        store.unmerge(T, "a1", NOON)


def test_an_erased_customer_leaves_no_record_of_merges(store: Store) -> None:
    fill(store)
    store.ingest(T, [tie("i1", "ada", "eve", merges_users=True), bought("e9", "eve")], NOON)
    store.unmerge(T, "eve", NOON)
    store.ingest(T, [tie("i2", "eve", "ada", merges_users=True)], NOON)
    erase(store.database, T, "ada", NOON)
    with store.database.read() as connection:
        assert [connection.execute(select(table)).all() for table in RECORDED] == [[], [], []]
        assert len(connection.execute(select(exposures)).all()) == 1


def test_what_an_undoing_needs_is_forgotten_once_nobody_was_merged_for_a_while(store: Store) -> None:
    fill(store)
    store.ingest(T, [bought("e1", "a1"), bought("e2", "a2"), tie("i1", "ada", "a1"), tie("i2", "c1", "a2")], NOON)
    store.ingest(T, [tie("i3", "ada", "a3"), bought("e3", "a1", 0.1)], NOON + DAY)
    before = state(store)
    assert finish_merges(store.database, T, NOON) == 0
    assert finish_merges(store.database, T, NOON + DAY) == 1, "of ada, one is of that day"
    with pytest.raises(NotMergedError, match="a2"):
        store.unmerge(T, "a2", NOON)
    assert finish_merges(store.database, T, NOON + 2 * DAY) == 2
    with store.database.read() as connection:
        assert [len(connection.execute(select(table)).all()) for table in RECORDED] == [3, 0, 0]
    assert state(store) == before
    store.ingest(T, [tie("i4", "eve", "ada", merges_users=True)], NOON + 2 * DAY)
    assert store.unmerge(T, "ada", NOON).names == ("ada", "a1", "a3")
    assert state(store) == before
    assert finish_merges(store.database, "market", NOON + 9 * DAY) == 0


_FRESH = itertools.count()
_NAMES = st.sampled_from(["u1", "u2", "u3"])
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("event"), _NAMES),
        st.tuples(st.just("profile"), _NAMES, st.sampled_from(["x", "y"]), st.none() | st.integers(0, 3)),
        st.tuples(st.just("consent"), _NAMES, st.just(True), st.integers(1, 4)),
    ),
    max_size=8,
)


def say(store: Store, steps: Any, mark: str) -> None:
    """Send what some steps say."""
    for number, (kind, who, *rest) in enumerate(steps):
        name = f"{mark}{number}"
        if kind == "event":
            store.ingest(T, [user(name, who)], NOON)
        elif kind == "profile":
            store.ingest(T, [told(name, who, attributes={rest[0]: rest[1]})], NOON)
        else:
            store.ingest(T, [told(name, who, rest[1], consents={EMAIL: rest[0]})], NOON)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=_STEPS, since=_STEPS)
def test_merged_and_separated_is_the_same_as_never_merged(store: Store, before: Any, since: Any) -> None:
    """The same messages, once with and once without merges around the later ones, leave the same customers."""
    seen = []
    for merging in (False, True):
        mark = next(_FRESH)
        names = {who: f"{who}-{mark}" for who in ("u1", "u2", "u3")}
        renamed = [[(kind, names[who], *rest) for kind, who, *rest in steps] for steps in (before, since)]
        first = [user(f"f-{name}", name, 9) for name in names.values()]
        store.ingest(T, first, NOON)
        say(store, renamed[0], f"b-{names['u1']}-")
        if merging:
            store.ingest(T, [tie(f"i1-{names['u1']}", names["u2"], names["u3"], merges_users=True)], NOON)
            store.ingest(T, [tie(f"i2-{names['u1']}", names["u1"], names["u2"], merges_users=True)], NOON)
        say(store, renamed[1], f"s-{names['u1']}-")
        if merging:
            store.unmerge(T, names["u3"], NOON)
            store.unmerge(T, names["u2"], NOON)
        found = [known(store, names[who], NOON + DAY) for who in ("u1", "u2", "u3")]
        seen.append([(one.joined, one.attributes, dict(one.consents), len(one.events)) for one in found])
    assert seen[0] == seen[1]
