"""The catalogue of a tenant: which one is in force, and how another takes its place."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tactful.decisions.base.errors import Finding
from tactful.decisions.catalogue.compiled import Vocabulary
from tactful.serving.engine.in_force.pointer import text_of
from tactful.serving.engine.in_force.proving import inspect_elsewhere
from tactful.serving.errors import CatalogueMovedError, CatalogueRefusedError, NotReadyError
from tactful.serving.store.database import Database
from tactful.serving.store.queries.catalogues import digest_of, newest, put

NAME = "catalogue.yaml"
"""What findings call the text."""


@dataclass(frozen=True, slots=True)
class InForce:
    """The text of the catalogue in force.

    Args:
        number: Its place in the history; 0 for the file that the service was given.
        digest: Of the text.
        content: YAML.
    """

    number: int
    digest: str
    content: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """A catalogue that may be put in force.

    Args:
        name: Its name.
        version: As decisions name it.
        remarks: Messages that can never be sent or never win, and other oddities.
    """

    name: str
    version: str
    remarks: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class CatalogueStore:
    """Looks after the catalogue of a tenant. It loads no model and makes no decision.

    Args:
        database: The store's.
        tenant: The tenant.
        file: The catalogue's file, which is in force where none was put in force.
        known: Gives the names that a catalogue may use.
        clock: Tells the moment.
        told: Called once another catalogue is in force.
    """

    database: Database
    tenant: str
    file: Path
    known: Callable[[], Vocabulary]
    clock: Callable[[], datetime]
    told: Callable[[], None] = lambda: None

    def in_force(self) -> InForce:
        """The catalogue in force.

        Raises:
            NotReadyError: There is none.
            StoreError: The store fails.
        """
        found = newest(self.database, self.tenant)
        if found is not None:
            return InForce(found.number, found.digest, found.content)
        content = text_of(self.file)
        return InForce(0, digest_of(content), content)

    def inspected(self, content: str) -> Verdict:
        """A report about a catalogue before it is put in force.

        Raises:
            CatalogueRefusedError: It has mistakes: every one of them. Or it takes too much to check.
            NotReadyError: There are no models to check it with.
        """
        name, version, findings = inspect_elsewhere(content, self.known(), NAME)
        mistakes = [finding for finding in findings if finding.severity == "error"]
        if mistakes:
            raise CatalogueRefusedError(mistakes)
        return Verdict(name, version, tuple(findings))

    def put_in_force(self, content: str, author: str, instead_of: Collection[str]) -> tuple[InForce, Verdict]:
        """Put a catalogue in force. Decisions that have begun end with the one before.

        Args:
            content: YAML.
            author: Id of the key that does it.
            instead_of: Digests, of which one is that of the one in force; `*` for whatever is.

        Returns:
            It as it was put in force, and what is to be said of it.

        Raises:
            CatalogueRefusedError: It has mistakes.
            CatalogueMovedError: The one in force is another one by now.
            NotReadyError: There are no models to check it with.
            StoreError: The store fails.
        """
        verdict, present = self.inspected(content), self._in_force_or_none()
        if not {present.digest, "*"} & set(instead_of):
            known = ", ".join(instead_of)
            raise CatalogueMovedError("the catalogue in force is another one", got=known, wanted=present.digest)
        text = put(self.database, self.tenant, content, author, self.clock(), present.number)
        self.told()
        return InForce(text.number, text.digest, text.content), verdict

    def _in_force_or_none(self) -> InForce:
        """The catalogue in force; one of no text where there is none yet."""
        try:
            return self.in_force()
        except NotReadyError:
            return InForce(0, "", "")
