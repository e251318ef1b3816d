"""What becomes of messages, on either store."""

import json
from datetime import timedelta
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tactful.features.vocabulary import CHANNELS
from tactful.serving.ingestion.intake import Intake
from tactful.serving.ingestion.messages.reading import Call
from tactful.serving.ingestion.rules import Rules
from tactful.serving.ingestion.statuses import MessageStatus
from tactful.serving.store.admin.erasure import erase
from tactful.serving.store.ingest.profiles import LARGEST_ATTRIBUTES, MOST_ATTRIBUTES
from tactful.serving.store.port import Store, StoredEvent, from_micros
from tests.contracts.stores import EMAIL, T, draft, known
from tests.decisions.retailer import NOON, at

KEPT, DUPLICATE = MessageStatus.KEPT, MessageStatus.DUPLICATE
LATER = NOON + timedelta(hours=1)


def track(id_: str, name: str = "Order Completed", customer: str = "c1", **fields: Any) -> dict[str, Any]:
    return {"type": "track", "messageId": id_, "userId": customer, "event": name, **fields}


def fates(store: Store, *raw: object, **given: Any) -> list[MessageStatus]:
    return [told.fate for told in Intake(store, T, Rules(), "USD").ingest(raw, NOON, **given)]


def ids(store: Store, customer: str = "c1") -> list[str]:
    return [StoredEvent(*event).id for event in known(store, customer, LATER).events]


def test_each_has_its_own_fate_and_the_good_ones_are_kept(store: Store) -> None:
    raw = [
        track("m1"),
        track("m2", "Button Pressed"),
        track("m1"),
        7,
        track("m3", timestamp="1999-01-01"),
        track("m4", timestamp="2050-01-01"),
        track("m5", note="x" * 40_000),
        track("m6", timestamp=(NOON + timedelta(minutes=5)).isoformat()),
        track("m7", "Email Opened", properties={"decision_id": "none"}),
        track("m8", customer="c9"),
    ]
    assert fates(store, *raw) == [
        KEPT,
        MessageStatus.UNMAPPED,
        DUPLICATE,
        MessageStatus.MALFORMED,
        MessageStatus.LATE,
        MessageStatus.FUTURE,
        MessageStatus.OVERSIZED,
        MessageStatus.CLAMPED,
        MessageStatus.UNKNOWN_DECISION,
        KEPT,
    ]
    assert ids(store) == ["m1", "m6", "m7"]
    assert ids(store, "c9") == ["m8"]


def test_a_refund_by_its_order_alone_returns_what_is_left_of_it(store: Store) -> None:
    order = {"order_id": "o1"}
    assert fates(store, track("m1", properties={**order, "revenue": 80})) == [KEPT]
    again = [track("m2", properties={**order, "revenue": 80}), track("m3", "Order Refunded", properties=order)]
    assert fates(store, *again) == [DUPLICATE, KEPT]
    assert fates(store, track("m4", "Order Cancelled", properties=order)) == [DUPLICATE]
    assert sorted(StoredEvent(*event).amount for event in known(store, moment=LATER).events) == [-80.0, 80.0]


@pytest.mark.parametrize("order", ["null", "undefined", 0, "00", "[NULL]", "x" * 600])
def test_an_id_that_tells_no_order_from_others_loses_no_purchase(store: Store, order: object) -> None:
    told = [track(f"m{n}", properties={"order_id": order, "revenue": revenue}) for n, revenue in enumerate((80, 30))]
    assert fates(store, *told) == [KEPT, KEPT]
    assert fates(store, track("m9", "Order Refunded", properties={"order_id": order})) == [KEPT]
    assert sorted(StoredEvent(*event).amount for event in known(store, moment=LATER).events) == [0.0, 30.0, 80.0]


@pytest.mark.parametrize(("ordered", "returned"), [(77.0, "77"), (" 77 ", 77), ("77.0", 77)])
def test_an_order_is_the_same_however_its_id_is_written(store: Store, ordered: object, returned: object) -> None:
    assert fates(store, track("m1", properties={"order_id": ordered, "revenue": 80})) == [KEPT]
    assert fates(store, track("m2", properties={"order_id": returned, "revenue": 80})) == [DUPLICATE]
    assert fates(store, track("m3", "Order Refunded", properties={"order_id": returned})) == [KEPT]
    assert sorted(StoredEvent(*event).amount for event in known(store, moment=LATER).events) == [-80.0, 80.0]


