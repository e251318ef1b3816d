"""A transaction that takes messages in, in one set of words for both databases.

Statements are written with `?` for a value and `= ANY(?)` for a list of texts; each adapter puts them in its own words.
"""

import hashlib
import hmac
import secrets
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, TypeAlias

from tactful.serving.store.queries.operator_actions import Act, following

Row: TypeAlias = tuple[Any, ...]

_SALT = "SELECT salt FROM tenants WHERE tenant = ?"
_KEEP_SALT = "UPDATE tenants SET salt = ? WHERE tenant = ? AND salt IS NULL"
_LAST_ACTION = "SELECT number, digest FROM operator_actions WHERE tenant = ? ORDER BY number DESC LIMIT 1"
_KEEP_ACTION = "INSERT INTO operator_actions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_MAKE_TENANT = "INSERT INTO tenants (tenant, zone) VALUES (?, 'UTC') ON CONFLICT DO NOTHING"
_ERASED = "SELECT digest FROM tombstones WHERE tenant = ? AND digest = ANY(?)"
_IDENTITIES = "SELECT alias, customer FROM identities WHERE tenant = ? AND alias = ANY(?)"


class Session(ABC):
    """A transaction that writes to one tenant; no erasure goes on beside it.

    Args:
        tenant: The tenant of the customers.
    """

    def __init__(self, tenant: str) -> None:
        self.tenant = tenant

    @abstractmethod
    def select(self, statement: str, *parameters: Any) -> list[Row]:
        """The rows of a statement."""

    @abstractmethod
    def write(self, statement: str, rows: Iterable[Row]) -> None:
        """Run a statement for each row of values."""

    @abstractmethod
    def change(self, statement: str, *parameters: Any) -> None:
        """Run a statement once; a value may be a list of texts."""

    @abstractmethod
    def lock(self, customers: Collection[str], strangers: Collection[str]) -> dict[str, int]:
        """Lock customers until the end, in an order without deadlocks; unknown customers are made first.

        Returns:
            The version of each that exists; 0 of one that was made here.
        """

    @abstractmethod
    def exclude(self, name: str) -> None:
        """Wait for the holder of a lock of this name, and hold it until the end."""

    def append_action(self, action: Act, customer: str, by: str, when: int) -> None:
        """Add a row to the record of operators' actions, about a customer's id; see `operator_actions.append`."""
        self.exclude(f"operator_actions:{self.tenant}")
        salt = self.salt()
        last = next(iter(self.select(_LAST_ACTION, self.tenant)), None)
        row = following(self.tenant, last, action, digest_of(salt, customer), by, when)
        self.write(_KEEP_ACTION, [(self.tenant, *row)])

    def pairs(self, statement: str, *parameters: Any) -> Iterator[tuple[Any, Any]]:
        """The rows of a statement with two columns."""
        return ((first, second) for first, second in self.select(statement, *parameters))

    def erased(self, names: Collection[str]) -> set[str]:
        """Those of some ids that were erased.

        The tenant is made where it is new, in UTC, and its salt: before any customer is locked, so that no two sessions
        wait for each other.
        """
        salt = self.salt()
        by_digest = {digest_of(salt, name): name for name in names}
        return {by_digest[digest] for (digest,) in self.select(_ERASED, self.tenant, list(by_digest))}

    def salt(self) -> str:
        """The tenant's salt, made where there is none yet."""
        salt = next((salt for (salt,) in self.select(_SALT, self.tenant)), None)
        if salt is None:
            self.write(_MAKE_TENANT, [(self.tenant,)])
            self.write(_KEEP_SALT, [(secrets.token_hex(16), self.tenant)])
            ((salt,),) = self.select(_SALT, self.tenant)
        return str(salt)

    def digests(self, ids: Collection[str]) -> dict[str, str]:
        """Ids of messages by the digests that the store keeps of them."""
        salt = self.salt()
        return {digest_of(salt, id_): id_ for id_ in ids}

    def identities(self, names: Collection[str]) -> dict[str, str]:
        """The owner of each alias among the ids."""
        return dict(self.pairs(_IDENTITIES, self.tenant, list(names)))


def digest_of(salt: str, name: str) -> str:
    """The digest of an erased id: nobody can get the id from it without the salt, or by trying ids."""
    return hmac.new(bytes.fromhex(salt), name.encode(), hashlib.sha256).hexdigest()


def in_order(names: Iterable[str]) -> Sequence[str]:
    """Ids in the order of their bytes, in which both databases keep them."""
    return sorted(set(names), key=str.encode)
