"""A tidy catalogue, edits that make it doubtful, and what is found then."""

from typing import NamedTuple

from tactful.decisions.base.errors import Finding
from tactful.decisions.loading import inspect_catalogue
from tests.decisions.retailer import CATALOGUE, VOCABULARY

TIDY = CATALOGUE.replace("policy: {kind: greedy}\n", "").replace(
    "  - {id: one_mail, kind: cap, max: 1, window: 28d, scope: {channel: mail}}\n", ""
)

Edits = dict[str, str]


class Lint(NamedTuple):
    """What is said of the catalogue with some edits, and not with others that come near; where it is said."""

    said: str
    has: Edits
    lacks: Edits
    line: str


def edited(edits: Edits) -> str:
    text = TIDY
    for old, new in edits.items():
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def findings(edits: Edits) -> list[Finding]:
    """What is found in a catalogue without mistakes: warnings only, each with a way to mend it."""
    catalogue, found = inspect_catalogue(edited(edits), VOCABULARY, "shop.yaml")
    assert catalogue is not None
    assert all(finding.severity == "warning" and finding.mend for finding in found), found
    return found


def assert_told(lint: Lint) -> None:
    """The one catalogue has the finding, once and in its line; the other has none at all."""
    told = [finding for finding in findings(lint.has) if lint.said in finding.message]
    assert len(told) == 1, [str(finding) for finding in findings(lint.has)]
    assert lint.line in edited(lint.has).splitlines()[told[0].line - 1]
    assert findings(lint.lacks) == []


def state(condition: str) -> Edits:
    """Another state for the message `miss_you`."""
    return {"state: segment.at_risk\n": f"state: {condition}\n"}


def policy(*policies: str) -> Edits:
    """Contact policies besides."""
    return {"contact_policies:\n": "contact_policies:\n" + "".join(f"  - {{{text}}}\n" for text in policies)}


def step(channel: str = "mail", expiry: str = "1d", wait: str = "6h", after: str = "thanks") -> Edits:
    """A step of a journey besides, after the thanks."""
    trigger = f"{{kind: always, expiry: {expiry}, after: {{programme: {after}, wait: {wait}}}}}"
    content = "content: {subject: Hello, body: Hello}"
    message = f"{{id: next, channels: {channel}, value: 5, response: {{mean: 0.5}}, {content}}}"
    return {"programmes:\n": f"programmes:\n  - id: step\n    trigger: {trigger}\n    messages: [{message}]\n"}
