"""One customer merged into another, who is the same person."""

from collections.abc import Sequence

from serving.store.consents import MOVE as MOVE_CONSENTS
from serving.store.session import Session

_MOVES = (
    "UPDATE events SET customer = ? WHERE tenant = ? AND customer = ?",
    """
    INSERT INTO ledger
    SELECT tenant, ?, id, status, time, expires, channel, programme, message, tags, opening, counts
    FROM ledger WHERE tenant = ? AND customer = ? ON CONFLICT DO NOTHING""",
    MOVE_CONSENTS,
    """
    INSERT INTO exposures SELECT tenant, experiment, ?, arm, decision, time
    FROM exposures WHERE tenant = ? AND customer = ? ON CONFLICT DO NOTHING""",
    "UPDATE outcomes SET customer = ? WHERE tenant = ? AND customer = ?",
    "UPDATE identities SET customer = ? WHERE tenant = ? AND customer = ?",
)
_LEAVE = tuple(
    f"DELETE FROM {table} WHERE tenant = ? AND customer = ?"  # noqa: S608 - our own tables
    for table in ("ledger", "consents", "exposures", "customers")
)
_KEEP_IDENTITY = "INSERT INTO identities VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"


def ties(customers: Sequence[tuple[str, str | None]], identities: dict[str, str]) -> list[tuple[str, str]]:
    """Who is to be merged into whom, one after another.

    An alias stays with the customer it was tied to first: on a device that several people use, the second to log in
    does not become one with the first.

    Args:
        customers: Customers as they were sent, each with its alias or None.
        identities: Whose the known aliases are; moves with the ties that are found.

    Example:
        >>> ties([("ada", "device 1"), ("eve", "device 1"), ("ada", "device 2")], {})
        [('device 1', 'ada'), ('device 2', 'ada')]
    """
    found = []
    for sent, alias in customers:
        customer = identities.get(sent, sent)
        if alias is None or alias == customer or alias in identities:
            continue
        identities.update({name: customer for name, known_as in identities.items() if known_as == alias})
        identities[alias] = customer
        found.append((alias, customer))
    return found


def merge(session: Session, alias: str, customer: str, since: int) -> None:
    """Move what an alias had to the customer, both locked; decisions stay as they were made.

    Args:
        session: The transaction.
        alias: Who is no customer of its own any more.
        customer: Who is.
        since: When that became known, microseconds since the epoch.
    """
    for statement in _MOVES:
        session.write(statement, [(customer, session.tenant, alias)])
    for statement in _LEAVE:
        session.write(statement, [(session.tenant, alias)])
    session.write(_KEEP_IDENTITY, [(session.tenant, alias, customer, since)])
