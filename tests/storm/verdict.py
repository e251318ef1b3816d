"""What is left after a storm, counted from the store by code that shares nothing with what keeps the promises."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from tactful.decisions.catalogue.policies.frequency import Cap
from tactful.decisions.loading import load_catalogue
from tactful.features.definitions.standard import STANDARD
from tactful.features.timestamps import microseconds
from tactful.serving.bootstrap import open_service, open_store
from tactful.serving.engine.drafts import DecisionCommand, DecisionResult
from tactful.serving.engine.in_force.champion import load_champion
from tactful.serving.engine.in_force.pointer import vocabulary
from tactful.serving.engine.records.decision_json import content
from tactful.serving.settings import Settings
from tactful.serving.store.admin.audit import Recorded, broken_windows
from tactful.serving.store.port import Store
from tests.storm.bystanders import Seen
from tests.storm.callers import Memory
from tests.storm.ground import CUSTOMERS, REFUSERS

ENDLESS = 200
"""More contacts than all caps together allow one customer."""
EXPLAINED = frozenset({"cap"})
"""Gates that may end in silence."""
EXPLAINED_AHEAD = EXPLAINED | {"duplicate", "reentry"}
"""The same where contacts lie ahead: their programmes stay closed until then."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a storm did.

    Args:
        acknowledged: Decisions that callers were told.
        lost: Those that the store does not bear, or bears otherwise; and acknowledged events that are not there.
        over_cap: Windows with more contacts than a cap allows.
        under_cap: Customers who are left alone although every cap has room for something.
        leaked_reservations: Contacts without a decision, and reservations that count beyond their expiry.
        unexpected_errors: Answers that no caller should ever get.
        refusals_broken: Decisions for a channel that the customer had refused, and refusals that were forgotten.
        silent: Times for which the liveness probe had no answer for more than a second.
    """

    acknowledged: int
    lost: int
    over_cap: int
    under_cap: int
    leaked_reservations: int
    unexpected_errors: int
    refusals_broken: int = 0
    silent: int = 0

    @property
    def clean(self) -> bool:
        """Whether nothing but acknowledged decisions was counted."""
        return not any(value for name, value in asdict(self).items() if name != "acknowledged")


def verdict(settings: Settings, memory: Memory, seen: Seen | None = None) -> Verdict:
    """Counts what is left, with the service stopped; asks about every customer until there is silence.

    Args:
        settings: Of the shop.
        memory: What callers were told.
        seen: What bystanders saw, if there were any.
    """
    seen = seen or Seen()
    store = open_store(settings.store)
    lost = _lost(store, settings, memory)
    leaked = _leaked(store, settings.tenant)
    under = _under(settings, EXPLAINED_AHEAD if seen.clock_jumped else EXPLAINED)
    bundle = load_champion(settings.champion, settings.catalogue, STANDARD).bundle
    catalogue = load_catalogue(settings.catalogue, vocabulary(bundle.names)).catalogue
    caps = [policy for policy in catalogue.contact_policies if isinstance(policy, Cap)]
    recorded = list(_recorded(store, settings.tenant))
    over = broken_windows(recorded, caps, {contact.id for contact in recorded})
    broken = len(seen.broken) + _forgotten(store, settings.tenant, seen)
    store.close()
    unexpected, silent = len(memory.unexpected), len(seen.silences)
    return Verdict(len(memory.decisions), lost, len(over), under, leaked, unexpected, broken, silent)


def _forgotten(store: Store, tenant: str, seen: Seen) -> int:
    """Refusals that were acknowledged and do not stand."""
    later = datetime.now(UTC) + timedelta(days=365)
    known = store.customers(tenant, [(customer, later) for customer in REFUSERS])
    consents = {name: one.consents for name, one in zip(REFUSERS, known, strict=True) if one is not None}
    return sum(
        any(allowed for (channel, _), allowed in consents[customer].items() if channel == refused)
        for customer, refused in seen.refused
    )


def _lost(store: Store, settings: Settings, memory: Memory) -> int:
    service = open_service(settings, store)
    decisions = sum(content(service.decision(id_)) != told for id_, told in memory.decisions.items())
    kept = {event[8] for _, event in store.events(settings.tenant)}
    return decisions + len(memory.events - kept)


def _leaked(store: Store, tenant: str) -> int:
    made = {stored.id for stored in store.decision_log(tenant)}
    orphans = [contact.id for _, _, contact in store.ledger(tenant) if contact.id not in made]
    later = datetime.now(UTC) + timedelta(days=365)
    known = store.customers(tenant, [(customer, later) for customer in CUSTOMERS])
    standing = {contact.id for customer in known if customer for contact in customer.contacts or ()}
    reserved = {contact.id for _, status, contact in store.ledger(tenant) if status == "reserved"}
    return len(orphans) + len(reserved & standing)


def _under(settings: Settings, explained: frozenset[str]) -> int:
    """How many customers end in silence that these gates do not explain; what events open is left out."""
    service = open_service(settings)
    idle = 0
    for customer in CUSTOMERS:
        for number in range(ENDLESS):
            (told,) = service.decide_many([DecisionCommand(customer, f"last-{customer}-{number}", datetime.now(UTC))])
            assert isinstance(told, DecisionResult)
            if told.decision.choice is None:
                always_open = [c for c in told.decision.candidates if c.action.programme != "viewed"]
                gates = {exclusion.gate for c in always_open for exclusion in c.exclusions}
                idle += not gates <= explained
                break
        else:
            idle += 1
    service.store.close()
    return idle


def _recorded(store: Store, tenant: str) -> Iterable[Recorded]:
    """Contacts that were sent, or stand; what expired or was given back may have made room for others."""
    now = datetime.now(UTC)
    standing = {
        contact.id
        for customer in store.customers(tenant, [(name, now) for name in CUSTOMERS])
        if customer
        for contact in customer.contacts or ()
    }
    for customer, status, c in store.ledger(tenant):
        if status != "released" and c.id in standing:
            yield Recorded(customer, c.id, microseconds(c.time), c.channel, c.programme, c.message, c.tags, c.counts)
