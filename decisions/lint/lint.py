"""Lints of a catalogue: what is no mistake, but can never hold, never be sent, never bind, or is read by nothing.

A lint speaks only where it is certain, for every customer and moment; where it cannot tell, it keeps silent. All are
warnings: they do not keep a catalogue from loading.
"""

from collections.abc import Iterator

import numpy as np

from tactful.decisions.base.durations import format_duration
from tactful.decisions.base.expressions import segments_in
from tactful.decisions.base.texts.text import Text
from tactful.decisions.catalogue.checks import PlacedFinding
from tactful.decisions.catalogue.compiled import CompiledCatalogue, Vocabulary, expressions
from tactful.decisions.catalogue.model import Catalogue
from tactful.decisions.catalogue.triggers import DateTrigger
from tactful.decisions.lint.base import LintContext, LintFinding, doubt
from tactful.decisions.lint.conditions import contradictions, shadowed, superseded, worthless
from tactful.decisions.lint.limits import idle, silencing, uncovering
from tactful.decisions.lint.pairs import excluded_pairs, suppressed_by_themselves, unbegun
from tactful.decisions.lint.quiet import lost_in_quiet
from tactful.decisions.lint.texts import crowded


def lint(catalogue: Catalogue, vocabulary: Vocabulary) -> list[PlacedFinding]:
    """Every doubt about a catalogue.

    Args:
        catalogue: A catalogue without mistakes, as `tactful.decisions.catalogue.checks.check` finds them.
        vocabulary: The names its expressions may read.

    Returns:
        Warnings, each by its place in the catalogue.
    """
    inspection = LintContext(CompiledCatalogue(catalogue, vocabulary))
    doubts = [
        found
        for finder in (
            contradictions,
            superseded,
            silencing,
            suppressed_by_themselves,
            excluded_pairs,
            lost_in_quiet,
            crowded,
            worthless,
            idle,
            uncovering,
            _outlasting,
            _untold,
            _unused,
        )
        for found in finder(inspection)
    ]
    silenced = frozenset().union(*(found.silenced for found in doubts))
    doubts += [*unbegun(inspection, silenced), *shadowed(inspection, silenced)]
    return [found.remark for found in doubts if found.remark is not None]


def _outlasting(inspection: LintContext) -> Iterator[LintFinding]:
    """Messages that state a longer attribution window than their programme leaves between two contacts."""
    for i, programme in enumerate(inspection.catalogue.programmes):
        for j, message in enumerate(programme.messages):
            window, reentry = message.attribution_window, programme.reentry
            if window is not None and reentry is not None and reentry < window:
                what = (
                    f"an outcome counts {format_duration(window)} for {message.id!r}, but {programme.id!r} may come "
                    f"again after {format_duration(reentry)}: then an answer is the later contact's"
                )
                place = ("programmes", i, "messages", j, "attribution_window")
                yield doubt(place, what, "shorten the window, or lengthen reentry")


def _untold(inspection: LintContext) -> Iterator[LintFinding]:
    """A policy that never takes but the best of two: its log tells nothing of the other."""
    policy, uniform = inspection.catalogue.policy, inspection.catalogue.exploration.uniform
    if not policy.distribution(np.array([1.0, 0.0]), np.arange(2)).all():
        beyond = f", but by a share of {uniform:g} of customers: the uniform stratum" if uniform else ""
        what = (
            f"policy {policy.kind!r} tries nothing but its choice: its log judges no other catalogue or model{beyond}"
        )
        yield doubt(("policy",), what, "state {kind: inverse_gap}, or a floor")


def _unused(inspection: LintContext) -> Iterator[LintFinding]:
    """Segments, attributes and channels that are declared and read by nothing."""
    catalogue = inspection.catalogue
    for name in sorted(catalogue.segments.keys() - _segments_read(inspection)):
        yield doubt(("segments", name), f"segment {name!r} is read by nothing", "drop it, or put it to use")
    for name in sorted(catalogue.attributes.keys() - _attributes_read(inspection)):
        yield doubt(("attributes", name), f"attribute {name!r} is read by nothing", "drop it, or put it to use")
    for name in sorted(catalogue.channels.keys() - {rule.action.channel for rule in inspection.rules.values()}):
        yield doubt(("channels", name), f"no message goes by channel {name!r}", "drop it, or put it to use")


def _segments_read(inspection: LintContext) -> set[str]:
    """The segments that something besides an unused segment reads."""
    catalogue = inspection.catalogue
    pending = [source for place, source, _ in expressions(catalogue) if place[0] != "segments"]
    read: set[str] = set()
    while pending:
        found = segments_in(pending.pop()) - read
        read |= found
        pending += [catalogue.segments[name] for name in found]
    return read


def _attributes_read(inspection: LintContext) -> set[str]:
    catalogue = inspection.catalogue
    names = {name.partition(".") for name in inspection.compiled.conditions.names}
    read = {name for root, _, name in names if root == "customer"}
    for programme in catalogue.programmes:
        if isinstance(programme.trigger, DateTrigger):
            read.add(programme.trigger.attribute)
        for message in programme.messages:
            for source in filter(None, (message.content.subject, message.content.body)):
                placeholders = (name.partition(".") for name in Text(source).unknown_names({}))
                read |= {name for root, _, name in placeholders if root == "customer"}
    return read
