"""Contact policies hold exactly, on either database, however many threads and processes decide at once."""

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise

import pytest

from tactful.decisions.base.snapshot import Contact
from tactful.features.events.dataset import open_events
from tactful.serving.bootstrap import open_store
from tactful.serving.engine.contacts import Clearance, clear, release
from tactful.serving.engine.drafts import DecisionCommand
from tactful.serving.engine.service import DecisionService
from tactful.serving.errors import AlreadySentError
from tactful.serving.settings import Settings
from tactful.serving.store.queries.contacts import ContactStatus
from tests.checked_text import CheckedText
from tests.serving.hammer import hammer
from tests.serving.shop import NOW, service_of, stock, ticking

SECOND = timedelta(seconds=1)
WORKERS, ASKS, AT_ONCE = 4, 160, 8
CUSTOMERS = ("regular", "leaver", "thankful")

CATALOGUE = CheckedText("""
catalogue: news
currency: USD
timezone: America/New_York
objective: propensity
policy: {kind: greedy}
channels: {email: {cost: 0.0, subject: true}, sms: {cost: 0.0}}
contact_policies: [POLICIES]
programmes:
  - id: news
    trigger: {kind: always, expiry: 1d}
    reentry: 0m
    messages:
      - {id: letter, channels: [email], value: 2, response: {mean: 0.1}, content: {subject: News, body: News}}
      - {id: note, channels: [sms], value: 1, response: {mean: 0.1}, content: {body: News}}
""")


@pytest.fixture(params=["sqlite", "postgres"])
def shop(request: pytest.FixtureRequest, shop: Settings) -> Settings:
    """The furnished shop, on its own file or with the same customers in PostgreSQL."""
    if request.param == "sqlite":
        return shop
    with (shop.data / "tactful.env").open("a") as settings:
        settings.write(f"TACTFUL_STORE={request.getfixturevalue('database')}\n")
    shop = Settings.of(shop.data)
    store = open_store(shop.store)
    stock(store, open_events(shop.data / "events"))
    store.close()
    return shop


def decided_at_once(shop: Settings, policies: str, pool: Executor) -> dict[str, list[Contact]]:
    """The contacts of each customer after everybody asked, each ask a second after the one before."""
    shop.catalogue.write_text(CATALOGUE.replace("POLICIES", policies))
    asks = [DecisionCommand(CUSTOMERS[i % len(CUSTOMERS)], f"d{i}", NOW + i * SECOND) for i in range(ASKS)]
    running = [pool.submit(hammer, shop.data, asks[worker::WORKERS], AT_ONCE) for worker in range(WORKERS)]
    outcomes = [outcome for worker in running for outcome in worker.result()]
    store = open_store(shop.store)
    contacts: dict[str, list[Contact]] = {customer: [] for customer in CUSTOMERS}
    for customer, status, contact in store.ledger(shop.tenant):
        if status == "reserved":
            contacts[customer].append(contact)
    assert len(list(store.decision_log(shop.tenant))) == len(outcomes) == ASKS
    assert sum(map(len, contacts.values())) == sum(outcome != "silence" for outcome in outcomes)
    store.close()
    return contacts


def fullest(contacts: Sequence[Contact], window: timedelta) -> int:
    times = [contact.time for contact in contacts]
    return max(sum(start <= time < start + window for time in times) for start in times)


@pytest.fixture(params=["threads", "processes"])
def make_pool(request: pytest.FixtureRequest) -> Callable[[], Executor]:
    if request.param == "threads":
        return lambda: ThreadPoolExecutor(WORKERS)
    return lambda: ProcessPoolExecutor(WORKERS, multiprocessing.get_context("spawn"))


def test_a_cap_is_reached_and_never_passed(shop: Settings, make_pool: Callable[[], Executor]) -> None:
    with make_pool() as pool:
        contacts = decided_at_once(shop, "{id: week, kind: cap, max: 5, window: 7d}", pool)
    assert {customer: len(made) for customer, made in contacts.items()} == dict.fromkeys(CUSTOMERS, 5)


def test_a_cap_of_a_channel_leaves_the_other_its_own(shop: Settings, make_pool: Callable[[], Executor]) -> None:
    policies = (
        "{id: letters, kind: cap, max: 3, window: 7d, scope: {channel: email}}, "
        "{id: minute, kind: cap, max: 2, window: 1m, per: channel}"
    )
    with make_pool() as pool:
        contacts = decided_at_once(shop, policies, pool)
    for made in contacts.values():
        by_channel = {name: [c for c in made if c.channel == name] for name in ("email", "sms")}
        assert len(by_channel["email"]) == 3
        assert all(fullest(some, timedelta(minutes=1)) <= 2 for some in by_channel.values())


def test_a_gap_is_kept_before_and_after(shop: Settings) -> None:
    with ThreadPoolExecutor(WORKERS) as pool:
        contacts = decided_at_once(shop, "{id: breath, kind: gap, min: 1m}", pool)
    for made in contacts.values():
        times: list[datetime] = sorted(contact.time for contact in made)
        assert len(times) >= 2
        assert all(after - before >= timedelta(minutes=1) for before, after in pairwise(times))


def test_a_pair_rule_is_kept(shop: Settings) -> None:
    policies = (
        "{id: one_letter, kind: cap, max: 1, window: 7d, scope: {channel: email}}, "
        "{id: then_notes, kind: only_after, scope: {channel: sms}, first: {channel: email}, within: 30m}"
    )
    with ThreadPoolExecutor(WORKERS) as pool:
        contacts = decided_at_once(shop, policies, pool)
    for made in contacts.values():
        (letter,) = [contact.time for contact in made if contact.channel == "email"]
        assert all(contact.time >= letter for contact in made)


def test_an_id_asked_for_by_everybody_is_decided_once(shop: Settings) -> None:
    asks = [DecisionCommand("thankful", f"d{i}", NOW + i * SECOND) for i in range(20)]
    with ThreadPoolExecutor(WORKERS) as pool:
        running = [pool.submit(hammer, shop.data, asks, AT_ONCE) for _ in range(WORKERS)]
        outcomes = [worker.result() for worker in running]
    assert all(found == outcomes[0] for found in outcomes)
    store = open_store(shop.store)
    assert len(list(store.decision_log(shop.tenant))) == len(asks)
    assert sum(outcome != "silence" for outcome in outcomes[0]) == 1
    store.close()


def released_by(service: DecisionService, decision_id: str) -> bool:
    """Whether the contact could be released: one that was made cannot."""
    try:
        return release(service, decision_id) is ContactStatus.RELEASED
    except AlreadySentError:
        return False


def test_a_contact_is_cleared_once_or_released_whoever_asks_at_once(shop: Settings) -> None:
    shop.catalogue.write_text(CATALOGUE.replace("POLICIES", ""))
    service = service_of(shop, ticking())
    askers = [partial(clear, service)] * 3 + [partial(released_by, service)]
    with ThreadPoolExecutor(len(askers)) as pool:
        for number in range(40):
            answer = service.decide("regular", f"d{number}")
            assert answer.decision.choice is not None
            asked = [pool.submit(asker, answer.decision.id) for asker in askers]
            *clearances, released = [one.result() for one in asked]
            sends = sum(isinstance(clearance, Clearance) and clearance.send for clearance in clearances)
            assert (sends, released) in ((1, False), (0, True))
    service.store.close()
