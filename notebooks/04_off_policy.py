# ---
# jupyter:
#   jupytext:
#     cell_metadata_filter: -all
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Off-policy: what would a policy have earned that was never deployed?
#
# **Question.** A shop has a log of contacts that were drawn at random among those its rules allow. What would other
# policies have earned on the same days? And when is such an estimate not to be believed?
#
# **Answer.** All four estimates are near the truth, and each interval holds it: from 160,000 decisions, answering
# triggers is put at 0.07 GBP a customer and week over silence (truth 0.06), sending everything at −0.05 (−0.05), the
# highest response at 0.13 (0.14), the best there could be at 0.22 (0.28). Only the last is *shown* to beat silence: the
# others differ by less than such a log can tell. A log without chance, made-up probabilities and a handful of decisions
# are refused.
#
# **The customers are simulated**, so what each policy would really have earned is known: the same week is lived again
# under its choices, with the same luck.

# %%
# %matplotlib inline
import numpy as np
import pandas as pd

from tactful.experiments.base.errors import SupportError
from tactful.experiments.offpolicy.estimators import difference, snips
from tactful.experiments.offpolicy.log import Log
from tactful.experiments.offpolicy.predictions import cross_fitted
from tactful.experiments.offpolicy.support import support
from tactful.experiments.world.parameters import ARMS, preset
from tactful.experiments.world.policies import TRIGGERS, GreedyResponse, Oracle, PriorityList, Silence
from tactful.experiments.world.trial import drawn, ids_of, week_after
from tactful.experiments.world.world import World
from tactful.models.base.metrics import Estimate
from tactful.training.studies.pictures import segments
from tactful.training.studies.segments import Segment

CUSTOMERS, WEEKS, SEED = 20_000, 8, 7
POLICIES = {
    "answers to triggers": PriorityList(order=TRIGGERS),
    "everything, in order": PriorityList(),
    "highest response": GreedyResponse(),
    "the oracle": Oracle(weeks=WEEKS),
}

# %% [markdown]
# ## The log
#
# Each Monday an arm is drawn for every customer, among those that triggers, re-entry and the cap allow, and silence;
# then the week is silent. The log holds what could be chosen, how likely each option was, what was chosen, and the
# margin of the week. Beside it, unknown to any estimator, stands what each policy would have earned.

# %%
world = World(preset("realistic"), CUSTOMERS, SEED)
silent = np.zeros(CUSTOMERS, dtype=np.int64)
chosen, likely, earned, known = [], [], [], []
would = {name: [] for name in ("silence", *POLICIES)}
truth = {name: [] for name in would}
for _ in range(WEEKS):
    arms, probabilities = drawn(world)
    chosen.append(arms)
    likely.append(probabilities)
    earned.append(week_after(world, arms))
    known.append(np.column_stack([world.purchases, np.minimum(world.day - world.last_purchase, 200), world.recent]))
    for name, policy in {"silence": Silence(), **POLICIES}.items():
        choice = np.where(world.subscribed, policy.choose(world), 0)
        would[name].append(choice)
        truth[name].append(week_after(world, choice).mean())
    for day in range(7):
        world.step(arms if day == 0 else silent)
choices, logged, rewards = np.concatenate(chosen), np.concatenate(likely), np.concatenate(earned)
customers, features = np.tile(ids_of(world), WEEKS), np.concatenate(known)


def log_for(name, probabilities=logged):
    """The log, with a policy to judge."""
    target = np.eye(len(ARMS))[np.concatenate(would[name])]
    return Log(choices, probabilities, target, rewards, customers, probabilities > 0, ARMS)


logs = {name: log_for(name) for name in would}
NOTE = (
    f"SIMULATED customers: {len(choices):,} drawn decisions about n = {CUSTOMERS:,}. Bars: 95 %, clustered by customer."
)
f"{len(choices):,} decisions about {CUSTOMERS:,} customers, {(choices > 0).mean():.0%} of them contacts"

# %% [markdown]
# ## Does the log hold enough of each policy?
#
# Before any value: an estimate rests on the decisions in which chance chose what the policy would have chosen.
# `effective` says how many of the policy's own decisions would tell as much; the mean weight must be 1, or the logged
# probabilities are wrong.

