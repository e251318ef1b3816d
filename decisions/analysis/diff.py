"""The decisions of another catalogue for the same customers at the same moments."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace

from tactful.decisions.analysis.rollforward import decide_forward
from tactful.decisions.base.conditions import Failure
from tactful.decisions.catalogue.compiled import CompiledCatalogue
from tactful.decisions.kernel.decide import Request, Scorer
from tactful.decisions.kernel.decision import SILENCE, Decision
from tactful.decisions.kernel.evaluation import Evaluation

EVERYBODY = "everybody"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean with its 95 % interval, normal, over customers.

    Args:
        mean: The mean.
        low: Lower end.
        high: Upper end.
    """

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Change:
    """How often something is chosen, before and after.

    Args:
        segment: The customers.
        subject: A programme.
        before: Decisions for it under the old catalogue.
        after: Under the new one.
        change: In decisions for it a customer of the segment.
    """

    segment: str
    subject: str
    before: int
    after: int
    change: Estimate


@dataclass(frozen=True, slots=True)
class Diff:
    """The differences.

    Args:
        decisions: How many were decided twice.
        customers: Of how many customers.
        changed: How many came out otherwise.
        changes: By segment and programme, those that differ.
        starving: Actions that were worth most to somebody before and are to nobody after.
        silenced: Customers who got a message before and get none now.
        contacts: Change in contacts a customer.
        value: Change in expected value a customer, each catalogue by its own reckoning, in currency; None where the
            catalogues reckon in different ones.
        currency: ISO 4217 code of the new catalogue.
        unseen: Event types that the new catalogue looks at and the old one did not, or not so far back: a log that the
            old one made lacks such events, so what they open or suppress is missing here.
    """

    decisions: int
    customers: int
    changed: int
    changes: tuple[Change, ...]
    starving: tuple[str, ...]
    silenced: tuple[str, ...]
    contacts: Estimate
    value: Estimate | None
    currency: str
    unseen: tuple[str, ...]

    def as_dict(self) -> dict[str, object]:
        """The differences as JSON values."""
        return asdict(self)

    @property
    def _value(self) -> str:
        if self.value is None:
            return "not comparable, since the catalogues reckon in different currencies"
        return f"{_signed(self.value)} {self.currency}, each catalogue by its own reckoning"

    def markdown(self) -> str:
        """The differences as Markdown, for a pull request."""
        lines = [
            f"**{self.changed:,} of {self.decisions:,} decisions change** ({self.customers:,} customers).",
            "",
            f"- contacts a customer: {_signed(self.contacts)}, here and below with the 95 % interval",
            f"- expected value a customer: {self._value}",
            f"- customers left without any message: {len(self.silenced):,}{_examples(self.silenced)}",
            f"- actions that starve: {', '.join(f'`{action}`' for action in self.starving) or 'none'}",
            "",
        ]
        if self.unseen:
            lines += [f"The log lacks {', '.join(self.unseen)} events that the new catalogue looks at.", ""]
        if self.changes:
            lines += ["| segment | programme | before | after | change a customer |", "|---|---|--:|--:|--:|"]
            lines += [
                f"| {c.segment} | {c.subject} | {c.before:,} | {c.after:,} | {_signed(c.change)} |"
                for c in self.changes
            ]
        return "\n".join(lines).rstrip() + "\n"


def fitted(request: Request, names: Sequence[str], compiled: CompiledCatalogue) -> Request:
    """A request with the features that a catalogue reads, those that were not recorded unknown.

    Args:
        request: As it was recorded.
        names: Names of the features it was recorded with.
        compiled: The catalogue that is to decide it.
    """
    known = dict(zip(names, request.snapshot.features, strict=True))
    features = tuple(known.get(name, math.nan) for name in compiled.vocabulary.features)
    return replace(request, snapshot=replace(request.snapshot, features=features))


