"""Lints of texts: those too long for their channel with any values, and those that leave little room for a name."""

from collections.abc import Iterator

from tactful.decisions.base.texts.proof import Readable, prove
from tactful.decisions.base.texts.text import Text
from tactful.decisions.lint.base import LintContext, LintFinding, doubt

ROOM = 0.2
"""The share of a channel's greatest length that a text with placeholders should leave for what it prints."""


def crowded(inspection: LintContext) -> Iterator[LintFinding]:
    """Bodies that are near the greatest length of a channel, or beyond it, with the shortest values."""
    catalogue, compiled = inspection.catalogue, inspection.compiled
    kinds = compiled.vocabulary.declared(catalogue)
    for i, programme in enumerate(catalogue.programmes):
        for j, message in enumerate(programme.messages):
            readable = Readable.of(kinds, catalogue.defaults(), message.offer or {})
            place = ("programmes", i, "messages", j, "content", "body")
            for name in message.channels:
                channel = catalogue.channels[name]
                if channel.max_length is None:
                    continue
                shortest = prove(message.content.body, channel.html, readable).shortest
                text = Text(message.content.body, html=channel.html)
                left = channel.max_length - shortest
                if left < 0:
                    what = f"message {message.id!r} can never go by {name}: its body has {shortest} characters or more"
                    silenced = frozenset({f"{programme.id}/{message.id}/{name}"})
                    yield doubt(place, what, f"the channel takes {channel.max_length}: shorten it", silenced)
                elif text.names and left < ROOM * channel.max_length:
                    what = f"the body of {message.id!r} leaves {left} of {channel.max_length} characters on {name}"
                    yield doubt(place, what, "shorten it: with longer names it is not sent")
