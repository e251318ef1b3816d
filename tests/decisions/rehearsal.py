"""A catalogue rehearsed on generated customers: decided moment after moment, each contact entering the ledger."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from tactful import decisions
from tactful.decisions.base.snapshot import Contact, Snapshot
from tactful.decisions.catalogue.compiled import CompiledCatalogue, Vocabulary
from tactful.decisions.catalogue.messages import Reader
from tactful.decisions.catalogue.selection import Greedy
from tactful.decisions.kernel.decide import decide
from tactful.decisions.kernel.decision import Decision
from tactful.decisions.loading import load_catalogue
from tactful.experiments.samples.customers import END, Customers
from tactful.experiments.samples.requests import requests
from tactful.experiments.samples.rule_of_thumb import RuleOfThumb
from tactful.features.definitions.standard import STANDARD

VOCABULARY = Vocabulary(STANDARD.names, scores=("lapse",))
GREEDY = Greedy(kind="greedy")
ON_SITE = ("web", "in_app")


def example(name: str) -> CompiledCatalogue:
    """An example catalogue of the package."""
    return load_catalogue(Path(decisions.__file__).parent / "examples" / name, VOCABULARY)


def days(number: int, every: int = 1, hour: int = 17) -> list[datetime]:
    """The same hour of some of the last days before the histories end."""
    return [END - timedelta(days=day) + timedelta(hours=hour) for day in range(number, 0, -every)]


def rehearse(compiled: CompiledCatalogue, customers: Customers, moments: Sequence[datetime]) -> Iterator[Decision]:
    """The best outbound action for everybody at each moment and, at the last, what the shop shows to who comes by."""
    outbound = outbound_channels(compiled)
    occasions = [(moment, outbound) for moment in moments] + [(moments[-1], ON_SITE)]
    ledger: dict[str, list[Contact]] = {}
    for moment, channels in occasions:
        asked = requests(customers, moment, compiled, ledger=ledger, channels=channels)
        for decision in decide(asked, compiled, GREEDY, RuleOfThumb()):
            if decision.choice is not None:
                ledger.setdefault(decision.customer, []).append(contact(decision, compiled))
            yield decision


def outbound_channels(compiled: CompiledCatalogue) -> tuple[str, ...]:
    """The channels by which the shop goes to the customer."""
    return tuple(channel for channel in compiled.catalogue.channels if channel not in ON_SITE)


def contact(decision: Decision, compiled: CompiledCatalogue) -> Contact:
    """The contact that a decision leads to."""
    choice = decision.choice
    assert choice is not None
    action = choice.action
    counts = compiled.catalogue.message(action.message).counts_toward_caps
    return Contact(
        decision.moment,
        action.channel,
        action.programme,
        action.message,
        action.tags,
        choice.opening,
        counts=counts,
        id=decision.id,
    )


def chosen(decisions_: Iterable[Decision]) -> Counter[str]:
    """How often each action was chosen."""
    return Counter(decision.outcome for decision in decisions_)


def text(decision: Decision, snapshot: Snapshot, compiled: CompiledCatalogue) -> tuple[str, str]:
    """Subject and body of a choice, for what is known of the customer."""
    choice = decision.choice
    assert choice is not None
    event = next((o.event for o in decision.openings if o.key == choice.opening), None)
    rule = next(rule for rule in compiled.rules if rule.action.id == choice.action.id)
    reader = Reader(snapshot, compiled.catalogue, compiled.vocabulary.features)
    found = compiled.text(rule).render(reader.values(rule.message, event), reader.now)
    return found.subject or "", found.body
