"""A candidate judged on the logged decisions of a service, and a bundle put into use."""

import json
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from tactful.cli.console import console, progress
from tactful.cli.wiring.bundles import put_in_use
from tactful.cli.wiring.decision_source import DecisionSource, open_decisions
from tactful.cli.wiring.sources import moment_of
from tactful.cli.wiring.stores import record_release
from tactful.decisions.catalogue.selection import AnyPolicy, Policy
from tactful.decisions.kernel.decide import Request, RunContext, decide
from tactful.decisions.kernel.decision import Candidate, Decision
from tactful.experiments.offpolicy.decision_log import Target, as_decided
from tactful.features.definitions.standard import STANDARD
from tactful.models.bundles.bundle import load
from tactful.serving.engine.in_force.champion import Champion, load_champion
from tactful.serving.errors import NotReadyError
from tactful.serving.settings import Settings
from tactful.training.data.errors import TrainingError, UndecidedError
from tactful.training.gate.evidence import Predicted, Reward, gather, judged_since
from tactful.training.gate.release import Limits, Release, judge
from tactful.training.tracking import track_release

_POLICY: TypeAdapter[Policy] = TypeAdapter(AnyPolicy)


def promoted(
    bundle: Path,
    data: Path,
    reward: Reward,
    limits: Limits,
    store: Path,
    anyway: str = "",
    since: str | None = None,
) -> dict[str, Any]:
    """Judges a bundle and puts it into use where the gate or `anyway` says so; the first one needs no gate.

    A log that cannot judge is an answer, not an error.

    Returns:
        `version`, `promoted`, `answer`, `reasons` and the tracked `run`.
    """
    pointer = Settings.of(data).champion
    version = load(bundle, fingerprint=STANDARD.fingerprint).version
    if not pointer.exists():
        put_in_use(bundle, pointer, "the first")
        record_release(data, "bundle promoted", version, {"why": "the first"})
        return {
            "version": version,
            "promoted": True,
            "answer": "ship",
            "reasons": ["there was none before"],
            "run": None,
        }
    answer, reasons, run = "experiment", list[str](), None
    try:
        verdict = judged(data, None, bundle, None, reward, limits, since)
        answer, reasons = verdict.answer, list(verdict.reasons)
        run = tracked(verdict, store, data, None, bundle, None, since)
    except UndecidedError as error:
        reasons = [str(error)]
    ships = answer == "ship" or bool(anyway)
    if ships:
        why = anyway or f"the release gate, run {run}"
        put_in_use(bundle, pointer, why)
        record_release(data, "bundle promoted", version, {"why": why})
    return {"version": version, "promoted": ships, "answer": answer, "reasons": reasons, "run": run}


def judged(
    data: Path,
    policy: str | None,
    bundle: Path | None,
    catalogue: Path | None,
    reward: Reward,
    limits: Limits,
    since: str | None,
) -> Release:
    """The verdict of the release gate about a policy, models or a catalogue, by logged decisions.

    Args:
        data: Folder of the service.
        policy: Another policy, as JSON.
        bundle: Folder of other models.
        catalogue: File of another catalogue.
        reward: The reward of a decision.
        limits: The limits of the gate.
        since: Only decisions from then on judge; from when all models had learnt where None.

    Raises:
        TrainingError: No candidate is named.
        UndecidedError: No decision can judge.
    """
    if policy is None and bundle is None and catalogue is None:
        raise TrainingError("nothing to judge", got="no candidate", wanted="--policy, --bundle or --catalogue")
    stated = None if policy is None else _policy(policy)
    asked = None if since is None else moment_of(since, datetime.now(UTC))
    with progress("judging", console(stderr=True)):
        source = open_decisions(data)
        if bundle is None and catalogue is None and stated is not None:
            begin = asked or datetime.min.replace(tzinfo=UTC)
            log = [logged for logged in source.decisions() if logged.decision.moment >= begin]
            return judge(gather(log, reward, source.now, stated), limits)
        settings = source.folder.settings
        if bundle is not None:
            load(bundle, fingerprint=STANDARD.fingerprint)
        candidate = load_champion(bundle or settings.champion, catalogue or settings.catalogue, STANDARD)
        begin = judged_since(candidate.bundle.learnt_until, asked, bundle or settings.champion)
        log = [logged for logged in source.decisions() if logged.decision.moment >= begin]
        if not log:
            got, wanted = "0 decisions to judge by", f"some since {begin:%Y-%m-%d %H:%M} UTC, not learnt from"
            raise UndecidedError("cannot be judged: no decision is settled", got=got, wanted=wanted)
        again = _decided(source, {logged.decision.id: logged.decision for logged in log}, candidate, stated)
        target, predicted = _targets(again)
        known = [logged for logged in log if logged.decision.id in again]
        if not known:
            got, wanted = f"{len(log):,} of an earlier kernel", "some that can be made again"
            raise UndecidedError("cannot be judged: no decision can be made again", got=got, wanted=wanted)
        evidence = gather(
            known,
            reward,
            source.now,
            target,
            predicted=predicted,
            learnt=candidate.bundle.messages,
            learnt_before=source.champion.bundle.messages,
        )
        return judge(evidence, limits)


