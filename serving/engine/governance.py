"""The catalogue of a tenant: which one is in force, and how another takes its place."""

from collections.abc import Collection
from dataclasses import dataclass

from decisions.base.errors import Finding
from decisions.catalogue.compiled import CompiledCatalogue
from decisions.loading import inspect_catalogue
from serving.engine.champion import vocabulary
from serving.engine.service import DecisionService
from serving.errors import CatalogueMovedError, CatalogueRefusedError, NotReadyError
from serving.store.queries.catalogues import digest_of, newest, put

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
        remarks: What can never be sent, never wins, or is odd otherwise.
    """

    name: str
    version: str
    remarks: tuple[Finding, ...]


def in_force(service: DecisionService) -> InForce:
    """The catalogue in force.

    Raises:
        NotReadyError: There is none.
        StoreError: The store fails.
    """
    found = newest(service.store.database, service.tenant)
    if found is not None:
        return InForce(found.number, found.digest, found.content)
    content = service.champions.catalogue_text()
    return InForce(0, digest_of(content), content)


def _in_force_or_none(service: DecisionService) -> InForce:
    """The catalogue in force; one of no text where there is none yet."""
    try:
        return in_force(service)
    except NotReadyError:
        return InForce(0, "", "")


def inspected(service: DecisionService, content: str) -> Verdict:
    """What is to be said of a catalogue before it is put in force.

    Raises:
        CatalogueRefusedError: It has mistakes: every one of them.
        NotReadyError: There are no models to check it with.
    """
    known = vocabulary(service.champions.bundle())
    catalogue, findings = inspect_catalogue(content, known, NAME)
    mistakes = [finding for finding in findings if finding.severity == "error"]
    if catalogue is None or mistakes:
        raise CatalogueRefusedError(mistakes)
    return Verdict(catalogue.catalogue, CompiledCatalogue(catalogue, known).version, tuple(findings))


def put_in_force(
    service: DecisionService, content: str, author: str, instead_of: Collection[str]
) -> tuple[InForce, Verdict]:
    """Put a catalogue in force. Decisions that have begun end with the one before.

    Args:
        service: The service.
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
    verdict, present = inspected(service, content), _in_force_or_none(service)
    if not {present.digest, "*"} & set(instead_of):
        known = ", ".join(instead_of)
        raise CatalogueMovedError("the catalogue in force is another one", got=known, wanted=present.digest)
    text = put(service.store.database, service.tenant, content, author, service.clock(), present.number)
    service.champions.look()
    return InForce(text.number, text.digest, text.content), verdict