def diff(
    requests: Sequence[Request],
    names: Sequence[str],
    old: CompiledCatalogue,
    new: CompiledCatalogue,
    scorer: Scorer,
) -> Diff:
    """Decide every request under both catalogues, each with its own policy, one seed, and no limit of capacity.

    Each catalogue decides on the contacts that it made itself before, so that a looser cap counts once it is reached.

    Args:
        requests: Past requests: snapshots as they were recorded.
        names: Names of the features they were recorded with; a feature of points or tiers that only one of the
            catalogues has is unknown to the log where it was not recorded.
        old: The catalogue before.
        new: The catalogue after.
        scorer: The models, the same for both.
    """
    before = decide_forward([fitted(request, names, old) for request in requests], old, scorer)
    fresh = [fitted(request, names, new) for request in requests]
    after = decide_forward(fresh, new, scorer)
    members = [_segments(request, decision, new) for request, decision in zip(fresh, after, strict=True)]
    customers = [request.snapshot.customer for request in requests]
    return Diff(
        decisions=len(requests),
        customers=len(set(customers)),
        changed=sum(a.outcome != b.outcome for a, b in zip(before, after, strict=True)),
        changes=_changes(before, after, members),
        starving=tuple(sorted(_best(before) - _best(after))),
        silenced=tuple(sorted(_contacted(before) - _contacted(after))),
        contacts=_mean_change(customers, [_contacts(b) - _contacts(a) for a, b in zip(before, after, strict=True)]),
        value=_mean_change(customers, [_worth(b) - _worth(a) for a, b in zip(before, after, strict=True)])
        if old.catalogue.currency == new.catalogue.currency
        else None,
        currency=new.catalogue.currency,
        unseen=tuple(sorted(t for t, span in new.memory.items() if t not in old.memory or span > old.memory[t])),
    )


def _changes(before: Sequence[Decision], after: Sequence[Decision], members: Sequence[list[str]]) -> tuple[Change, ...]:
    """Programmes decided for more or less often, by segment, everybody first."""
    decided: dict[tuple[str, str], list[tuple[str, int, int]]] = defaultdict(list)
    customers: dict[str, set[str]] = defaultdict(set)
    for old, new, segments in zip(before, after, members, strict=True):
        for segment in segments:
            customers[segment].add(new.customer)
            for subject in {_programme(old), _programme(new)}:
                decided[segment, subject].append((new.customer, _programme(old) == subject, _programme(new) == subject))
    changes = []
    for (segment, subject), told in sorted(decided.items(), key=lambda item: (item[0][0] != EVERYBODY, item[0])):
        who, old_counts, new_counts = zip(*told, strict=True)
        change = _mean_change(who, [b - a for _, a, b in told], len(customers[segment]))
        changes.append(Change(segment, subject, sum(old_counts), sum(new_counts), change))
    return tuple(change for change in changes if change.before != change.after)


def _segments(request: Request, decision: Decision, compiled: CompiledCatalogue) -> list[str]:
    case = Evaluation(compiled, request.snapshot, decision.scores)
    held = {name: case.value(f"segment.{name}") for name in compiled.catalogue.segments}
    return [EVERYBODY, *(name for name, value in held.items() if not isinstance(value, Failure) and value)]


def _programme(decision: Decision) -> str:
    return decision.choice.action.programme if decision.choice else SILENCE


def _best(decisions: Iterable[Decision]) -> set[str]:
    """The actions that are worth most in some decision, whatever exploration drew."""
    leaders = (max(d.survivors, key=lambda c: c.priority or 0.0, default=None) for d in decisions)
    return {leader.action.id for leader in leaders if leader and (leader.priority or 0.0) > 0}


def _contacted(decisions: Iterable[Decision]) -> set[str]:
    return {decision.customer for decision in decisions if decision.choice}


def _contacts(decision: Decision) -> float:
    """The expected number of contacts."""
    return 1.0 - decision.silence_probability


def _worth(decision: Decision) -> float:
    """The expected worth over silence."""
    return sum(c.probability * (c.priority or 0.0) for c in decision.survivors)


def _mean_change(customers: Sequence[str], changes: Sequence[float], of: int = 0) -> Estimate:
    """The mean change a customer, with an interval over customers, who are what varies independently.

    Args:
        customers: The customer of each change.
        changes: The changes.
        of: How many customers there are, where some without a change are not named.
    """
    sums: dict[str, float] = defaultdict(float)
    for customer, change in zip(customers, changes, strict=True):
        sums[customer] += change
    n = max(len(sums), of)
    if n == 0:
        return Estimate(0.0, 0.0, 0.0)
    mean = sum(sums.values()) / n
    squares = sum((value - mean) ** 2 for value in sums.values()) + (n - len(sums)) * mean**2
    variance = squares / max(n - 1, 1)
    half = 1.96 * math.sqrt(variance / n)
    return Estimate(mean, mean - half, mean + half)


def _signed(estimate: Estimate) -> str:
    return f"{estimate.mean:+.3f} ({estimate.low:+.3f} to {estimate.high:+.3f})"


def _examples(names: Sequence[str]) -> str:
    return f" (such as {', '.join(names[:3])})" if names else ""
