"""A writer that is killed at any moment has lost nothing it was told is kept, and left nothing half done."""

import itertools
import multiprocessing
import random
import uuid
from multiprocessing.connection import Connection

from tactful.serving.bootstrap import open_store
from tactful.serving.store.admin.checking import check
from tactful.serving.store.port import Arrival, Outcome, Profile, Receipt, RecordStatus
from tests.contracts.stores import BUY, T, history, keep_catalogue, known, spoken
from tests.decisions.retailer import NOON

KILLS = 3


def write(url: str, told: Connection) -> None:
    """Takes in and records without end, and tells what was acknowledged, each after it was."""
    store, run = open_store(url), uuid.uuid4().hex[:8]
    for turn in itertools.count():
        name, customer = f"{run}-{turn}", f"c{turn % 5}"
        event = BUY._replace(id=name)
        device = Arrival(f"{name}-device", f"{customer}-{run}", event._replace(id=f"{name}-device"))
        if store.ingest(T, [Arrival(name, customer, event), device], NOON) == [Receipt.KEPT] * 2:
            told.send(("event", name))
            told.send(("event", f"{name}-device"))
        if store.record(T, [spoken(known(store, customer).version, name, customer)]) == [RecordStatus.RECORDED]:
            told.send(("decision", name))
        tie = Arrival(f"{name}-tie", customer, alias=f"{customer}-{run}", outcome=Outcome(name, "opened", turn))
        if store.ingest(T, [tie], NOON) == [Receipt.KEPT]:
            told.send(("outcome", name))


def test_what_was_acknowledged_before_a_kill_is_there(url: str) -> None:
    """Each writer is killed after some hundred acknowledgements, more or less, and the next goes on."""
    store = open_store(url)
    store.load(T, history(*(Profile(f"c{n}") for n in range(5))))
    keep_catalogue(store)
    acknowledged, chance = set[tuple[str, str]](), random.Random(0)
    spawning = multiprocessing.get_context("spawn")
    for _ in range(KILLS):
        ours, theirs = spawning.Pipe(duplex=False)
        writer = spawning.Process(target=write, args=(url, theirs))
        writer.start()
        theirs.close()
        acknowledged |= {ours.recv() for _ in range(chance.randrange(20, 120))}
        writer.kill()
        writer.join()
        while ours.poll():
            try:
                acknowledged.add(ours.recv())
            except EOFError:
                break
    kept = {("event", event.id) for _, event in store.events(T)}
    kept |= {("decision", stored.id) for stored in store.decision_log(T)}
    kept |= {("outcome", decision) for decision, *_ in store.outcomes(T)}
    assert len(acknowledged) > KILLS * 20
    assert acknowledged <= kept
    assert {finding.kind for finding in check(store, T).findings} == {"cap"}, "nobody kept to caps, all else agrees"
    assert {contact.id for _, _, contact in store.ledger(T)} == {name for kind, name in kept if kind == "decision"}
    store.close()
