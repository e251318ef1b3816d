"""What the lints of a catalogue share: its logic, what its scopes cover, and how they speak of a doubt."""

import math
import re
from dataclasses import dataclass

from decisions.catalogue import Programme
from decisions.checks import Place, Remark
from decisions.compiled import EVENT_FACTS, LOCAL_FACTS, CompiledCatalogue, Rule
from decisions.contact_policies import Scope
from decisions.satisfiable import Domain, Logic
from decisions.triggers import AbsenceTrigger, EventTrigger
from features.events import CHANNELS

_SEGMENT = re.compile(r"\bsegment\.(\w+)")
_CLOCK = {"hour": (0, 23), "weekday": (0, 6), "month": (1, 12), "day": (1, 31)}


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something in a catalogue that does nothing, or keeps something else from ever happening.

    Args:
        remark: What to tell the marketer, or None where another remark tells it already.
        silenced: The actions that can never be taken because of it, by id.
    """

    remark: Remark | None
    silenced: frozenset[str] = frozenset()


def doubt(place: Place, message: str, mend: str, silenced: frozenset[str] = frozenset()) -> Doubt:
    """A doubt whose remark is a warning."""
    return Doubt(Remark(place, message, mend, severity="warning"), silenced)


def segments_in(source: str) -> set[str]:
    """The segments that an expression names."""
    return set(_SEGMENT.findall(source))


class Inspection:
    """A catalogue without mistakes, made ready for its lints.

    Args:
        compiled: The catalogue.
    """

    def __init__(self, compiled: CompiledCatalogue) -> None:
        self.compiled = compiled
        self.catalogue = compiled.catalogue
        self.rules: dict[str, Rule] = {rule.action.id: rule for rule in compiled.rules}
        self.logic = Logic(_domains(compiled), compiled.catalogue.segments)

    def covered(self, scope: Scope) -> frozenset[str]:
        """The actions in scope."""
        return frozenset(
            rule.action.id
            for rule in self.compiled.rules
            if scope.covers(rule.action.channel, rule.action.programme, rule.action.message, rule.action.tags)
        )

    def of_programme(self, programme: str) -> frozenset[str]:
        """The actions of a programme."""
        return frozenset(rule.action.id for rule in self.compiled.rules_by_programme[programme])

    def of_message(self, message: str) -> frozenset[str]:
        """The actions of a message."""
        return frozenset(rule.action.id for rule in self.compiled.rules if rule.message.id == message)

    @staticmethod
    def given(programme: Programme) -> dict[str, Domain]:
        """What is known of the event that opens a programme: its type and its age, or that there is none."""
        trigger = programme.trigger
        if not isinstance(trigger, EventTrigger | AbsenceTrigger):
            return {f"event.{name}": Domain(kind, only=(None,)) for name, kind in EVENT_FACTS.items()}
        wait = trigger.delay if isinstance(trigger, EventTrigger) else trigger.within
        youngest, oldest = wait.total_seconds() / 86400, (wait + trigger.expiry).total_seconds() / 86400
        age = Domain("number", low=0.0) if trigger.after else Domain("number", low=youngest, high=oldest)
        return {"event.type": Domain("string", only=(trigger.type,)), "event.age_days": age}


def _domains(compiled: CompiledCatalogue) -> dict[str, Domain]:
    vocabulary, attributes = compiled.vocabulary, compiled.catalogue.attributes
    no_clock = () if compiled.zone else (None,)
    return {
        **{f"features.{name}": Domain("number", unknown=(math.nan,)) for name in vocabulary.features},
        **{f"scores.{name}": Domain("number", unknown=(math.nan,)) for name in vocabulary.scores},
        **{
            f"customer.{name}": Domain(a.type, unknown=(None,) if a.default is None else ())
            for name, a in attributes.items()
        },
        **{f"event.{name}": Domain(kind) for name, kind in EVENT_FACTS.items()},
        "event.type": Domain("string", only=vocabulary.event_types),
        "event.channel": Domain("string", only=CHANNELS),
        "event.age_days": Domain("number", low=0.0),
        **{f"local.{name}": Domain(kind, *_CLOCK[name], unknown=no_clock) for name, kind in LOCAL_FACTS.items()},
    }
