"""The decision service: reads what is known, has decisions made, records them; it knows neither HTTP nor SQL."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from tactful.decisions.kernel.record import parse
from tactful.serving.engine.drafts import DecisionCommand, DecisionResult, Maker, PendingDecision, told_again
from tactful.serving.engine.in_force.catalogues import CatalogueStore
from tactful.serving.engine.in_force.champion import Champion, Champions
from tactful.serving.engine.in_force.experiments import ActiveExperiments
from tactful.serving.engine.rendering import Renderer
from tactful.serving.errors import (
    ContendedError,
    DecisionConflictError,
    StoreError,
    UnknownCustomerError,
    UnknownDecisionError,
)
from tactful.serving.store.catalogue_codec import catalogue_from_json, catalogue_to_json
from tactful.serving.store.port import KnownCustomer, RecordStatus, Store, StoredDecision
from tactful.serving.store.queries.experiments import expose
from tactful.serving.telemetry import tracing
from tactful.serving.telemetry.metrics import METRICS

MOST_TRIES = 20
"""How often a decision is made again because others changed the customer meanwhile."""

Outcome = DecisionResult | Exception
"""The result of one command among many, or its error."""


class DecisionService:
    """Decides, and records each decision with its reservation before it answers.

    A decision is recorded only if nothing that it was made on has changed since; otherwise it is made again. So
    contact policies hold exactly, however many services share a store.

    Args:
        store: The store of customers and decisions.
        champions: The models and the catalogue.
        maker: How decisions are made.
        clock: Tells the moment.
        tenant: The tenant of the customers.
        histories: The folder with the data set of their events, for erasing from it.
        trials: The experiments in force; none where None.
    """

    def __init__(
        self,
        store: Store,
        champions: Champions,
        maker: Maker,
        clock: Callable[[], datetime],
        tenant: str,
        histories: Path | None = None,
        trials: ActiveExperiments | None = None,
    ) -> None:
        self.store = store
        self.champions = champions
        self.clock = clock
        self.tenant = tenant
        self.histories = histories
        self.maker = maker
        self.trials = trials or ActiveExperiments()
        self._renderers: dict[tuple[str, str], Renderer] = {}

    @property
    def governance(self) -> CatalogueStore:
        """Looks after the catalogue."""
        champions = self.champions
        return CatalogueStore(
            self.store.database, self.tenant, champions.catalogue, champions.vocabulary, self.clock, champions.look
        )

    def decide(self, customer: str, decision_id: str) -> DecisionResult:
        """Decide about one customer now.

        Args:
            customer: About whom.
            decision_id: Id of the decision; asking again with it gives the same decision.

        Raises:
            UnknownCustomerError: Nothing is known of the customer.
            DecisionConflictError: The id belongs to a decision about another customer.
            ContendedError: Others changed the customer again and again.
            NotReadyError: There is nothing to decide with.
            StoreError: The store fails.
        """
        (outcome,) = self.decide_many([DecisionCommand(customer, decision_id, self.clock())])
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def decide_many(self, commands: Sequence[DecisionCommand], parts_of: Sequence[Any] = ()) -> list[Outcome]:
        """Decide about many customers; an error with one command does not affect the others.

        Commands about one customer are carried out one after another, each on the state after the one before. Each
        outcome is counted once, and one span covers all of them.

        Args:
            commands: Whom to decide about.
            parts_of: The traces that the commands are parts of (`tracing.here`); the present one where empty.

        Raises:
            NotReadyError: There is nothing to decide with.
            StoreError: The store fails.
        """
        METRICS.group.observe(len(commands))
        try:
            with tracing.together("decide", parts_of or [tracing.here()], commands=len(commands)):
                outcomes = self._outcomes(commands)
        except Exception as error:
            METRICS.decisions(_named(error)).inc(len(commands))
            raise
        for outcome in outcomes:
            METRICS.decisions(_named(outcome)).inc()
        return outcomes

    def _outcomes(self, commands: Sequence[DecisionCommand]) -> list[Outcome]:
        outcomes: dict[int, Outcome] = {}
        tries: Counter[int] = Counter()
        while pending := [i for i in range(len(commands)) if i not in outcomes]:
            first_of_each_customer = {commands[i].customer: i for i in reversed(pending)}
            turn = {i: commands[i] for i in first_of_each_customer.values()}
            outcomes |= self._attempt(turn)
            tries.update(turn.keys())
            outcomes |= {i: _contended(commands[i]) for i in turn if i not in outcomes and tries[i] >= MOST_TRIES}
        return [outcomes[i] for i in range(len(commands))]

    def decision(self, decision_id: str) -> DecisionResult:
        """A decision, told as it was when it was made.

        Raises:
            UnknownDecisionError: There is none of this id.
            StoreError: The store fails.
        """
        stored = self.store.decision(self.tenant, decision_id)
        if stored is None:
            raise UnknownDecisionError("unknown decision", got=decision_id, wanted="the id of a decision made before")
        return self._told(stored)

    def _attempt(self, commands: Mapping[int, DecisionCommand]) -> dict[int, Outcome]:
        """The outcomes that stand; an ask without one must be decided again."""
        outcomes = self._told_before(commands)
        fresh = {i: command for i, command in commands.items() if i not in outcomes}
        if not fresh:
            return outcomes
        champion = self._champion()
        known = self._known(fresh)
        outcomes |= {i: _stranger(command) for i, command in fresh.items() if i not in known}
        arms = self.trials.present(champion)
        made = self.maker.make([(fresh[i], customer) for i, customer in known.items()], champion, arms)
        return outcomes | self._recorded(dict(zip(known, made, strict=True)))

    def _told_before(self, commands: Mapping[int, DecisionCommand]) -> dict[int, Outcome]:
        stored = {
            one.id: one for one in self.store.decisions(self.tenant, [command.id for command in commands.values()])
        }
        return {
            i: self._told(decision) if self._is_same(decision.customer, command.customer) else _conflict(command)
            for i, command in commands.items()
            if (decision := stored.get(command.id))
        }

    def _is_same(self, one: str, other: str) -> bool:
        """Whether two ids are the same person's."""
        return one == other or self.store.resolve(self.tenant, one) == self.store.resolve(self.tenant, other)

    def _champion(self) -> Champion:
        """The present champion; its catalogue is kept for reading the decision later."""
        champion = self.champions.present()
        self._keep(champion.compiled.version, champion.bundle.fingerprint, champion.renderer)
        return champion

    def _keep(self, catalogue: str, features: str, renderer: Renderer) -> None:
        if (catalogue, features) not in self._renderers:
            self.store.keep_catalogue(
                self.tenant, catalogue, features, catalogue_to_json(renderer.catalogue, renderer.feature_names)
            )
            self._renderers[catalogue, features] = renderer

    def _known(self, commands: Mapping[int, DecisionCommand]) -> dict[int, KnownCustomer]:
        with tracing.span("store.customers"):
            found = self.store.customers(
                self.tenant, [(command.customer, command.moment) for command in commands.values()]
            )
        return {i: customer for i, customer in zip(commands, found, strict=True) if customer is not None}

    def _recorded(self, made: Mapping[int, PendingDecision | Exception]) -> dict[int, Outcome]:
        failed: dict[int, Outcome] = {i: error for i, error in made.items() if isinstance(error, Exception)}
        drafts = {i: one for i, one in made.items() if isinstance(one, PendingDecision)}
        if not drafts:
            return failed
        for one in drafts.values():
            versions = one.draft.decision.versions
            self._keep(versions.catalogue, versions.features, one.renderer)
        with tracing.span("store.record"):
            fates = self.store.record(self.tenant, [one.draft for one in drafts.values()])
        stands = {i for i, fate in zip(drafts, fates, strict=True) if fate is RecordStatus.RECORDED}
        expose(self.store.database, self.tenant, [seen for i in stands for seen in drafts[i].exposures])
        return failed | {i: drafts[i].answer for i in stands}

    def _told(self, stored: StoredDecision) -> DecisionResult:
        decision = parse(stored.record)
        return told_again(stored, decision, self._renderer(decision.versions.catalogue, decision.versions.features))

    def _renderer(self, catalogue: str, features: str) -> Renderer:
        if (catalogue, features) not in self._renderers:
            content = self.store.catalogue(self.tenant, catalogue, features)
            if content is None:
                raise StoreError("a decision made with a catalogue that was not kept", got=catalogue)
            self._renderers[catalogue, features] = Renderer(*catalogue_from_json(content))
        return self._renderers[catalogue, features]


def _named(outcome: Outcome) -> str:
    """The label that an outcome is counted under."""
    if isinstance(outcome, Exception):
        return type(outcome).__name__
    return "silence" if outcome.decision.choice is None else "message"


def _stranger(command: DecisionCommand) -> UnknownCustomerError:
    return UnknownCustomerError("unknown customer", got=command.customer, wanted="a customer whose history was loaded")


def _conflict(command: DecisionCommand) -> DecisionConflictError:
    return DecisionConflictError(
        "the id belongs to a decision about another customer", got=command.id, wanted="a new id"
    )


def _contended(command: DecisionCommand) -> ContendedError:
    return ContendedError(
        "others changed the customer each time we decided", got=f"{MOST_TRIES} tries", where=f"decision {command.id}"
    )
