"""The product in the simulated shop: decisions by `decide`, outcomes back, retraining, the gate, and the next week."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np

from tactful.cli.simulation.learning import Cases, audience, cases_of_past, fit, released
from tactful.cli.simulation.past import in_arms, past_rows, reach_lost, together
from tactful.cli.simulation.shop import CHANNEL, NAMES, WINDOW, Shop, ShopScorer, load
from tactful.decisions.base.snapshot import Contact
from tactful.decisions.catalogue.compiled import CompiledCatalogue
from tactful.decisions.kernel.decide import Request, decide
from tactful.decisions.kernel.decision import Decision
from tactful.decisions.kernel.exploration import Stratum, stratum
from tactful.experiments.world.parameters import ARMS
from tactful.experiments.world.policies import TRIGGERS, Rule
from tactful.experiments.world.triggers import open_arms
from tactful.experiments.world.world import World
from tactful.features.array_types import Bools, Ints
from tactful.features.timestamps import DAY, microseconds
from tactful.training.data.attribution import Delivery, Goal, LoggedDecision, Outcome, every_decision
from tactful.training.data.rows import DecisionRows

RETRAINED = (0, 56, 112)
"""Days on whose morning the shop learns."""
JUDGE_BY = timedelta(days=28)
"""Decisions of that time judge what was learnt before them."""
GOAL = Goal(window=timedelta(days=WINDOW))


@dataclass
class Product(Rule):
    """Chooses by `decide`, once a week and where a trigger opened for a customer, and learns from what came of it.

    Args:
        compiled: The catalogue.
        learns: Whether it retrains.
        gated: Whether what was learnt counts only once the release gate has let it.

    Attributes:
        releases: The gate's verdicts, by week.
    """

    compiled: CompiledCatalogue = field(default_factory=load)
    learns: bool = True
    gated: bool = True
    releases: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._shop: Shop | None = None
        self._scorer = ShopScorer()
        self._past: DecisionRows | None = None
        self._log: list[tuple[Request, Decision]] = []
        self._seen: Bools = np.zeros(0, dtype=bool)
        self._strata = np.zeros(0, dtype=object)

    def choose(self, world: World) -> Ints:
        """The arms of this morning."""
        if self._shop is None or self._shop.world is not world:
            self._begin(world)
        assert self._shop is not None
        if self.learns and world.day in RETRAINED:
            self._learn()
        arms = np.zeros(len(world), dtype=np.int64)
        asked = self._asked(world)
        if not len(asked):
            return arms
        requests = self._shop.requests(asked)
        made = decide(requests, self.compiled, self.compiled.catalogue.policy, self._scorer)
        for i, request, decision in zip(asked.tolist(), requests, made, strict=True):
            if 0 < decision.silence_probability < 1:
                self._log.append((request, decision))
            arms[i] = self.write_down(self._shop, i, decision)
        return arms

    @staticmethod
    def write_down(shop: Shop, customer: int, decision: Decision) -> int:
        """Writes a decision's contact into the ledger; its arm, 0 for none."""
        if decision.choice is None:
            return 0
        message, opening = decision.choice.action.message, decision.choice.opening
        contact = Contact(decision.moment, CHANNEL, message, message, opening=opening, id=decision.id)
        shop.contacted(customer, contact)
        return ARMS.index(message)

    def stratum_of(self, name: Stratum) -> Bools:
        """Whom exploration put into a stratum, shape (n,)."""
        return np.asarray(self._strata == name)

    def _begin(self, world: World) -> None:
        self._shop = Shop(world)
        self._log, self._past = [], None
        self._seen = np.zeros(len(world), dtype=bool)
        catalogue = self.compiled.catalogue
        self._strata = np.array([stratum(catalogue, customer) for customer in self._shop.ids], dtype=object)

    def _asked(self, world: World) -> Ints:
        """Customers with this week's slot, and those for whom a trigger has opened since yesterday or a cart waits."""
        opened = open_arms(world)[:, list(TRIGGERS)]
        any_open = opened.any(axis=1)
        due = (np.arange(len(world)) % 7 == world.day % 7) | opened[:, 0] | (any_open & ~self._seen)
        self._seen = np.asarray(any_open)
        return np.flatnonzero(due & world.subscribed & (self._strata != "holdout"))

    def _learn(self) -> None:
        """Fits effects to what was settled four weeks ago; they count if what was drawn since lets them."""
        assert self._shop is not None
        if self._past is None:
            self._past = past_rows(self._shop)
        cases, since = self._cases(), microseconds(self._shop.world.moment - JUDGE_BY) - WINDOW * DAY
        written_to = audience(self._shop.requests(np.arange(len(self._shop.ids))), self.compiled, self._scorer)
        past = self._past.where(np.isin(self._past.customers, list(written_to)))
        rows = past if cases is None else together(past, cases.rows)
        effects = fit(rows.where(rows.settled <= since), self.compiled)
        week = self._shop.world.day // 7
        latest = past.moments >= since
        judged_on = [cases_of_past(past.where(latest), self.compiled)] if latest.any() else []
        judged_on += [cases.since(since)] if cases and (cases.rows.moments >= since).any() else []
        if effects is None or not judged_on:
            self.releases[week] = "no" if effects is None else "experiment"
            return
        lost = np.concatenate([reach_lost(self._shop, c.rows) for c in judged_on])
        release = released(ShopScorer(effects), self._scorer, judged_on, lost)
        self.releases[week] = release.answer
        if release.answer == "ship" or not self.gated:
            self._scorer = ShopScorer(effects)

    def _cases(self) -> Cases | None:
        """The random draws so far whose outcomes are settled."""
        assert self._shop is not None
        as_of = self._shop.world.moment
        settled = [(r, d) for r, d in self._log if GOAL.matures(d) <= as_of]
        if not settled:
            return None
        outcomes = self._outcomes({r.snapshot.customer for r, _ in settled})
        log = [LoggedDecision(d, r.snapshot.features, outcomes.get(d.customer, ()), Delivery.SENT) for r, d in settled]
        rows = every_decision(log, GOAL, as_of, feature_names=NAMES)
        by_id = {r.id: r for r, _ in settled}
        return Cases(self.compiled, [by_id[i] for i in rows.ids], in_arms(rows))

    def _outcomes(self, wanted: set[str]) -> Mapping[str, list[Outcome]]:
        assert self._shop is not None
        found: dict[str, list[Outcome]] = {}
        share = self._shop.world.parameters.margin_share
        for told in self._shop.log.told:
            if told.type != "purchase":
                continue
            for i, amount, discount in zip(told.customers.tolist(), told.amount, told.discount, strict=True):
                customer = self._shop.ids[i]
                if customer in wanted:
                    time = self._shop.world.moment + timedelta(
                        microseconds=told.time - microseconds(self._shop.world.moment)
                    )
                    value = share * (amount + discount) - discount
                    found.setdefault(customer, []).append(Outcome("purchase", time, float(value)))
        return found
