"""Checks between the parts of a catalogue: unknown names, expressions that do not compile, texts that can fail."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Literal

from tactful.decisions.base.calendars import zone_of
from tactful.decisions.base.conditions import Conditions
from tactful.decisions.base.errors import ConditionError, SnapshotError
from tactful.decisions.base.expressions import segments_in
from tactful.decisions.base.ledger import Scope
from tactful.decisions.base.texts.proof import Readable, prove
from tactful.decisions.base.texts.text import Text
from tactful.decisions.base.values import did_you_mean
from tactful.decisions.base.yaml_text import plain_number
from tactful.decisions.catalogue.compiled import Vocabulary, expressions
from tactful.decisions.catalogue.model import Catalogue, Message
from tactful.decisions.catalogue.triggers import DateTrigger

Place = tuple[str | int, ...]
_SCORE = re.compile(r"\bscores\.(\w+)")


@dataclass(frozen=True, slots=True)
class PlacedFinding:
    """A finding, by its place in the catalogue instead of a line.

    Args:
        place: Keys and indices from the top.
        message: The mistake, in words.
        mend: A way to correct it.
        severity: As in `Finding`.
        depends_on_others: It may be the consequence of another part's mistake.
    """

    place: Place
    message: str
    mend: str = ""
    severity: Literal["error", "warning"] = "error"
    depends_on_others: bool = False


def check(catalogue: Catalogue, vocabulary: Vocabulary) -> list[PlacedFinding]:
    """Every remark on a catalogue whose values are valid one by one."""
    vocabulary = vocabulary.of(catalogue)
    return [
        *_zone(catalogue),
        *_repeated(catalogue),
        *_channels(catalogue, vocabulary),
        *_references(catalogue),
        *_purposes(catalogue),
        *_scopes(catalogue),
        *_event_types(catalogue, vocabulary),
        *_expressions(catalogue, vocabulary),
        *_objective(catalogue, vocabulary),
        *_arbitration(catalogue, vocabulary),
        *_unlearnt(catalogue, vocabulary),
        *_offers(catalogue, vocabulary),
        *_texts(catalogue, vocabulary),
    ]


def _zone(catalogue: Catalogue) -> Iterator[PlacedFinding]:
    if catalogue.timezone is None:
        return
    try:
        zone_of(catalogue.timezone)
    except SnapshotError as error:
        yield PlacedFinding(("timezone",), str(error))


def _repeated(catalogue: Catalogue) -> Iterator[PlacedFinding]:
    named: list[tuple[str, Place, str]] = [
        *(("programme", ("programmes", i, "id"), p.id) for i, p in enumerate(catalogue.programmes)),
        *(("message", (*place, "id"), m.id) for place, m in _messages(catalogue)),
        *(("contact policy", ("contact_policies", i, "id"), p.id) for i, p in enumerate(catalogue.contact_policies)),
    ]
    counts = Counter((kind, name) for kind, _, name in named)
    seen: set[tuple[str, str]] = set()
    for kind, place, name in named:
        if counts[kind, name] > 1 and (kind, name) in seen:
            yield PlacedFinding(place, f"{kind} {name!r} stands twice", "give each its own id")
        seen.add((kind, name))


def _channels(catalogue: Catalogue, vocabulary: Vocabulary) -> Iterator[PlacedFinding]:
    """Channels of which no event, consent or outcome could speak."""
    for name in catalogue.channels:
        if name not in vocabulary.channels:
            yield _unknown(("channels", name), "channel", name, set(vocabulary.channels))


def _references(catalogue: Catalogue) -> Iterator[PlacedFinding]:
    programmes = {programme.id for programme in catalogue.programmes}
    for i, programme in enumerate(catalogue.programmes):
        place: Place = ("programmes", i)
        for j, other in enumerate(programme.supersedes):
            if other not in programmes or other == programme.id:
                yield _unknown((*place, "supersedes", j), "programme", other, programmes - {programme.id}, True)
        after = programme.trigger.after
        if after is not None and after.programme not in programmes:
            yield _unknown((*place, "trigger", "after", "programme"), "programme", after.programme, programmes, True)
        if isinstance(programme.trigger, DateTrigger):
            dates = {name for name, attribute in catalogue.attributes.items() if attribute.type == "date"}
            if programme.trigger.attribute not in dates:
                name = programme.trigger.attribute
                yield _unknown((*place, "trigger", "attribute"), "attribute of type date", name, dates)
    for j, name in enumerate(catalogue.browser.attributes):
        if name not in (known := {*catalogue.attributes, "timezone"}):
            yield _unknown(("browser", "attributes", j), "attribute", name, known)
    for place, message in _messages(catalogue):
        for j, channel in enumerate(message.channels):
            if channel not in catalogue.channels:
                yield _unknown((*place, "channels", j), "channel", channel, set(catalogue.channels))


def _purposes(catalogue: Catalogue) -> Iterator[PlacedFinding]:
    """Messages on channels where nobody can consent to the purpose of their programme."""
    for i, programme in enumerate(catalogue.programmes):
        for j, message in enumerate(programme.messages):
            for k, name in enumerate(message.channels):
                purposes = catalogue.channels[name].purposes if name in catalogue.channels else ()
                if purposes and programme.purpose not in purposes:
                    place = ("programmes", i, "messages", j, "channels", k)
                    what = f"nobody can consent to {programme.purpose!r} on channel {name!r}"
                    yield PlacedFinding(place, what, f"its purposes: {', '.join(purposes)}")


def _scopes(catalogue: Catalogue) -> Iterator[PlacedFinding]:
    known = {
        "channel": set(catalogue.channels),
        "programme": {p.id for p in catalogue.programmes},
        "message": {m.id for _, m in _messages(catalogue)},
        "tag": {tag for _, m in _messages(catalogue) for tag in m.tags},
    }
    for i, policy in enumerate(catalogue.contact_policies):
        if policy.segment is not None and policy.segment not in catalogue.segments:
            continue
        for field in type(policy).model_fields:
            scope = getattr(policy, field)
            if not isinstance(scope, Scope):
                continue
            for trait, names in known.items():
                for j, name in enumerate(getattr(scope, trait)):
                    if name not in names:
                        yield _unknown(("contact_policies", i, field, trait, j), trait, name, names, trait != "channel")


def _event_types(catalogue: Catalogue, vocabulary: Vocabulary) -> Iterator[PlacedFinding]:
    named: list[tuple[Place, str]] = []
    for i, programme in enumerate(catalogue.programmes):
        for field in ("type", "without", "exits"):
            named += _spread(("programmes", i, "trigger", field), getattr(programme.trigger, field, ()))
    for i, policy in enumerate(catalogue.contact_policies):
        named += _spread(("contact_policies", i, "on"), getattr(policy, "on", ()))
    for place, name in named:
        if name not in vocabulary.event_types:
            yield _unknown(place, "event type", name, set(vocabulary.event_types))


def _expressions(catalogue: Catalogue, vocabulary: Vocabulary) -> Iterator[PlacedFinding]:
    conditions = Conditions(vocabulary.declared(catalogue), catalogue.segments)
    for place, source, kind in expressions(catalogue):
        try:
            conditions.compile(source, kind)
        except ConditionError as error:
            if place[0] != "segments" and _a_segment_fails(source, catalogue, conditions):
                continue
            hint = plain_number(source) if kind == "number" else ""
            yield PlacedFinding(place, f"{error}{hint}")


def _a_segment_fails(source: str, catalogue: Catalogue, conditions: Conditions) -> bool:
    """Whether a segment that the expression names does not compile; its own place reports it."""
    for name in segments_in(source) & catalogue.segments.keys():
        try:
            conditions.compile(f"segment.{name}")
        except ConditionError:
            return True
    return False


_RESPONSE = "state `response: {mean: …}`, or an offer that the response model can score"


def _objective(catalogue: Catalogue, vocabulary: Vocabulary) -> Iterator[PlacedFinding]:
    for place, message in _messages(catalogue):
        if catalogue.objective == "effect" and message.effect is None:
            yield PlacedFinding(place, f"message {message.id!r} has no effect", "state `effect: {mean: …}`")
        if catalogue.objective == "propensity" and message.response is None and message.offer is None:
            yield PlacedFinding(place, f"message {message.id!r} has no response", _RESPONSE)
        elif message.discount != 0 and message.response is None and not (message.offer and vocabulary.offers):
            what = f"message {message.id!r} has a discount and no response: everybody who responds gets the discount"
            yield PlacedFinding((*place, "discount"), what, _RESPONSE)


def _arbitration(catalogue: Catalogue, vocabulary: Vocabulary) -> Iterator[PlacedFinding]:
    """Prices of channels that there are not, and scores that are named and that no model gives."""
    stated = catalogue.arbitration
    if isinstance(stated.contact_price, Mapping):
        for name in stated.contact_price:
            if name not in catalogue.channels:
                yield _unknown(("arbitration", "contact_price", name), "channel", name, set(catalogue.channels))
    for group, place in ((stated, ("arbitration",)), (stated.retention, ("arbitration", "retention"))):
        for field in ("unsubscribe", "lapse", "clv"):
            if group is None or field not in group.model_fields_set:
                continue
            name = getattr(group, field)
            if name not in vocabulary.scores or name in vocabulary.unlearnt:
                what = f"no model gives the score {name!r}"
                yield PlacedFinding((*place, field), what, "its term counts as without it", severity="warning")


def _unlearnt(catalogue: Catalogue, vocabulary: Vocabulary) -> Iterator[PlacedFinding]:
    """Expressions that read a score which no model gives yet."""
    for place, source, _ in expressions(catalogue):
        written = catalogue.segments[str(place[1])] if place[0] == "segments" else source
        for name in sorted({*_SCORE.findall(written)} & {*vocabulary.unlearnt}):
            mend = "train one; until then, whatever needs the score is not sent"
            yield PlacedFinding(place, f"no model gives the score {name!r} yet", mend, severity="warning")


def _offers(catalogue: Catalogue, vocabulary: Vocabulary) -> Iterator[PlacedFinding]:
    """Check offers against the response model; where no model reads offers, an offer may hold any figures."""
    for place, message in _messages(catalogue):
        if message.offer is None or not vocabulary.offers:
            continue
        given, wanted = set(message.offer), set(vocabulary.offers) - {"channel"}
        for name in sorted(given ^ wanted):
            if name in given:
                yield _unknown((*place, "offer", name), "offer figure", name, wanted)
            else:
                yield PlacedFinding((*place, "offer"), f"the offer lacks {name!r}", "the response model reads it")
        for name in sorted(given & wanted):
            categories = vocabulary.offers[name]
            if categories is not None and message.offer[name] not in categories:
                yield _unknown((*place, "offer", name), f"value of {name}", str(message.offer[name]), set(categories))


def _texts(catalogue: Catalogue, vocabulary: Vocabulary) -> Iterator[PlacedFinding]:
    kinds = vocabulary.declared(catalogue)
    for place, message in _messages(catalogue):
        channels = [catalogue.channels[name] for name in message.channels if name in catalogue.channels]
        readable = Readable.of(kinds, catalogue.defaults(), message.offer or {})
        content = message.content
        if content.subject is not None:
            yield from _text((*place, "content", "subject"), content.subject, False, readable)
        escapes = sorted({channel.html for channel in channels} or {False})
        bodies = (_text((*place, "content", "body"), content.body, html, readable) for html in escapes)
        yield from dict.fromkeys(chain.from_iterable(bodies))
        if content.subject is None and any(channel.subject for channel in channels):
            yield PlacedFinding(
                (*place, "content"), f"message {message.id!r} has no subject", "one of its channels needs it"
            )


def _text(place: Place, source: str, html: bool, readable: Readable) -> Iterator[PlacedFinding]:
    try:
        text = Text(source, html=html)
        unknown = text.unknown_names(readable.names)
        faults = prove(source, html, readable).faults
    except ConditionError as error:
        yield PlacedFinding(place, str(error))
        return
    for name in unknown:
        near = did_you_mean(name, readable.names_in_full)
        yield PlacedFinding(place, f"unknown placeholder {name!r}{near}", "declare it, or name a declared one")
    for fault in text.unsafe:
        yield PlacedFinding(place, fault, "print values in words, or in attributes with quotes that run no script")
    for message, mend in () if unknown else faults:
        yield PlacedFinding(place, message, mend)


def _messages(catalogue: Catalogue) -> Iterator[tuple[Place, Message]]:
    for i, programme in enumerate(catalogue.programmes):
        for j, message in enumerate(programme.messages):
            yield ("programmes", i, "messages", j), message


def _spread(place: Place, names: str | tuple[str, ...]) -> list[tuple[Place, str]]:
    if isinstance(names, str):
        return [(place, names)]
    return [((*place, i), name) for i, name in enumerate(names)]


def _unknown(place: Place, kind: str, name: str, known: set[str], depends_on_others: bool = False) -> PlacedFinding:
    message = f"unknown {kind} {name!r}{did_you_mean(name, known)}"
    return PlacedFinding(place, message, _choice(known), depends_on_others=depends_on_others)


def _choice(known: set[str]) -> str:
    return f"known: {', '.join(sorted(known))}" if known else "none is declared"