def test_a_batch_sent_again_changes_nothing(store: Store) -> None:
    raw = [track("m1"), {"type": "identify", "messageId": "m2", "userId": "c1", "traits": {"name": "Ada"}}]
    assert fates(store, *raw) == [KEPT, KEPT]
    before = known(store, moment=LATER)
    assert fates(store, *raw) == [DUPLICATE, DUPLICATE]
    assert known(store, moment=LATER) == before


def test_the_batch_speaks_for_messages_without_their_own(store: Store) -> None:
    sent = (NOON + timedelta(days=400)).isoformat()
    stamp = (NOON + timedelta(days=399)).isoformat()
    assert fates(store, track("m1", timestamp=stamp), batch={"sentAt": sent}) == [KEPT]
    (event,) = known(store, moment=LATER).events
    assert event[0] == int((NOON - timedelta(days=1)).timestamp() * 1_000_000)


def test_who_was_anonymous_is_one_with_the_customer_who_logs_in(store: Store) -> None:
    seen = {"type": "page", "messageId": "m1", "anonymousId": "a1", "name": "Home"}
    logged_in = {"type": "identify", "messageId": "m2", "userId": "c1", "anonymousId": "a1"}
    bought = {**track("m3"), "userId": None, "anonymousId": "a1"}
    assert fates(store, seen, bought, logged_in) == [KEPT] * 3
    assert ids(store, "c1") == ids(store, "a1") == ["m1", "m3"]


def test_an_outcome_is_an_event_about_what_was_decided(store: Store) -> None:
    fates(store, {"type": "identify", "messageId": "m0", "userId": "c1", "traits": {"consents": {"email": True}}})
    store.record(T, [draft(known(store).version)])
    assert fates(store, track("m1", "Email Link Clicked", properties={"decision_id": "d1", "value": 3})) == [KEPT]
    event = StoredEvent(*known(store, moment=LATER).events[0])
    assert (event.programme, event.subject, event.channel) == ("win_back", "come_back_coupon", 1)
    assert [outcome[:3] for outcome in store.outcomes(T)] == [("d1", "c1", "clicked")]
    assert known(store).consents[EMAIL]


def test_a_contact_counts_once_whoever_made_it(store: Store) -> None:
    store.record(T, [draft(known(store).version)])
    told = {"timestamp": NOON.isoformat(), "properties": {"decision_id": "d1"}}
    assert fates(store, track("m1", "Email Sent", **told), track("m2", "SMS Sent")) == [KEPT, KEPT]
    assert fates(store, track("m3", "Email Sent", **told)) == [DUPLICATE]
    assert [(status, contact.id) for _, status, contact in store.ledger(T)] == [("sent", "m2"), ("sent", "d1")]
    assert ids(store) == ["contact:d1", "m2"]


def test_a_message_that_bears_the_id_of_a_decision_hides_no_contact(store: Store) -> None:
    store.record(T, [draft(known(store).version)])
    view = track("d1", "Product Viewed", timestamp=NOON.isoformat())
    assert fates(store, view, track("m1", "Email Sent", properties={"decision_id": "d1"})) == [KEPT, KEPT]
    assert [(status, contact.id) for _, status, contact in store.ledger(T)] == [("sent", "d1")]


def test_who_was_erased_is_not_brought_back(store: Store) -> None:
    fates(store, {"type": "alias", "messageId": "m0", "userId": "c1", "previousId": "a1"})
    erase(store.database, T, "c1", NOON)
    raw = [track("m1"), track("m2", customer="a1"), {"type": "identify", "messageId": "m3", "userId": "c1"}]
    assert fates(store, *raw) == [MessageStatus.ERASED] * 3
    assert store.customers(T, [("c1", LATER), ("a1", LATER)]) == [None, None]


