"""The common parts of the lints: the logic of a catalogue, the actions of its scopes, and findings."""

from dataclasses import dataclass
from datetime import timedelta

from tactful.decisions.base.ledger import Scope
from tactful.decisions.catalogue.checks import Place, PlacedFinding
from tactful.decisions.catalogue.compiled import EVENT_FACTS, LOCAL_FACTS, CompiledCatalogue, Rule
from tactful.decisions.catalogue.model import Programme
from tactful.decisions.catalogue.policies.base import ContactPolicy
from tactful.decisions.catalogue.triggers import AbsenceTrigger, EventTrigger
from tactful.decisions.lint.logic import Domain, Logic
from tactful.features.vocabulary import CHANNELS

Actions = frozenset[str]
"""Ids of actions."""

_EVENT = {f"event.{name}": kind for name, kind in EVENT_FACTS.items()}
_CLOCK = {"hour": (0, 23), "weekday": (0, 6), "month": (1, 12), "day": (1, 31), "year": (1970, 2100)}


@dataclass(frozen=True, slots=True)
class LintFinding:
    """Something in a catalogue that does nothing, or keeps something else from ever happening.

    Args:
        remark: What to tell the marketer, or None where another remark tells it already.
        silenced: The actions that can never be taken because of it, by id.
    """

    remark: PlacedFinding | None
    silenced: Actions = frozenset()


def doubt(place: Place, message: str, mend: str, silenced: Actions = frozenset()) -> LintFinding:
    """A doubt whose remark is a warning."""
    return LintFinding(PlacedFinding(place, message, mend, severity="warning"), silenced)


class LintContext:
    """A catalogue without mistakes, made ready for its lints.

    Args:
        compiled: The catalogue.
    """

    def __init__(self, compiled: CompiledCatalogue) -> None:
        self.compiled = compiled
        self.catalogue = compiled.catalogue
        self.rules: dict[str, Rule] = {rule.action.id: rule for rule in compiled.rules}
        self.logic = Logic(domains(compiled), compiled.catalogue.segments)

    def covered(self, scope: Scope) -> Actions:
        """The actions in scope."""
        return frozenset(
            rule.action.id
            for rule in self.compiled.rules
            if scope.covers(rule.action.channel, rule.action.programme, rule.action.message, rule.action.tags)
        )

    def governed(self, policy: ContactPolicy) -> Actions:
        """The actions a policy binds: those in scope, without those that ignore caps if it is one."""
        covered = self.covered(policy.scope)
        return covered - {a for a in covered if policy.limits_frequency and self.rules[a].message.ignores_caps}

    def of_programme(self, programme: str) -> Actions:
        """The actions of a programme."""
        return frozenset(rule.action.id for rule in self.compiled.rules_by_programme[programme])

    def of_message(self, message: str) -> Actions:
        """The actions of a message."""
        return frozenset(rule.action.id for rule in self.compiled.rules if rule.message.id == message)

    @staticmethod
    def given(programme: Programme) -> dict[str, Domain]:
        """The known facts about the event that opens a programme: its type and its age, or that there is none."""
        trigger = programme.trigger
        if not isinstance(trigger, EventTrigger | AbsenceTrigger):
            return {} if trigger.after else {name: Domain(kind, only=(None,)) for name, kind in _EVENT.items()}
        youngest, oldest = (span.total_seconds() / 86400 for span in lifetime(trigger))
        age = Domain("number", low=0.0) if trigger.after else Domain("number", low=youngest, high=oldest)
        return {"event.type": Domain("string", only=(trigger.type,)), "event.age_days": age}


def lifetime(trigger: EventTrigger | AbsenceTrigger) -> tuple[timedelta, timedelta]:
    """How old the event of an opening is when that opens, and when it expires."""
    wait = trigger.delay if isinstance(trigger, EventTrigger) else trigger.within
    return wait, wait + trigger.expiry


def from_elsewhere(scope: Scope) -> bool:
    """Whether contacts made outside the catalogue can be in scope."""
    return not (scope.programme or scope.message or scope.tag)


def counted(actions: Actions) -> str:
    """How many actions, in words."""
    return f"{len(actions)} action{'' if len(actions) == 1 else 's'}"


def domains(compiled: CompiledCatalogue) -> dict[str, Domain]:
    """The values of every name that an expression of a catalogue may read."""
    vocabulary, attributes = compiled.vocabulary, compiled.catalogue.attributes
    no_clock = () if compiled.zone else (None,)
    return {
        **{f"features.{name}": Domain("number", unknown=(None,)) for name in vocabulary.features},
        **{f"scores.{name}": Domain("number", unknown=(None,)) for name in vocabulary.scores},
        **{
            f"customer.{name}": Domain(a.type, unknown=(None,) if a.default is None else ())
            for name, a in attributes.items()
        },
        **{name: Domain(kind, unknown=(None,)) for name, kind in _EVENT.items()},
        "event.type": Domain("string", only=(*vocabulary.event_types, None)),
        "event.channel": Domain("string", only=(*CHANNELS, None)),
        "event.age_days": Domain("number", low=0.0, unknown=(None,)),
        **{f"local.{name}": Domain(kind, *_CLOCK[name], unknown=no_clock) for name, kind in LOCAL_FACTS.items()},
    }