def _policy(text: str) -> Policy:
    try:
        return _POLICY.validate_python(json.loads(text))
    except (ValueError, ValidationError) as error:
        raise TrainingError("not a policy", got=text, wanted='JSON such as {"kind": "greedy"}') from error


def _decided(
    source: DecisionSource, made_on: Mapping[str, Decision], candidate: Champion, policy: Policy | None
) -> dict[str, Decision]:
    """The candidate's decisions in place of some recorded ones, all at once where they share a run's context."""
    compiled = candidate.compiled
    width = len(compiled.catalogue.feature_set(STANDARD))
    asked: defaultdict[str, list[Request]] = defaultdict(list)
    shared: dict[str, RunContext] = {}
    for request, _ in source.requests():
        if request.id not in made_on:
            continue
        if len(request.snapshot.features) != width:
            got, wanted = len(request.snapshot.features), f"{width}, as the catalogue to judge reads"
            raise NotReadyError("decisions logged with other features", got=got, wanted=wanted, where=request.id)
        decision = made_on[request.id]
        key = json.dumps([decision.seed, dict(decision.capacity), dict(decision.prices)], sort_keys=True)
        asked[key].append(request)
        shared[key] = RunContext(decision.seed, decision.capacity, decision.prices, explores=False)
    found: dict[str, Decision] = {}
    for key, requests in asked.items():
        made = decide(requests, compiled, policy or compiled.catalogue.policy, candidate.bundle, shared[key])
        found |= {decision.id: decision for decision in made}
    return found


def _targets(again: Mapping[str, Decision]) -> tuple[Target, Predicted]:
    def predicted(decision: Decision) -> Candidate | None:
        """The logged choice with the candidate's factors."""
        chosen = decision.choice
        if chosen is None:
            return None
        key = (chosen.action.id, chosen.opening)
        return next((one for one in again[decision.id].survivors if (one.action.id, one.opening) == key), None)

    return as_decided(lambda decision: again[decision.id]), predicted


def tracked(
    verdict: Release,
    store: Path,
    data: Path,
    policy: str | None,
    bundle: Path | None,
    catalogue: Path | None,
    since: str | None,
) -> str:
    """The run of MLflow that keeps a verdict with what was judged, as `judged` was told it."""
    shop = open_decisions(data).champion.compiled.catalogue
    given = {
        "shop": f"{shop.catalogue}, amounts in {shop.currency}",
        "data": data,
        "policy": policy,
        "bundle": bundle,
        "catalogue": catalogue,
        "since": since,
    }
    parameters = {name: str(value) for name, value in given.items() if value is not None}
    version = load(bundle, fingerprint=STANDARD.fingerprint).version if bundle else None
    name = policy or (f"bundle {version}" if version else f"catalogue {catalogue}")
    return track_release(verdict, store, name=name, parameters=parameters)