def test_who_unsubscribes_or_complains_is_refused_at_once_tied_to_a_decision_or_not(store: Store) -> None:
    for number, (name, fields) in enumerate(
        [("Unsubscribed", {}), ("Email Marked as Spam", {"decision_id": "d1"}), ("complained", {"channel": "email"})]
    ):
        consents = {
            "type": "identify",
            "messageId": f"i{number}",
            "userId": "c1",
            "traits": {"consents": {"email": True}},
        }
        assert fates(store, {**consents, "timestamp": at(9 - number).isoformat()}) == [KEPT]
        fates(store, track(f"m{number}", name, timestamp=at(8.5 - number).isoformat(), properties=fields))
        assert known(store).consents[EMAIL] is False


def test_who_unsubscribes_from_a_message_refuses_its_channel_and_no_other(store: Store) -> None:
    consents = {"email": True, "sms": True}
    fates(
        store,
        {
            "type": "identify",
            "messageId": "m0",
            "userId": "c1",
            "timestamp": at(1).isoformat(),
            "traits": {"consents": consents},
        },
    )
    store.record(T, [draft(known(store).version)])
    told = {"decision_id": "d1", "channel": "sms"}
    assert fates(store, track("m1", "Unsubscribed", properties=told)) == [KEPT]
    assert known(store).consents == {EMAIL: False, ("sms", "marketing"): True}


def test_a_consent_that_comes_late_does_not_undo_a_newer_refusal(store: Store) -> None:
    fates(store, track("m1", "Unsubscribed", timestamp=at(1).isoformat()))
    late = {"type": "identify", "messageId": "m2", "userId": "c1", "timestamp": at(2).isoformat()}
    assert fates(store, {**late, "traits": {"consents": {"email": True}}}) == [KEPT]
    assert known(store).consents[EMAIL] is False


def identify(id_: str, traits: object, **fields: Any) -> dict[str, Any]:
    return {"type": "identify", "messageId": id_, "userId": "c1", "traits": traits, **fields}


EVERYTHING = {(channel, "marketing"): True for channel in CHANNELS[1:]}
ALLOWED = {"consents": dict.fromkeys(CHANNELS[1:], True)}


def allowed(store: Store, *raw: dict[str, Any]) -> set[str]:
    """The channels that are allowed after everything was allowed an hour before and some messages came in."""
    before = NOON - timedelta(hours=1)
    assert fates(store, identify("allowed", ALLOWED, timestamp=before.isoformat())) == [KEPT]
    assert known(store).consents == EVERYTHING
    assert fates(store, *raw) == [MessageStatus.PARTIAL] * len(raw)
    return {channel for (channel, _), yes in known(store, moment=LATER).consents.items() if yes}


OTHERS = set(CHANNELS[2:])
NO_EMAIL = {"consents": {"email": False}}
YEARS_AGO = {"timestamp": (NOON - timedelta(days=4 * 365)).isoformat()}
AHEAD = {"timestamp": (NOON + timedelta(hours=3)).isoformat()}


@pytest.mark.parametrize(
    "raw",
    [
        identify("m1", {**NO_EMAIL, "timezone": "W. Europe Standard Time"}),
        identify("m1", {**NO_EMAIL, "createdAt": "soon", "score": float("nan")}),
        identify("m1", {"consents": {"email": None, "fax": True}}),
        identify("m1", {"consents": {"email": "false", "sms": "yes"}}),
        identify("m1", {"consents": {"Email": 0, "sms": 1}}),
        identify("m1", {"consents": {"E-Mail": "No", "fax": True}}),
        identify("m1", {"Consents": {"email": []}, "timezone": 7}),
        identify("m1", NO_EMAIL, **AHEAD),
        identify("m1", NO_EMAIL, **YEARS_AGO),
        identify("m1", NO_EMAIL, timestamp="yesterday"),
        identify("m1", NO_EMAIL, context=[]),
        identify("m1", NO_EMAIL, userId={}, anonymousId="c1"),
        identify("m1", {**NO_EMAIL, "note": "x" * 40_000}),
        identify("m1", None, context={"traits": NO_EMAIL}, timestamp=["now"]),
        {**identify("m1", NO_EMAIL), "type": "Identify"},
        {**identify("m1", NO_EMAIL), "type": None},
        {**identify("m1", NO_EMAIL), "messageId": ["m1"]},
        track("m1", "Unsubscribed", **AHEAD),
        track("m1", "Unsubscribed", **YEARS_AGO),
        track("m1", "Unsubscribed", timestamp=5),
        track("m1", "Unsubscribed", properties={"value": "much", "message": {}}),
        track("m1", "Unsubscribed", properties={"products": 5}),
        track("m1", "Unsubscribed", properties=[]),
        track("m1", "Unsubscribed", properties={"channel": ["email"]}),
        track("m1", "Unsubscribed", properties={"decision_id": {}}),
        track("m1", "Email Unsubscribed", **AHEAD),
        track("m1", "Email Marked as Spam", properties={"note": "x" * 40_000}),
        track("m1", "Email Complaint", properties={"note": "\ud800"}),
        {**track("m1", "Unsubscribed"), "type": "event"},
    ],
)
def test_a_refusal_counts_whatever_else_is_wrong_with_its_message(store: Store, raw: dict[str, Any]) -> None:
    assert allowed(store, raw) == OTHERS
    if raw.get("event"):
        (event,) = known(store, moment=LATER).events
        assert from_micros(event[0]) == NOON - timedelta(microseconds=1)


