"""What each message is judged to be."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tactful.features.timestamps import microseconds
from tactful.features.vocabulary import CHANNELS, EVENT_TYPES
from tactful.serving.ingestion.messages import reading
from tactful.serving.ingestion.messages.names import OUTCOMES, STANDARD
from tactful.serving.ingestion.messages.properties import event_of, meaning_of, outcome_of
from tactful.serving.ingestion.messages.reading import Message
from tactful.serving.ingestion.messages.traits import profile_of
from tactful.serving.ingestion.rules import Rules
from tactful.serving.ingestion.statuses import MessageStatus, UnfitMessageError
from tactful.serving.store.port import Outcome, Profile, StoredEvent

NOON = datetime(2026, 5, 6, 12, tzinfo=UTC)
YEAR = timedelta(days=365)
INSTANT = timedelta(microseconds=1)


def read(call: str | None = "track", **fields: Any) -> Message:
    told = {"messageId": "m1", "userId": "c1", "event": "Order Completed"}
    return reading.read({**told, **fields}, NOON, reach=YEAR, call=call)


def event(
    name: str = "Order Completed", rules: Rules | None = None, left_out: list[str] | None = None, **properties: Any
) -> StoredEvent:
    rules = rules or Rules()
    message = read(event=name, properties=properties)
    meaning = meaning_of(message, rules)
    assert meaning is not None
    return event_of(message, meaning, rules, "USD", NOTHING if left_out is None else left_out)


class Nothing(list[str]):
    """A list of reasons that must stay empty."""

    def append(self, reason: str) -> None:
        raise AssertionError(reason)


NOTHING = Nothing()


def profile(
    call: str = "identify", rules: Rules | None = None, left_out: list[str] | None = None, **fields: Any
) -> Profile | None:
    return profile_of(read(call, **fields), rules or Rules(), NOTHING if left_out is None else left_out)


def identified(
    rules: Rules | None = None,
    context: Mapping[str, Any] | None = None,
    left_out: list[str] | None = None,
    **traits: Any,
) -> Profile:
    found = profile(rules=rules, left_out=left_out, traits=traits, context=dict(context or {}))
    assert found is not None
    return found


def test_an_order() -> None:
    assert event(
        revenue=25.0,
        total="27.50",
        discount=2.5,
        order_id="o1",
        currency="usd",
        products=[{"price": 10, "quantity": 2}, {"price": 5}],
    ) == StoredEvent(microseconds(NOON - INSTANT), 0, 0, 25.0, 2.5, 3.0, 0, "o1", "m1")


@pytest.mark.parametrize(
    ("name", "properties", "amount"),
    [
        ("Order Completed", {"revenue": 25, "total": 27, "value": 29}, 25.0),
        ("Order Completed", {"total": "27.5"}, 27.5),
        ("Order Completed", {"products": [{"price": 10, "quantity": 2}, {"price": 5}]}, 25.0),
        ("Order Completed", {}, 0.0),
        ("Order Refunded", {"total": 27}, -27.0),
        ("Order Refunded", {"total": -27}, -27.0),
        ("Order Cancelled", {"revenue": 5}, -5.0),
        ("Product Added", {"price": 10, "quantity": 3}, 30.0),
        ("Product Viewed", {"price": 10}, 10.0),
    ],
)
def test_amounts(name: str, properties: dict[str, Any], amount: float) -> None:
    assert event(name, **properties).amount == amount


@pytest.mark.parametrize("name", sorted(STANDARD))
def test_every_standard_name_is_an_event_however_it_is_written(name: str) -> None:
    written = [name, name.lower().replace(" ", "_"), name.title().replace(" ", "")]
    found = [event(form, score=9) for form in written]
    assert found == [found[0]] * 3
    assert EVENT_TYPES[found[0].type] == STANDARD[name].type


@pytest.mark.parametrize("word", EVENT_TYPES)
def test_our_own_words_are_names_too(word: str) -> None:
    assert EVENT_TYPES[event(word, channel="sms").type] == word
    assert CHANNELS[event(word, channel="sms").channel] == "sms"
    segments = "email" if word == "unsubscribed" else ""
    tied = {"decision_id": "d1"} if word in OUTCOMES else {}
    assert CHANNELS[event(word, channel="server", **tied).channel] == segments


@pytest.mark.parametrize("word", sorted(OUTCOMES - {"complained", "unsubscribed"}))
def test_a_word_that_a_shop_may_send_for_something_else_speaks_of_a_message_only_where_it_says_so(word: str) -> None:
    for name in (word, word.title(), word.upper()):
        for properties in ({}, {"decision_id": None}, {"channel": "server"}, {"channel": ["email"]}):
            assert meaning_of(read(event=name, properties=properties), Rules()) is None
        assert meaning_of(read(event=name, properties={"decision_id": "d1"}), Rules()) is not None
    assert meaning_of(read(event=word.title(), properties={"channel": "email"}), Rules()) is None
    assert meaning_of(read(event="Contact", properties={}), Rules(events={"contact": "contact"})) is not None


@pytest.mark.parametrize(
    ("name", "kind", "channel"),
    [
        ("Email Unsubscribed", "unsubscribed", "email"),
        ("SMS Unsubscribed", "unsubscribed", "sms"),
        ("sms_opted_out", "unsubscribed", "sms"),
        ("Push Notification Unsubscribed", "unsubscribed", "push"),
        ("Unsubscribed from SMS", "unsubscribed", "sms"),
        ("Opted Out of Direct Mail", "unsubscribed", "mail"),
        ("In-App Message Opted Out", "unsubscribed", "in_app"),
        ("SMS Marked as Spam", "complained", "sms"),
        ("Email Complaint", "complained", "email"),
        ("Unsubscribe", "unsubscribed", ""),
        ("Opted Out", "unsubscribed", ""),
        ("SMS STOP", "unsubscribed", "sms"),
        ("group_unsubscribe", "unsubscribed", ""),
        ("User Unsubscribed", "unsubscribed", ""),
        ("Email List Unsubscribed", "unsubscribed", "email"),
        ("Opted Out of Marketing Emails", "unsubscribed", "email"),
        ("Unsubscribed from Email and SMS", "unsubscribed", ""),
        ("Email Unsubscribe Link Clicked", "unsubscribed", "email"),
        ("Push Notifications Disabled", "unsubscribed", "push"),
        ("Newsletter Subscription Canceled", "unsubscribed", "email"),
        ("Consent Withdrawn", "unsubscribed", ""),
        ("doNotEmail", "unsubscribed", "email"),
        ("spamreport", "complained", ""),
        ("Email Abuse Report", "complained", "email"),
    ],
)
def test_refusals_have_many_names(name: str, kind: str, channel: str) -> None:
    found = event(name)
    assert (EVENT_TYPES[found.type], CHANNELS[found.channel]) == (kind, channel)


def test_a_refusals_channel_may_be_a_property_however_it_is_written() -> None:
    assert CHANNELS[event("Unsubscribed", channel="SMS").channel] == "sms"
    assert CHANNELS[event("Unsubscribed", channel="Push Notification").channel] == "push"
    assert CHANNELS[event("Unsubscribed", channel="server").channel] == "email"


@pytest.mark.parametrize(
    "name",
    [
        *("Product Removed", "Promotion Viewed", "Button Pressed", "Complaint", "Unsubscribe Page Viewed"),
        *("Cookies Opted Out", "Subscription Cancelled", "Email Cancelled", "User Complained", "STOP", "Marketing"),
        "mail" * 100 + " Unsubscribed",
    ],
)
def test_other_names_mean_nothing(name: str) -> None:
    assert meaning_of(read(event=name), Rules()) is None


def test_pages_and_screens_are_views() -> None:
    for call, channel in (("page", "web"), ("screen", "in_app")):
        message = read(call, name="Home", event=None, properties={"path": "/"})
        meaning = meaning_of(message, Rules())
        assert meaning is not None
        found = event_of(message, meaning, Rules(), None, NOTHING)
        assert (EVENT_TYPES[found.type], CHANNELS[found.channel], found.subject) == ("view", channel, "Home")


def test_categories_are_those_of_the_vocabulary() -> None:
    rules = Rules(categories=[f"k{number}" for number in range(64)])
    products = [{"category": "k1"}, {"category": "k63"}, {"category": "unknown"}]
    assert event("Order Completed", rules, category="k0", products=products).categories == 1 + 2 - 2**63
    assert event("Order Completed", category="k0").categories == 0


def test_a_file_may_say_otherwise() -> None:
    rules = Rules(
        events={"Bought": {"type": "purchase", "amount": "price_paid", "subject": "shelf"}, "order_completed": None}
    )
    found = event("bought", rules, price_paid=9, shelf="A")
    assert (found.amount, found.subject) == (9.0, "A")
    assert meaning_of(read(), rules) is None


@pytest.mark.parametrize(
    ("properties", "says"),
    [
        ({"revenue": "much"}, "not a number: wanted a number of at most 1e[+]09; at revenue"),
        ({"revenue": True}, "not a number"),
        ({"revenue": 1e10}, "not a number"),
        ({"revenue": "nan"}, "not a number"),
        ({"revenue": "1_000"}, "not a number"),
        ({"revenue": "25,50"}, "not a number"),
        ({"revenue": "\u0663"}, "not a number"),
        ({"revenue": 10**400}, "not a number"),
        ({"revenue": [1]}, "not a number"),
        ({"revenue": -1}, "a purchase of less than nothing"),
        ({"products": "many"}, "not a list of products"),
        ({"products": [1]}, "not a list of products"),
        ({"products": [{"price": 1e9, "quantity": 1e9}]}, "not a number"),
        ({"revenue": 1, "currency": "EUR"}, "another currency: wanted USD; at currency"),
    ],
)
def test_an_order_whose_amount_is_unfit_is_refused(properties: dict[str, Any], says: str) -> None:
    with pytest.raises(UnfitMessageError, match=says):
        event(left_out=[], **properties)


@pytest.mark.parametrize(
    ("name", "properties", "reason"),
    [
        ("Points Earned", {"points": "many"}, "not a number"),
        ("points_spent", {"points": 1e10}, "not a number"),
        ("NPS Survey Completed", {"score": 11}, "not an answer: wanted a number from 0 to 10; at score"),
        ("NPS Survey Completed", {"score": -1}, "not an answer"),
        ("NPS Survey Completed", {}, "not an answer"),
        ("NPS Survey Completed", {"score": "often"}, "not a number"),
    ],
)
def test_an_event_whose_number_is_unfit_is_refused(name: str, properties: dict[str, Any], reason: str) -> None:
    with pytest.raises(UnfitMessageError, match=reason):
        event(name, **properties)


@pytest.mark.parametrize(
    ("name", "properties", "reason"),
    [
        ("Order Completed", {"discount": -1}, "a negative discount"),
        ("Order Completed", {"order_id": {"a": 1}}, "not text: wanted text or a number; at order_id"),
        ("Order Completed", {"quantity": []}, "not a number"),
        ("Order Completed", {"products": "many"}, "not a list of products"),
        ("Product Viewed", {"price": "cheap"}, "not a number"),
        ("Product Viewed", {"price": 3, "currency": "EUR"}, "another currency"),
        ("Product Viewed", {"products": "many"}, "not a list of products"),
        ("Signed Up", {"channel": ["web"]}, "not text"),
        ("Survey Completed", {"score": "fine"}, "not a number"),
    ],
)
def test_an_unfit_property_is_left_out_and_the_rest_is_kept(name: str, properties: dict[str, Any], reason: str) -> None:
    left_out: list[str] = []
    good = {"revenue": 7} if name == "Order Completed" else {}
    found = event(name, left_out=left_out, **good, **properties)
    assert found == event(name, **good)._replace(quantity=found.quantity)
    assert len(left_out) == 1
    assert left_out[0].startswith(reason)


@pytest.mark.parametrize(
    ("score", "answer"),
    [(10, "promoter"), ("9", "promoter"), (8, "passive"), (7, "passive"), (6, "detractor"), (0, "detractor")],
)
def test_an_answer_from_0_to_10_says_who_gives_it(score: object, answer: str) -> None:
    for name in ("score", "nps", "rating", "value"):
        found = event("NPS Survey Completed", survey_id="spring", **{name: score})
        assert (found.quantity, found.subject) == (float(str(score)), answer)


@pytest.mark.parametrize(
    ("call", "fields", "says"),
    [
        ("track", {"userId": None}, "about nobody"),
        ("track", {"userId": ""}, "about nobody"),
        ("track", {"userId": True}, "unfit id: wanted text or a whole number; at userId"),
        ("track", {"userId": "x" * 201}, r"unfit id \(not text of at most 200 printable characters\): .*; at userId"),
        ("track", {"userId": "1.3085E+12"}, "a rounded number"),
        ("track", {"userId": 1.5}, "unfit id"),
        ("track", {"userId": "a\0b"}, "unfit id"),
        ("track", {"userId": "\ud800"}, "not Unicode"),
        ("track", {"event": ""}, "an event without a name"),
        ("track", {"event": {}}, "not text"),
        ("track", {"properties": []}, "not a JSON object: at properties"),
        ("track", {"timestamp": "soon"}, "not a moment"),
        ("alias", {}, "an alias of nothing"),
        ("alias", {"previousId": "a1", "userId": None, "anonymousId": "x"}, "an alias of nothing"),
        (None, {"type": "delete"}, "unknown type of message"),
        (None, {"type": ["track"]}, "unknown type of message"),
    ],
)
def test_messages_that_cannot_be_used_say_why(call: str | None, fields: dict[str, Any], says: str) -> None:
    with pytest.raises(UnfitMessageError, match=says) as refused:
        read(call, **fields)
    assert refused.value.fate is MessageStatus.MALFORMED


@pytest.mark.parametrize(
    ("call", "fields", "reason"),
    [
        ("track", {"messageId": 1.5}, "unfit id"),
        ("track", {"messageId": "x" * 201}, "unfit id"),
        ("track", {"anonymousId": ["a"]}, "unfit id"),
        ("identify", {"anonymousId": "x" * 201}, "unfit id"),
        ("track", {"context": "web"}, "not a JSON object: at context"),
        ("track", {"context": {"traits": 5}}, "not a JSON object: at traits"),
        ("track", {"sentAt": 5}, "not a moment"),
        ("track", {"timestamp": "soon", "originalTimestamp": "2026-05-06T11:00:00Z"}, "not a moment"),
        ("page", {"properties": "many"}, "not a JSON object: at properties"),
        ("page", {"name": {}}, "not text"),
        ("group", {"groupId": {}}, "unfit id"),
    ],
)
def test_an_unfit_field_is_left_out_and_the_rest_is_kept(call: str, fields: dict[str, Any], reason: str) -> None:
    found = read(call, **fields)
    assert found.customer == "c1"
    assert len(found.left_out) == 1
    assert found.left_out[0].startswith(reason)
    assert found.id == read(call, **fields).id


def test_an_event_happened_at_its_timestamp_else_at_its_original_timestamp() -> None:
    hours = {name: f"2026-05-06T{hour}:00:00Z" for name, hour in (("timestamp", "08"), ("originalTimestamp", "09"))}
    assert read(**hours).moment == NOON - timedelta(hours=4)
    assert read(originalTimestamp=hours["originalTimestamp"]).moment == NOON - timedelta(hours=3)
    assert read(timestamp=None, originalTimestamp=hours["originalTimestamp"]).moment == NOON - timedelta(hours=3)
    sent = "2026-05-06T10:00:00Z"
    assert read(originalTimestamp=hours["originalTimestamp"], sentAt=sent).moment == NOON - timedelta(hours=1)


def test_a_message_too_large_is_refused() -> None:
    with pytest.raises(UnfitMessageError, match="too large: wanted at most 32768 bytes; at the message") as refused:
        read(properties={"note": "x" * 32_768})
    assert refused.value.fate is MessageStatus.OVERSIZED


@pytest.mark.parametrize("never", ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "2026-05-06T08:59:59Z"])
def test_what_was_sent_before_it_happened_is_dated_by_its_timestamp_alone(never: str) -> None:
    message = read(timestamp="2026-05-06T10:00:00Z", sentAt=never)
    assert message.moment == datetime(2026, 5, 6, 10, tzinfo=UTC)
    assert message.left_out == ("sent before it happened: wanted a moment after its timestamp; at sentAt",)


def test_a_message_without_an_id_has_the_same_one_when_it_is_sent_again() -> None:
    stamped = {"messageId": None, "timestamp": "2026-05-06T11:00:00Z"}
    first, again = (read(**stamped, sentAt=f"2026-05-06T11:00:0{second}Z") for second in (1, 2))
    assert first.id == again.id != read(**stamped, properties={"revenue": 1}).id
    later = reading.read({"userId": "c1", "event": "x"}, NOON + INSTANT, reach=YEAR, call="track")
    assert later.id != reading.read({"userId": "c1", "event": "x"}, NOON, reach=YEAR, call="track").id


def test_ids_that_are_numbers_are_text() -> None:
    assert (read(userId=7).customer, read(userId=None, anonymousId="a7").customer) == ("7", "a7")


@pytest.mark.parametrize(
    ("call", "fields", "alias"),
    [
        ("identify", {"anonymousId": "a1"}, "a1"),
        ("identify", {"anonymousId": "c1"}, None),
        ("identify", {"userId": None, "anonymousId": "a1"}, None),
        ("track", {"anonymousId": "a1"}, None),
        ("alias", {"previousId": "old"}, "old"),
    ],
)
def test_who_is_said_to_be_the_same(call: str, fields: dict[str, Any], alias: str | None) -> None:
    assert read(call, **fields).alias == alias


def test_traits_become_attributes_zone_joining_and_consents() -> None:
    assert identified(
        firstName="Ada",
        birthday="1990-05-06T00:00:00Z",
        address={"postalCode": "10115", "city": None},
        timezone="Europe/Berlin",
        createdAt="2024-01-01",
        consents={"email": True, "sms": {"marketing": False, "service": True}},
    ) == Profile(
        "c1",
        "Europe/Berlin",
        datetime(2024, 1, 1, tzinfo=UTC),
        {"first_name": "Ada", "birthday": "1990-05-06T00:00:00Z", "address_postal_code": "10115", "address_city": None},
        {("email", "marketing"): True, ("sms", "marketing"): False, ("sms", "service"): True},
    )


def test_rudderstacks_traits_stand_in_the_context() -> None:
    assert identified(context={"traits": {"firstName": "Ada"}}).attributes == {"first_name": "Ada"}


def test_the_devices_zone_stands_in_for_the_customers() -> None:
    assert identified(context={"timezone": "Asia/Tokyo"}).zone == "Asia/Tokyo"
    assert identified(context={"timezone": "Asia/Tokyo"}, timezone="Europe/Paris").zone == "Europe/Paris"
    assert identified(context={"timezone": "GMT+2:30"}).zone is None


def test_a_file_may_name_traits_otherwise() -> None:
    rules = Rules(traits={"fn": "first_name"}, consents={"emailOptIn": "email", "newsletter": "email.news"})
    found = identified(rules, fn="Ada", emailOptIn=True, newsletter=False)
    assert found.attributes == {"first_name": "Ada"}
    assert found.consents == {("email", "marketing"): True, ("email", "news"): False}


@pytest.mark.parametrize(
    ("traits", "reason"),
    [
        ({"timezone": "Mars/Base"}, "unknown time zone: wanted an IANA name"),
        ({"timezone": "W. Europe Standard Time"}, "unknown time zone"),
        ({"timezone": 5}, "unknown time zone"),
        ({"createdAt": 5}, "not a moment"),
        ({"consents": True}, "not consents"),
        ({"consents": {"fax": True}}, "not a consent: wanted true or false for one of email, sms"),
        ({"consents": {"Email": True}}, "not a consent"),
        ({"consents": {"email": "yes"}}, "not a consent"),
        ({"consents": {"email": {"marketing": 1}}}, "not a consent"),
        ({"consents": {"email": {"a\0b": True}}}, "not a purpose: wanted at most 100 printable characters"),
        ({"consents": {"email": {"x" * 101: True}}}, "not a purpose"),
        ({"score": math.inf}, "not a number"),
        (
            {"home": {"altitude": -math.inf}},
            "not a number: wanted a finite one of at most 9.2",
        ),
        ({"score": 10**400}, "not a number"),
        ({"tags": ["a"]}, "a list: wanted a text, a number, true, false or null; at tags"),
        ({"home": {"rooms": []}}, "a list: wanted a text, a number, true, false or null; at home_rooms"),
        ({"7 secrets": 1, "日本": 2, "x" * 101: 3}, "a name that no attribute can have: wanted letters"),
    ],
)
def test_an_unfit_trait_is_left_out_and_the_rest_is_kept(traits: dict[str, Any], reason: str) -> None:
    left_out: list[str] = []
    found = identified(left_out=left_out, firstName="Ada", **traits)
    assert found == Profile("c1", attributes={"first_name": "Ada"})
    assert len(left_out) == 1
    assert left_out[0].startswith(reason)


def test_deep_traits_are_passed_over() -> None:
    deep: dict[str, Any] = {"end": 1}
    for _ in range(400):
        deep = {"a": deep}
    assert identified(deep=deep, firstName="Ada").attributes == {"first_name": "Ada"}


def test_a_group_becomes_attributes() -> None:
    found = profile("group", groupId="g1", traits={"name": "Acme", "plan": "gold"})
    assert found == Profile("c1", attributes={"group_id": "g1", "group_name": "Acme", "group_plan": "gold"})
    assert profile("group") is None


def test_outcomes_name_their_decision() -> None:
    def outcome(name: str, **properties: Any) -> Outcome | None:
        message = read(event=name, properties=properties)
        meaning = meaning_of(message, Rules())
        assert meaning is not None
        return outcome_of(message, meaning, NOTHING)

    time = microseconds(NOON - INSTANT)
    assert outcome("Email Opened", decision_id="d1") == Outcome("d1", "opened", time, None)
    assert outcome("converted", decision_id="d1", value=12) == Outcome("d1", "converted", time, 12.0)
    assert outcome("Email Opened") is None
    assert outcome("Order Completed", decision_id="d1") is None


@pytest.mark.parametrize(
    "word", ["null", "NULL", "\\N", "NaN", "[undefined]", "anonymous", "N/A", "0", "000", " none "]
)
def test_a_placeholder_is_nobody_s_id(word: str) -> None:
    found = read(call="identify", userId=word, anonymousId="a1")
    assert (found.customer, found.is_user, found.alias) == ("a1", False, None)
    assert read(call="identify", anonymousId=word).alias is None
    for fields in ({"userId": word}, {"userId": None, "anonymousId": word}):
        with pytest.raises(UnfitMessageError, match="about nobody"):
            read(**fields)
    with pytest.raises(UnfitMessageError, match="an alias of nothing"):
        read(call="alias", previousId=word)
    assert read(messageId=word).id != read(messageId=word, event="Product Viewed").id


def test_an_id_reads_the_same_however_its_number_is_written() -> None:
    written = (13085, 13085.0, "13085", "13085.0", " 13085 ", "13085.00")
    assert {read(userId=id_).customer for id_ in written} == {"13085"}
    assert [read(userId=id_).customer for id_ in ("007", "1.50", "v1.0", "1e5")] == ["007", "1.50", "v1.0", "1e5"]


def test_the_words_that_are_no_ids_are_a_shop_s_own_to_state() -> None:
    told = {"messageId": "m1", "event": "Order Completed"}
    rules = Rules(placeholder_ids=("Nobody", "guest-user"))
    for word, customer in (("0", "0"), ("null", "null")):
        found = reading.read({**told, "userId": word}, NOON, reach=YEAR, call="track", placeholders=rules.placeholders)
        assert found.customer == customer
    with pytest.raises(UnfitMessageError, match="about nobody"):
        reading.read({**told, "userId": "NOBODY"}, NOON, reach=YEAR, call="track", placeholders=rules.placeholders)


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("Ada\r\nBcc: x@example.com", "Ada Bcc: x@example.com"),
        ("Ada\n\n\tLovelace", "Ada Lovelace"),
        ("Ada\u2028Lovelace\x85", "Ada Lovelace "),
        ("A\x00d\x07a\x1b[31m", "Ada[31m"),
        ("\u202eadA\u2066", "adA"),
        ("Zoë \U0001f469\u200d\U0001f52c", "Zoë \U0001f469\u200d\U0001f52c"),
    ],
)
def test_texts_are_kept_as_one_line_without_control_characters(told: str, kept: str) -> None:
    assert identified(firstName=told).attributes == {"first_name": kept}
    assert event("Product Viewed", product_id=told).subject == kept
