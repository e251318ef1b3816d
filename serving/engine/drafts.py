"""Makes decisions from what is known, without recording them: from customers and a champion to drafts and answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tactful.decisions.analysis.rollforward import contact_of
from tactful.decisions.catalogue.messages import RenderedText
from tactful.decisions.catalogue.model import Action
from tactful.decisions.kernel.decide import Request, RunContext, decide
from tactful.decisions.kernel.decision import Decision
from tactful.experiments.assignment.arms import Arms, Decided, Exposure
from tactful.experiments.assignment.treatments import Treatment
from tactful.serving.engine.in_force.champion import Champion
from tactful.serving.engine.rendering import Renderer
from tactful.serving.engine.snapshots import as_bytes, from_bytes, snapshot
from tactful.serving.errors import UnrenderableError
from tactful.serving.store.port import Draft, KnownCustomer, StoredDecision


@dataclass(frozen=True, slots=True)
class DecisionCommand:
    """A request to decide.

    Args:
        customer: About whom.
        id: Id of the decision; asking again with it gives the same decision.
        moment: When, an aware UTC moment.
        channels: Only these channels; all where empty.
        notify: Whether receivers are to be told of what is chosen.
        reservation: How long its contact counts unless it is confirmed; the maker's where None.
    """

    customer: str
    id: str
    moment: datetime
    channels: tuple[str, ...] = ()
    notify: bool = False
    reservation: timedelta | None = None


@dataclass(frozen=True, slots=True)
class DecisionResult:
    """A decision, ready to be told.

    Args:
        decision: The decision.
        currency: ISO 4217 code of its amounts.
        text: The text of the choice; None for silence, or where the personal data were erased.
    """

    decision: Decision
    currency: str
    text: RenderedText | None


@dataclass(frozen=True, slots=True)
class PendingDecision:
    """A decision that is not recorded yet, its result for the caller, and the experiments that it shows."""

    draft: Draft
    answer: DecisionResult
    renderer: Renderer
    exposures: tuple[Exposure, ...] = ()


@dataclass(frozen=True, slots=True)
class Maker:
    """How decisions are made here.

    Args:
        run_context: The seed of the draws, capacities and prices.
        reservation: How long a contact that is neither confirmed nor released counts.
    """

    run_context: RunContext
    reservation: timedelta

    def make(
        self, cases: Sequence[tuple[DecisionCommand, KnownCustomer]], champion: Champion, arms: Arms | None = None
    ) -> list[PendingDecision | Exception]:
        """One decision a case; where one fails, each is made alone, so that only its own outcome is the error.

        Args:
            cases: The commands, each with the known customer.
            champion: The models and the catalogue.
            arms: The arms of the experiments in force; without, everybody is decided about by the champion.
        """
        try:
            return list(self._make(cases, champion, arms))
        except Exception as error:
            if len(cases) == 1:
                return [error]
            return [made for case in cases for made in self.make([case], champion, arms)]

    def _make(
        self, cases: Sequence[tuple[DecisionCommand, KnownCustomer]], champion: Champion, arms: Arms | None
    ) -> list[PendingDecision]:
        requests = [
            Request(command.id, snapshot(known, command.moment, champion), command.channels) for command, known in cases
        ]
        decided = arms.decide(requests, self.run_context) if arms else self._decided(requests, champion)
        return [
            self._made(one, known.version, champion, command)
            for one, (command, known) in zip(decided, cases, strict=True)
        ]

    def _decided(self, requests: Sequence[Request], champion: Champion) -> list[Decided]:
        treatment = Treatment(champion.compiled, champion.compiled.catalogue.policy, champion.bundle)
        decisions = decide(requests, treatment.compiled, treatment.policy, treatment.scorer, self.run_context)
        return [Decided(decision, r, treatment) for decision, r in zip(decisions, requests, strict=True)]

    def _made(self, decided: Decided, version: int, champion: Champion, command: DecisionCommand) -> PendingDecision:
        decision, made_on, compiled = decided.decision, decided.request.snapshot, decided.treatment.compiled
        own = compiled is champion.compiled
        renderer = champion.renderer if own else Renderer(compiled.catalogue, compiled.vocabulary.features)
        opened_by = _opened_by(decision)
        text = renderer.render(decision.choice.action, made_on, opened_by) if decision.choice else None
        draft = Draft(
            decision,
            inputs=as_bytes(made_on),
            based_on=version,
            reservation=contact_of(decision, renderer.catalogue),
            expires=decision.moment + (command.reservation or self.reservation),
            opened_by=opened_by,
            notify=decision.id.encode() if command.notify and decision.choice else None,
        )
        return PendingDecision(
            draft, DecisionResult(decision, renderer.catalogue.currency, text), renderer, decided.exposures
        )


def told_again(stored: StoredDecision, decision: Decision, renderer: Renderer) -> DecisionResult:
    """The answer of a stored decision, the same as when it was made.

    Args:
        stored: The decision as it was kept.
        decision: Its record, read back.
        renderer: Of the catalogue it was made with.
    """
    text = _text_again(stored, decision.choice.action, renderer) if decision.choice else None
    return DecisionResult(decision, renderer.catalogue.currency, text)


def _text_again(stored: StoredDecision, action: Action, renderer: Renderer) -> RenderedText | None:
    """The text of a choice; None where its inputs were erased, or an earlier release took a text that fails now."""
    if stored.inputs is None:
        return None
    try:
        made_on = from_bytes(stored.inputs, renderer.catalogue.attributes)
        return renderer.render(action, made_on, stored.opened_by)
    except UnrenderableError:
        return None


def _opened_by(decision: Decision) -> str:
    """Id of the event that opened the programme of the choice; empty where none did."""
    choice = decision.choice
    events = (o.event for o in decision.openings if choice is not None and o.key == choice.opening)
    return next((event.id for event in events if event is not None), "")