UNFIT = {"timestamp": "soon"}


@pytest.mark.parametrize("also", [{}, UNFIT])
@pytest.mark.parametrize(
    "raw",
    [
        {"type": "identify", **NO_EMAIL},
        {"type": "identify", "context": NO_EMAIL},
        {"type": "identify", "context": {"traits": NO_EMAIL}, "traits": {"consents": {"sms": True}}},
        {"type": "identify", "properties": NO_EMAIL},
        {"type": "track", "event": "Preferences Saved", "properties": NO_EMAIL},
        {"type": "track", "event": "Product Viewed", "traits": NO_EMAIL},
        {"type": "page", "properties": NO_EMAIL},
        {"type": "group", "groupId": "g", "traits": NO_EMAIL},
        {"type": "alias", "previousId": "p", **NO_EMAIL},
        {"type": "track", "event": "Unsubscribed", "properties": {"channels": ["email"]}},
        *({"type": "identify", "traits": {name: "No"}} for name in ("email_opt_in", "emailSubscribed", "newsletter")),
        *(
            {"type": "identify", "traits": {name: 1}}
            for name in ("hasOptedOutOfEmail", "doNotEmail", "hs_email_optout")
        ),
        {"type": "identify", "traits": {"email_marketing_consent": {"state": "unsubscribed"}}},
    ],
)
def test_a_refusal_counts_wherever_it_stands(store: Store, raw: dict[str, Any], also: dict[str, str]) -> None:
    fates(store, identify("allowed", ALLOWED, timestamp=(NOON - timedelta(hours=1)).isoformat()))
    fates(store, {"messageId": "m1", "userId": "c1", **raw, **also})
    assert {channel for (channel, _), yes in known(store, moment=LATER).consents.items() if yes} == OTHERS


@pytest.mark.parametrize(
    ("raw", "left"),
    [
        (track("m1", "Unsubscribed", properties={"channels": "sms, E-Mail"}), {*OTHERS} - {"sms"}),
        (track("m1", "Unsubscribed", properties={"channel": "all"}), set()),
        (identify("m1", {"subscribed": False}), set()),
        (identify("m1", {"status": "unsubscribed"}), set()),
        (identify("m1", {"email_opt_in": None, "unsubscribed_at": "", "email": "off@example.com"}), {"email", *OTHERS}),
        (identify("m1", {"unsubscribed": "no", "email_opt_out": 0, "list": "off"}), {"email", *OTHERS}),
        (track("m1", "Course Viewed", properties={"subscribed": False}), {"email", *OTHERS}),
        (track("m1", "Product Viewed", context={"traits": NO_EMAIL}), {"email", *OTHERS}),
    ],
)
def test_what_refuses_by_its_name_and_what_does_not(store: Store, raw: dict[str, Any], left: set[str]) -> None:
    fates(store, identify("allowed", ALLOWED, timestamp=(NOON - timedelta(hours=1)).isoformat()))
    fates(store, raw)
    assert {channel for (channel, _), yes in known(store, moment=LATER).consents.items() if yes} == left