# %%
found = {name: support(log) for name, log in logs.items()}
pd.DataFrame(
    {
        "effective decisions": {name: f"{s.effective:,.0f}" for name, s in found.items()},
        "effective customers": {name: f"{s.effective_customers:,.0f}" for name, s in found.items()},
        "largest weight": {name: f"{s.largest_weight:.0f}" for name, s in found.items()},
        "mean weight": {name: f"{s.mean_weight:.3f} ± {1.96 * s.mean_weight_error:.3f}" for name, s in found.items()},
        "refused": {name: s.refusal() or "no" for name, s in found.items()},
    }
)

# %% [markdown]
# ## The values
#
# By how much more would each policy have earned than silence? Paired on the same decisions, so that what both share
# cancels. `snips` weights what happened; the doubly robust estimate also uses a model of the margin, fitted to other
# customers.

# %%
predictions = cross_fitted(logs["silence"], features)
gains = {
    name: {
        "snips": difference(logs[name], logs["silence"]),
        "doubly robust": difference(logs[name], logs["silence"], "doubly_robust", predictions),
    }
    for name in POLICIES
}
truths = {name: float(np.mean(truth[name]) - np.mean(truth["silence"])) for name in POLICIES}
segments(
    {
        name: [
            Segment(how, CUSTOMERS, CUSTOMERS, Estimate(100 * e.value, 100 * e.low, 100 * e.high))
            for how, e in both.items()
        ]
        + [Segment("truth", CUSTOMERS, CUSTOMERS, Estimate(*[100 * truths[name]] * 3))]
        for name, both in gains.items()
    },
    title="Margin over silence, of policies that were never deployed",
    xlabel="pence a decision and week",
    note=NOTE,
    reference=0.0,
)

# %%
best = {name: both["doubly robust"] for name, both in gains.items()}
pd.DataFrame(
    {
        "doubly robust, GBP": {name: f"{e.value:.3f} ({e.low:.3f} to {e.high:.3f})" for name, e in best.items()},
        "truth": {name: f"{value:.3f}" for name, value in truths.items()},
        "held": {name: e.low <= truths[name] <= e.high for name, e in best.items()},
    }
)

# %% [markdown]
# ## When not to believe it
#
# **A log without chance.** Had the shop always sent the first of its list, its log would hold no decision that another
# policy would have made. Judging one is refused, and rightly: there is nothing to judge it by.


# %%
def asked(log):
    """An estimate, or why there is none."""
    try:
        return f"{snips(log).value:.3f}"
    except SupportError as refusal:
        return str(refusal)


certain = np.eye(len(ARMS))[np.concatenate(would["everything, in order"])]
always = Log(
    np.concatenate(would["everything, in order"]),
    certain,
    np.eye(len(ARMS))[np.concatenate(would["highest response"])],
    rewards,
    customers,
    actions=ARMS,
)
asked(always)

# %% [markdown]
# **Probabilities that somebody made up.** One in eight for each arm, forgetting that most were not allowed on most
# days. The weights are wrong, and their mean gives it away.

# %%
made_up = np.full_like(logged, 1 / len(ARMS))
wrong = Log(choices, made_up, logs["answers to triggers"].target, rewards, customers, actions=ARMS)
asked(wrong)

# %% [markdown]
# **Few decisions.** A hundred customers for a week: the interval would be honest, and useless.

# %%
few = slice(0, 100)
asked(Log(choices[few], logged[few], logs["the oracle"].target[few], rewards[few], customers[few], actions=ARMS))

# %% [markdown]
# **Other contexts.** What was judged is a Monday after silent days. A policy that contacts all the time would meet
# customers who are tired of it, and no estimator of this log knows them: `05_fatigue`. For that, run an experiment:
# `03_ab_test`.
#
# ## What to take along
#
# - Keep a little chance in every decision, and log its probability: that log judges any policy, whenever.
# - Read the diagnostics first; an estimate that is refused is no estimate.
# - Judge the difference to what is deployed, paired, not two values side by side.
# - An estimate chooses candidates. An experiment decides.
