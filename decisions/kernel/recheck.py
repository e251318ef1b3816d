"""Recheck at send: between a decision and its contact a complaint may come in, or a night."""

from dataclasses import replace

from tactful.decisions.base.exclusion import Exclusion
from tactful.decisions.base.snapshot import Snapshot
from tactful.decisions.catalogue.compiled import CompiledCatalogue
from tactful.decisions.kernel.decide import Request, RunContext, Scorer, decide
from tactful.decisions.kernel.decision import Decision


def recheck(
    decision: Decision,
    snapshot: Snapshot,
    compiled: CompiledCatalogue,
    scorer: Scorer,
    run_context: RunContext | None = None,
) -> tuple[Exclusion, ...]:
    """Every reason for which the action a decision chose may not be sent any more.

    Args:
        decision: The decision.
        snapshot: The customer at the moment of sending, the decision's own reservation among the contacts or not.
        compiled: The catalogue.
        scorer: The models.
        run_context: Those of the moment.

    Returns:
        Nothing where it may be sent: every gate still lets it pass, or its programme does not ask again.
    """
    if decision.choice is None:
        return ()
    chosen = decision.choice.action
    programme = next((p for p in compiled.catalogue.programmes if p.id == chosen.programme), None)
    if programme is not None and not programme.recheck_at_send:
        return ()
    others = None if snapshot.contacts is None else tuple(c for c in snapshot.contacts if c.id != decision.id)
    request = Request(decision.id, replace(snapshot, contacts=others), decision.channels)
    (again,) = decide([request], compiled, compiled.catalogue.policy, scorer, run_context)
    for candidate in again.candidates:
        if (candidate.action.id, candidate.opening) == (chosen.id, decision.choice.opening):
            return candidate.exclusions
    return (Exclusion("trigger", chosen.programme, observed="no longer open", limit="the opening it answers"),)