def test_a_trait_taken_for_a_refusal_is_reported_and_a_mapping_says_otherwise(store: Store) -> None:
    raw = identify("m1", {"subscribed": False})
    (told,) = Intake(store, T, Rules()).ingest([raw], NOON)
    assert told.fate is MessageStatus.PARTIAL
    assert told.reason.startswith("subscribed is taken for a refusal")
    (told,) = Intake(store, T, Rules(traits={"subscribed": "subscribed"})).ingest([{**raw, "messageId": "m2"}], NOON)
    assert (told.fate, known(store, moment=LATER).attributes["subscribed"]) == (KEPT, False)


def test_a_consent_counts_among_the_traits_alone(store: Store) -> None:
    (told,) = Intake(store, T, Rules()).ingest([{**identify("m1", {}), "consents": {"email": True}}], NOON)
    assert (told.fate, known(store, moment=LATER).consents) == (MessageStatus.PARTIAL, {})


@pytest.mark.parametrize(
    ("raw", "left"),
    [
        (identify("m1", {"consents": {"fax": False}}), set()),
        (identify("m1", {"consents": {"fax": False, "email": True}}), {"email"}),
        (identify("m1", {"consents": None, "timezone": 5}), set()),
        (identify("m1", {"consents": [], "timezone": 5}), set()),
        (identify("m1", {"consents": {"email": {"": False}}}), OTHERS),
        (identify("m1", {"consents": {"email": {"Marketing": False, "x\0": True}}}), OTHERS),
        (identify("m1", {"consents": {"Email": False, "email": True}, "timezone": 5}), OTHERS),
        (identify("m1", {"consents": {"email": "yes"}}), {"email", *OTHERS}),
        (identify("m1", {"consents": {"email": {}}, "timezone": 5}), {"email", *OTHERS}),
        (track("m1", "Opted Out", properties={"value": []}), set()),
        (track("m1", "complained", properties={"value": []}), set()),
        (track("m1", "SMS Unsubscribed", properties={"value": []}), {"email", *OTHERS} - {"sms"}),
    ],
)
def test_a_refusal_in_doubt_refuses_more_and_a_consent_in_doubt_allows_nothing(
    store: Store, raw: dict[str, Any], left: set[str]
) -> None:
    assert allowed(store, raw) == left


def test_attributes_that_the_catalogue_does_not_declare_are_not_kept(store: Store) -> None:
    told = [identify("m1", {"firstName": "Ada", "taxNumber": "7", "home": {"city": "Nara"}})]
    told += [identify("m2", {"taxNumber": None, "firstName": None, "lastName": "Lovelace"})]
    assert fates(store, told[0]) == [KEPT]
    assert set(known(store).attributes) == {"first_name", "tax_number", "home_city"}
    declaring = Intake(store, T, Rules(), "USD", declared={"first_name", "last_name"})
    (found,) = declaring.ingest([{**told[0], "messageId": "m3"}], NOON)
    assert (found.fate, found.undeclared) == (KEPT, ("tax_number", "home_city"))
    (found,) = declaring.ingest([told[1]], NOON)
    assert found.undeclared == ()
    assert known(store).attributes == {"home_city": "Nara", "last_name": "Lovelace"}


