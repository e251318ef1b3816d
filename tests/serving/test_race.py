"""A race for every kind of cap: 8 processes with 64 callers ask about 20 customers, many ids twice."""

import json
import multiprocessing
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta

import pytest

from tactful.decisions.catalogue.compiled import CompiledCatalogue
from tactful.decisions.catalogue.policies.frequency import Cap
from tactful.decisions.loading import load_catalogue
from tactful.features.definitions.standard import STANDARD
from tactful.features.timestamps import microseconds
from tactful.serving.bootstrap import open_store
from tactful.serving.engine.drafts import DecisionCommand, DecisionResult
from tactful.serving.engine.in_force.champion import load_champion
from tactful.serving.engine.in_force.pointer import vocabulary
from tactful.serving.settings import Settings
from tactful.serving.store.admin.audit import Recorded, broken_windows
from tactful.serving.store.port import History, Profile
from tests.proofs import runs
from tests.serving.racer import race
from tests.serving.shop import ALLOWED, NOW, service_of

PROCESSES, CALLERS = 8, 64
CUSTOMERS = [f"racer{number}" for number in range(20)]
MOST = 1_200
SECOND = timedelta(seconds=1)

CATALOGUE = """
catalogue: race
currency: USD
timezone: America/New_York
objective: propensity
policy: {kind: greedy}
exploration: {holdout: 0, uniform: 0}
channels: {email: {cost: 0.01}, sms: {cost: 0.02}, mail: {cost: 0.03}}
contact_policies:
  - {id: everything, kind: cap, max: 12, window: 7d}
  - {id: each_channel, kind: cap, max: 5, window: 7d, per: channel}
  - {id: mails, kind: cap, max: 3, window: 28d, scope: {channel: mail}}
  - {id: offers, kind: cap, max: 6, window: 7d, scope: {programme: offers}}
  - {id: notes, kind: cap, max: 2, window: 7d, scope: {message: note}}
  - {id: loud, kind: cap, max: 4, window: 7d, scope: {tag: loud}}
programmes:
  - id: offers
    trigger: {kind: always, expiry: 1d}
    reentry: 0m
    messages:
      - id: bargain
        channels: [email, sms, mail]
        value: 90
        tags: [loud]
        response: {mean: 0.1}
        content: {subject: B, body: B}
      - {id: hint, channels: [email, sms, mail], value: 80, response: {mean: 0.1}, content: {subject: H, body: H}}
  - id: news
    trigger: {kind: always, expiry: 1d}
    reentry: 0m
    messages:
      - {id: note, channels: [sms], value: 70, response: {mean: 0.1}, content: {body: N}}
      - {id: letter, channels: [email, mail], value: 60, response: {mean: 0.1}, content: {subject: L, body: L}}
      - {id: shout, channels: [sms], value: 50, tags: [loud], response: {mean: 0.1}, content: {body: S}}
"""


@pytest.fixture(params=["sqlite", "postgres"])
def shop(request: pytest.FixtureRequest, shop: Settings) -> Settings:
    """The furnished shop with the racers, on either database."""
    shop.catalogue.write_text(CATALOGUE)
    if request.param == "postgres":
        with (shop.data / "tactful.env").open("a") as settings:
            settings.write(f"TACTFUL_STORE={request.getfixturevalue('database')}\n")
        shop = Settings.of(shop.data)
    store = open_store(shop.store)
    racers = [Profile(customer, consents=ALLOWED) for customer in CUSTOMERS]
    store.load(shop.tenant, History("UTC", NOW - timedelta(days=9), racers))
    store.close()
    return shop


def silences(answers: Mapping[str, Sequence[bytes]]) -> set[str]:
    """Every gate that held an action back where there was silence."""
    told = [json.loads(one[0]) for one in answers.values()]
    silent = [one for one in told if one["choice"] is None]
    assert all(one["excluded"] for one in silent)
    return {reason["gate"] for one in silent for action in one["excluded"] for reason in action["reasons"]}


def filled(shop: Settings) -> dict[str, set[str]]:
    """What holds every action back once each customer, asked on and on after the race, is left alone."""
    service = service_of(shop)
    gates: dict[str, set[str]] = {}
    for customer in CUSTOMERS:
        for number in range(MOST):
            late = NOW + (2 * MOST + number) * SECOND
            (told,) = service.decide_many([DecisionCommand(customer, f"last-{customer}-{number}", late)])
            assert isinstance(told, DecisionResult)
            if told.decision.choice is None:
                gates[customer] = {"+".join({e.gate for e in c.exclusions}) for c in told.decision.candidates}
                break
    service.store.close()
    return gates


def contacts(shop: Settings) -> list[Recorded]:
    store = open_store(shop.store)
    found = [
        Recorded(customer, c.id, microseconds(c.time), c.channel, c.programme, c.message, c.tags, c.counts)
        for customer, status, c in store.ledger(shop.tenant)
        if status != "released" and customer in CUSTOMERS
    ]
    store.close()
    return found


def caps(compiled: CompiledCatalogue) -> list[Cap]:
    return [policy for policy in compiled.catalogue.contact_policies if isinstance(policy, Cap)]


@pytest.mark.parametrize("count", runs(600, MOST))
def test_every_cap_is_reached_and_none_is_passed(shop: Settings, count: int) -> None:
    asks = [DecisionCommand(CUSTOMERS[i % len(CUSTOMERS)], f"d{i}", NOW + i * SECOND) for i in range(count)]
    dealt = [*asks, *random.Random(0).sample(asks, count // 4)]
    hands = [dealt[process::PROCESSES] for process in range(PROCESSES)]
    with ProcessPoolExecutor(PROCESSES, multiprocessing.get_context("spawn")) as pool:
        running = [pool.submit(race, shop.data, hand, CALLERS // PROCESSES) for hand in hands]
        answers: dict[str, list[bytes]] = defaultdict(list)
        for process in running:
            for id_, told in process.result().items():
                answers[id_] += told
    assert sum(map(len, answers.values())) == count + count // 4
    assert all(len(set(told)) == 1 for told in answers.values()), "an id has one answer, whoever asks"

    # An ask whose moment lies before a contact made meanwhile waits for it: its programme's re-entry.
    assert silences(answers) == {"cap", "reentry"}, "nobody was left alone but by a cap"
    assert filled(shop) == {customer: {"cap"} for customer in CUSTOMERS}, "never under what the caps allow"
    recorded = contacts(shop)
    bundle = load_champion(shop.champion, shop.catalogue, STANDARD).bundle
    compiled = load_catalogue(shop.catalogue, vocabulary(bundle.names))
    assert broken_windows(recorded, caps(compiled), {contact.id for contact in recorded}) == []
