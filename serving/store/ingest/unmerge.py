"""A merge undone: each id has again what came under it, before the merge and since."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from tactful.serving.errors import NotMergedError
from tactful.serving.store.ingest.profiles import (
    SentChange,
    changes_of,
    end_log,
    profile_of,
    remade_consents,
    replace_log,
)
from tactful.serving.store.ingest.session import Row, Session
from tactful.serving.store.ingest.take import MovedError
from tactful.serving.store.port import Unmerged

_MERGE = "SELECT id, kept FROM merges WHERE tenant = ? AND alias = ? AND undone IS NULL"
_NAMES = "SELECT alias FROM identities WHERE tenant = ? AND customer = ?"
_PARENTS = "SELECT alias, customer FROM merges WHERE tenant = ? AND alias = ANY(?) AND undone IS NULL"
_MOVE_ORIGINS = tuple(
    f"""
    UPDATE {table} SET customer = ? WHERE tenant = ? AND customer = ?
    AND id IN (SELECT id FROM origins WHERE tenant = ? AND kind = '{kind}' AND origin = ANY(?))"""  # noqa: S608 # nosec B608 # our own tables
    for kind, table in (("event", "events"), ("contact", "ledger"))
)
_MOVE_OUTCOMES = """
UPDATE outcomes SET customer = ? WHERE tenant = ? AND customer = ?
AND decision IN (SELECT id FROM decisions WHERE tenant = ? AND customer = ANY(?))"""
_FORGET_ORIGINS = "DELETE FROM origins WHERE tenant = ? AND origin = ?"
_FORGET_EXPOSURE = "DELETE FROM exposures WHERE tenant = ? AND customer = ? AND experiment = ? AND decision = ?"
_KEEP_EXPOSURE = "INSERT INTO exposures VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
_STATUSES = "SELECT id, status FROM ledger WHERE tenant = ? AND customer = ? AND id = ANY(?)"
_KEEP_CONTACT = "INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
_KEEP_CONSENT = "INSERT INTO consents VALUES (?, ?, ?, ?, ?, ?)"
_KEEP_PROFILE = "UPDATE customers SET zone = ?, joined = ?, attributes = ? WHERE tenant = ? AND customer = ?"
_MOVE_VERSION = "UPDATE customers SET version = version + 1 WHERE tenant = ? AND customer = ?"
_SET_VERSION = "UPDATE customers SET version = ?, is_user = ? WHERE tenant = ? AND customer = ?"
_FORGET_IDENTITY = "DELETE FROM identities WHERE tenant = ? AND alias = ?"
_KEEP_IDENTITIES = "UPDATE identities SET customer = ? WHERE tenant = ? AND customer = ? AND alias = ?"
_UNDO = "UPDATE merges SET undone = ?, kept = '' WHERE tenant = ? AND id = ?"


def unmerge(session: Session, alias: str, when: int) -> Unmerged:
    """Undo the merge of an id; ids that had been merged into it before go along.

    Events, contacts, outcomes and profile changes go to the id that they were sent under, also those that came since
    the merge. Decisions stay with the id that they were made about, and their contacts with them. A refusal that came
    while both were one customer counts for both.

    Args:
        session: The transaction.
        alias: The id.
        when: Now, microseconds since the epoch.

    Raises:
        NotMergedError: It is no alias, or what was merged is not known any more.
        MovedError: Begin again with a new transaction.
    """
    tenant, identities = session.tenant, session.identities([alias])
    if alias not in identities:
        raise NotMergedError("an id that is merged into no customer", got=alias)
    owner = identities[alias]
    session.lock([owner, alias], [alias])
    if session.identities([alias]) != identities:
        raise MovedError
    made = session.select(_MERGE, tenant, alias)
    if not made or not made[0][1]:
        raise NotMergedError("a merge of which nothing is recorded any more", got=alias)
    ((merge, kept),) = made
    parents = _parents(session, owner)
    group = _group(alias, parents)
    _separate_logs(session, alias, parents, group)
    _separate_rows(session, alias, owner, group)
    _put_back(session, alias, owner, json.loads(kept))
    _remake(session, alias, owner)
    session.write(_FORGET_IDENTITY, [(tenant, alias)])
    session.write(_KEEP_IDENTITIES, [(alias, tenant, owner, name) for name in group[1:]])
    session.write(_FORGET_ORIGINS, [(tenant, alias)])
    session.write(_MOVE_VERSION, [(tenant, owner)])
    session.write(_UNDO, [(when, tenant, merge)])
    return Unmerged(merge, alias, owner, group)


def _parents(session: Session, owner: str) -> dict[str, str]:
    """Whom each id of a customer was merged into, which may itself have been merged since."""
    names = [name for (name,) in session.select(_NAMES, session.tenant, owner)]
    return dict(session.pairs(_PARENTS, session.tenant, names))


def _group(alias: str, parents: Mapping[str, str]) -> tuple[str, ...]:
    """An id, and those that were merged into it."""
    return alias, *sorted(name for name in parents if name != alias and alias in _line(name, parents))


def _line(name: str, parents: Mapping[str, str]) -> list[str]:
    """Whom an id was merged into, whom that was merged into, and so on."""
    line = [name]
    while line[-1] in parents:
        line.append(parents[line[-1]])
    return line[1:]


def _separate_logs(session: Session, alias: str, parents: Mapping[str, str], group: Collection[str]) -> None:
    """Give the changes of some ids, from everybody they were merged into since, back to the id that they belong to."""
    own, merged = changes_of(session, alias), alias
    for customer in _line(alias, parents):
        changes = changes_of(session, customer)
        place = next(n for n, (_, change) in enumerate(changes) if change.merged == merged)
        since = changes[place + 1 :]
        own += [one for sent, change in since if (one := _share(sent, change, alias, sent in group))]
        rest = [one for sent, change in since if (one := _share(sent, change, customer, sent not in group))]
        between = changes[place : place + 1] if merged != alias else []
        replace_log(session, customer, [*changes[:place], *between, *rest])
        merged = customer
    replace_log(session, alias, own)


def _share(sent: str, change: Any, customer: str, whole: bool) -> SentChange | None:
    """The share of a customer in a change: all of it, or a refusal that counts for both."""
    if whole:
        return SentChange(sent, change)
    return SentChange(customer, change.refusal) if change.refusal else None


def _separate_rows(session: Session, alias: str, owner: str, group: Sequence[str]) -> None:
    tenant, names = session.tenant, list(group)
    for statement in (*_MOVE_ORIGINS, _MOVE_OUTCOMES):
        session.change(statement, alias, tenant, owner, tenant, names)


def _put_back(session: Session, alias: str, owner: str, kept: Mapping[str, Any]) -> None:
    """Put back what a merge could not move: both had it."""
    tenant, exposures, contacts = session.tenant, kept["exposures"], kept["contacts"]
    session.write(_FORGET_EXPOSURE, [(tenant, owner, name, decision) for name, _, decision, _ in exposures])
    session.write(
        _KEEP_EXPOSURE, [(tenant, name, alias, arm, decision, time) for name, arm, decision, time in exposures]
    )
    sent = {
        id_ for id_, status in session.pairs(_STATUSES, tenant, owner, [row[0] for row in contacts]) if status == "sent"
    }
    rows: list[Row] = [
        (tenant, alias, id_, "sent" if id_ in sent else status, *rest) for id_, status, *rest in contacts
    ]
    session.write(_KEEP_CONTACT, rows)
    session.write(_SET_VERSION, [(kept["version"] + 1, kept["is_user"], tenant, alias)])


def _remake(session: Session, alias: str, owner: str) -> None:
    """Make both profiles from their logs."""
    tenant = session.tenant
    for customer in (alias, owner):
        session.write(_KEEP_PROFILE, [(*profile_of(session, customer).row(), tenant, customer)])
    consents = remade_consents(session, alias, scratch=owner)
    remade_consents(session, owner, scratch=owner)
    session.write(_KEEP_CONSENT, [(tenant, alias, *consent) for consent in consents])
    for customer in (alias, owner):
        end_log(session, customer)