def test_the_attributes_of_a_customer_are_bounded_in_number_and_bytes(store: Store) -> None:
    for part in range(4):
        fates(store, identify(f"n{part}", {f"n{part}x{number}": number for number in range(MOST_ATTRIBUTES // 3)}))
    assert MOST_ATTRIBUTES * 0.9 < len(known(store).attributes) <= MOST_ATTRIBUTES
    fates(store, identify("m1", {"n0x1": "changed"}))
    assert known(store).attributes["n0x1"] == "changed"
    for part in range(200):
        fates(store, identify(f"b{part}", {f"b{part}": "ü" * 500}, userId="c2"))
    size = len(json.dumps(known(store, "c2").attributes))
    assert LARGEST_ATTRIBUTES * 0.9 < size <= LARGEST_ATTRIBUTES


def test_the_rest_of_a_message_is_kept_as_far_as_it_is_fit(store: Store) -> None:
    traits = {**NO_EMAIL, "timezone": "Mars/Base", "firstName": "Ada", "consents": {"email": None, "sms": True}}
    assert fates(store, identify("m1", traits)) == [MessageStatus.PARTIAL]
    found = known(store)
    assert (found.attributes, found.zone) == ({"first_name": "Ada"}, None)
    assert found.consents == {EMAIL: False, ("sms", "marketing"): True}


def test_an_old_message_grants_nothing_while_it_refuses(store: Store) -> None:
    consents = {"consents": {"email": False, "sms": True}}
    assert fates(store, identify("m1", {**consents, "firstName": "Old"}, **YEARS_AGO)) == [MessageStatus.PARTIAL]
    assert known(store).consents == {EMAIL: False}
    assert known(store).attributes == {}
    assert fates(store, identify("m1", {**consents, "firstName": "Ada"})) == [KEPT], "its id is free for a fit one"
    assert known(store).attributes == {"first_name": "Ada"}


def test_the_id_of_another_message_does_not_hide_a_refusal(store: Store) -> None:
    assert fates(store, identify("m1", ALLOWED, timestamp=at(1).isoformat())) == [KEPT]
    assert fates(store, track("m1", "Unsubscribed")) == [DUPLICATE]
    assert known(store).consents[EMAIL] is False
    again = track("m2", "Unsubscribed", timestamp=at(0.5).isoformat())
    assert fates(store, again) == [KEPT]
    Intake(store, T, Rules(), "USD").ingest([identify("m3", ALLOWED)], LATER)
    version = known(store).version
    assert fates(store, again) == [DUPLICATE]
    assert known(store).consents[EMAIL], "the same message again undoes no newer consent"
    assert known(store).version == version


def test_a_refusal_that_is_received_later_holds_whatever_clocks_say(store: Store) -> None:
    ahead, right = NOON + timedelta(hours=5), NOON + timedelta(minutes=1)
    intake = Intake(store, T, Rules(), "USD")
    intake.ingest([identify("m1", ALLOWED)], ahead)
    intake.ingest([track("m2", "Unsubscribed")], right)
    assert known(store).consents[EMAIL] is False
    for number, moment in enumerate((right, right + timedelta(hours=1), ahead)):
        intake.ingest([identify(f"old{number}", ALLOWED, timestamp=(NOON + timedelta(hours=4)).isoformat())], moment)
        assert known(store).consents[EMAIL] is False
    intake.ingest([identify("m3", ALLOWED)], ahead + timedelta(hours=1))
    assert known(store).consents[EMAIL] is True


_TEXT = st.text(st.characters(), max_size=8)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=6,
)
_SOME = st.sampled_from(["c1", "c2", "a1", "m1", "2026-05-01T00:00:00Z", "Europe/Paris", "email"]) | _JSON
_PROPERTIES = ("revenue", "quantity", "currency", "products", "category", "decision_id", "channel", "name", "order_id")
_TRAITS = ("timezone", "createdAt", "consents", "firstName", "birthday")
_MESSAGES = st.fixed_dictionaries(
    {"type": st.sampled_from(get_args(Call)) | _JSON},
    optional={
        **dict.fromkeys(("messageId", "userId", "anonymousId", "previousId", "groupId", "timestamp", "sentAt"), _SOME),
        "event": st.sampled_from(["Order Completed", "Unsubscribed", "Email Sent", "purchase"]) | _JSON,
        "properties": st.dictionaries(st.sampled_from(_PROPERTIES) | _TEXT, _SOME, max_size=4) | _JSON,
        "traits": st.dictionaries(st.sampled_from(_TRAITS) | _TEXT, _SOME, max_size=4) | _JSON,
        "context": st.dictionaries(st.sampled_from(["timezone", "traits"]), _SOME) | _JSON,
    },
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.lists(_MESSAGES | _JSON, max_size=5))
def test_whatever_comes_has_a_fate_and_sent_again_changes_nothing(store: Store, raw: list[Any]) -> None:
    first = fates(store, *raw)
    again = fates(store, *raw)
    assert len(first) == len(raw)
    for fate, second in zip(first, again, strict=True):
        assert second is fate or (
            fate in (KEPT, MessageStatus.CLAMPED, MessageStatus.PARTIAL, MessageStatus.UNKNOWN_DECISION)
            and second is DUPLICATE
        )
