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
# # An A/B test, from the plan to the decision
#
# **Question.** A shop contacts nobody. Should it answer carts, due purchases and long silences with a message, or send
# everything it has, newsletters and promotions too, up to twice a week?
#
# **Answer.** Answer, and no more. In eight weeks answering brought 14 GBP a customer (12 %; between 4 and 24, whoever
# looked whenever), and unsubscribes stayed within the margin. Sending everything brought no more, and drove 2.4 % of
# the customers away. Without the guard-rail it would have been called a success.
#
# **The customers are simulated**: a world in which contacts work, tire and drive away, and whose truth is known. So at
# the end the estimates are held against it, which no real experiment allows. Nothing here says what a message achieves
# in a real shop.

# %%
# %matplotlib inline
import tempfile
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from IPython.display import HTML

import tactful
from tactful.cli.simulation.served import served
from tactful.decisions.base.assignment import hash_v2
from tactful.experiments.base.metrics import METRICS
from tactful.experiments.readout.effects import compare, sample_ratio, variance_saved
from tactful.experiments.readout.outcomes import outcomes
from tactful.experiments.readout.power import first_enough, plan
from tactful.experiments.readout.readout import readout
from tactful.experiments.world.parameters import preset
from tactful.experiments.world.policies import TRIGGERS, PriorityList, Silence
from tactful.experiments.world.trial import Split, events_of, ids_of, true_effect
from tactful.experiments.world.world import START, World
from tactful.features.timestamps import microseconds
from tactful.models.base.metrics import Estimate
from tactful.training.studies.pictures import curves, segments
from tactful.training.studies.segments import Segment

CUSTOMERS, WEEKS, SEED = 12_000, 8, 11
NOTE = f"SIMULATED customers, n = {CUSTOMERS:,}"
REVENUE = METRICS["revenue_per_customer"]

# %% [markdown]
# ## The declaration
#
# It is written down before anything is known: what is compared, what it is to move and by how much at least, and what
# it must not harm. Here every arm is a rule of the simulated shop; beside a catalogue the same would stand in YAML, and
# an arm would be a policy, a message or silence.

# %%
experiment = tactful.Experiment.model_validate(
    {
        "id": "contacts",
        "question": "Should customers be contacted, and how much?",
        "salt": "contacts-1",
        "start": START,
        "arms": [
            {"id": "silence", "kind": "silence", "share": 1 / 3},
            {"id": "answers", "kind": "current", "share": 1 / 3},
            {"id": "everything", "kind": "current", "share": 1 / 3},
        ],
        "primary": {"metric": "revenue_per_customer", "minimum_effect": 0.1},
        "guard_rails": [{"metric": "unsubscribes", "margin": 0.01}],
    }
)
rules = {"silence": Silence(), "answers": PriorityList(order=TRIGGERS), "everything": PriorityList()}

# %% [markdown]
# ## Plan: how long must it run?
#
# The half year before the experiment is in the log. It tells how much customers differ, and how much of that their
# past foretells. An effect of 10 % is to be found with probability 80 %, and people will look before the end: so what
# counts is the smallest effect that is found *whoever looks whenever*.

# %%
world = World(preset("easy"), CUSTOMERS, SEED, keep_events=True)
ids = ids_of(world)
horizons = plan(experiment, events_of(world, ids), ids.tolist(), START, weeks=[2, 4, 6, 8, 10, 12])
pd.DataFrame(
    {
        "customers": [f"{h.customers:,}" for h in horizons],
        "revenue per customer, GBP": [f"{h.mean:.0f}" for h in horizons],
        "found at one look": [f"{h.one_look:.1%}" for h in horizons],
        "found at any look": [f"{h.always_valid:.1%}" for h in horizons],
        "enough for 10 %": ["yes" if h.enough else "no" for h in horizons],
    },
    index=pd.Index([h.weeks for h in horizons], name="weeks"),
)

# %%
first_enough(horizons).weeks

# %% [markdown]
# ## Run
#
# Who is in which arm follows from the id and the salt: nothing is stored, and an application that runs GrowthBook's SDK
# with the same salt puts the same customers into the same arms.

# %%
hash_v2(experiment.salt, ids[0]), experiment.arm(ids[0]).id

# %%
rule = Split(experiment, rules, ids)
for _ in range(7 * WEEKS):
    world.step(rule.choose(world))
events = events_of(world, ids)
until = START + timedelta(weeks=WEEKS)
enrolled = pd.DataFrame(
    {"customer": ids.astype(str), "arm": [experiment.arm(i).id for i in ids], "entered": pd.Timestamp(START)}
)
f"{len(events):,} events of {len(ids):,} customers"

# %% [markdown]
# ## The same through the service
#
# With twelve thousand customers over eight weeks the arms are rules of the simulated world, for speed. The service does
# the same beside a catalogue: here it is told of the experiment in YAML, and for two weeks decides each morning about a
# thousand customers of that world. Its store holds every decision, and for each customer the first that the arms would
# have made differently: the *exposure*.

# %%
DECLARED = """
experiments:
  - id: contacts
    salt: contacts-1
    start: 2026-01-05
    arms:
      - {id: silence, kind: silence, share: 0.3333}
      - {id: answers, kind: without, programmes: newsletter, share: 0.3333}
      - {id: everything, kind: current, share: 0.3334}
    primary: {metric: revenue_per_customer, minimum_effect: 0.1}
    guard_rails: [{metric: unsubscribes, margin: 0.01}]
"""
small = World(preset("easy"), 1_000, SEED, keep_events=True)
with tempfile.TemporaryDirectory() as scratch:
    with served(small, Path(scratch)) as service:
        declared = service.run(DECLARED, days=14).experiment("contacts")
    with tactful.open(scratch) as shop:
        log, exposures = shop.decisions(), shop.exposures(declared.id)
pd.crosstab(
    pd.Series([declared.arm(customer).id for customer in log["customer_id"]], name="arm, recomputed from the id"),
    log["message"].fillna("silence").rename("chosen by the service, SIMULATED customers"),
    margins=True,
    margins_name="decisions",
)

# %%
exposed_arms = exposures["arm"].value_counts().to_dict()
agree = all(one.arm == declared.arm(one.customer_id).id for one in exposures.itertuples())
ratio = sample_ratio(exposed_arms, {arm.id: arm.share for arm in declared.arms})
{"exposed": exposed_arms, "as the hash says": agree, "sample ratio, p": round(ratio.pvalue, 3)}

# %% [markdown]
# ## Sample ratio: is it an experiment at all?
#
# Before any effect: did as many customers come into each arm as were to? If not, some were lost, and no difference can
# be trusted. If every sixth customer of one arm had been lost on the way, say because unsubscribing deleted them, the
# check would say so, and the readout would claim nothing.

# %%
counts = enrolled["arm"].value_counts().to_dict()
shares = {arm.id: arm.share for arm in experiment.arms}
lost = {**counts, "everything": int(5 / 6 * counts["everything"])}
pd.DataFrame(
    {
        "as it is": {
            **counts,
            "p": f"{sample_ratio(counts, shares).pvalue:.3f}",
            "passed": sample_ratio(counts, shares).passed,
        },
        "every sixth lost": {
            **lost,
            "p": f"{sample_ratio(lost, shares).pvalue:.1e}",
            "passed": sample_ratio(lost, shares).passed,
        },
    }
)

# %% [markdown]
# ## CUPED: what customers did before
#
# Who bought a lot before will buy a lot again, in whatever arm. What the four weeks before foretell is taken off, and
# the interval gets narrower without another customer. How much it helps is measured, never promised: here customers are
# faithful to their habits; in a public e-mail trial the same saved 2.5 %.

# %%
rows = outcomes(events, enrolled, until)
of_arm = {arm: rows[rows["arm"] == arm] for arm in rules}
pairs = {f"{arm} less silence": (of_arm["silence"], of_arm[arm]) for arm in ("answers", "everything")}
plain = {name: compare(*pair, REVENUE, covariate=False) for name, pair in pairs.items()}
adjusted = {name: compare(*pair, REVENUE) for name, pair in pairs.items()}
segments(
    {
        name: [
            Segment(how, sum(e.customers), sum(e.customers), Estimate(e.difference, e.low, e.high))
            for how, e in (("as it is", plain[name]), ("less what the past foretells", adjusted[name]))
        ]
        for name in pairs
    },
    title="Revenue per customer in eight weeks, with and without the covariate",
    xlabel="difference, GBP per customer",
    note=f"{NOTE}. Bars: 95 % intervals for one look.",
    reference=0.0,
)

# %%
{name: f"{variance_saved(*pair, REVENUE):.0%} of the variance saved" for name, pair in pairs.items()}

# %% [markdown]
# ## As it became known
#
# Each Monday somebody looks. The wide band holds at every look at once; the narrow one, of a test made for a single
# look, does not: looking eight times, it errs far more often than 5 %. As soon as the wide band leaves the line, the
# effect is shown, and the experiment may end.

# %%
found = readout(
    experiment,
    events,
    enrolled.assign(pace=np.where(rows["before_orders"] >= 1, "bought in the four weeks before", "did not")),
    until,
    cuts=["pace"],
    simulated=True,
    currency="GBP",
)
arms = {arm.arm: arm for arm in found.arms}


def course(name):
    """The effect of an arm as it was known each Monday, with both intervals."""
    looks = arms[name].looks
    valid = zip(looks.moments, looks.effects, looks.valid.low, looks.valid.high, strict=True)
    return curves(
        {
            "holds at every look": {m: Estimate(e.difference, low, high) for m, e, low, high in valid},
            "for one look": {
                m: Estimate(e.difference, e.low, e.high) for m, e in zip(looks.moments, looks.effects, strict=True)
            },
        },
        title=f"Revenue per customer: {name} less silence, as known on each Monday",
        xlabel="day, UTC",
        ylabel="difference, GBP per customer",
        note=f"SIMULATED customers, n = {sum(arms[name].primary.customers):,}. Bands: 97.5 % each, 95 % for both arms.",
        reference=0.0,
    )


course("answers")

# %%
course("everything")

# %% [markdown]
# ## What must not be harmed
#
# A guard-rail is kept only where harm beyond the margin, one point of unsubscribes, is *excluded*; that no harm is seen
# would not do.

# %%
rails = {name: arm.guard_rails[0] for name, arm in arms.items()}
segments(
    {
        "unsubscribed in eight weeks": [
            Segment(
                f"{name} less silence: {rail.verdict}",
                sum(rail.effect.customers),
                sum(rail.effect.customers),
                Estimate(100 * rail.effect.difference, 100 * rail.low, 100 * rail.high),
            )
            for name, rail in rails.items()
        ]
    },
    title="Customers who unsubscribed: difference to silence",
    xlabel="difference, percentage points",
    note="SIMULATED customers. Bars hold at every look. The line: the margin of one point.",
    reference=1.0,
)

# %% [markdown]
# ## For whom, and for how long?
#
# Two questions that are easily asked too often. Whoever cuts the customers in enough ways finds a segment with an
# effect. So each estimate is told with a warning.

# %%
[arm.segments[0].warning for arm in found.arms]

# %%
curves(
    {
        name: {week: Estimate(e.difference, e.low, e.high) for week, e in arm.novelty.weeks}
        for name, arm in arms.items()
    },
    title="Revenue per customer and week, less silence, by week since entering",
    xlabel="week since entering",
    ylabel="difference, GBP per customer and week",
    note=f"{NOTE}. Bands: 95 %, for one look.",
    reference=0.0,
)

# %%
{
    name: {True: "wears off", False: "no sign that it wears off", None: "cannot be told"}[arm.novelty.wears_off]
    for name, arm in arms.items()
}

# %% [markdown]
# ## The decision

# %%
HTML("".join(f"<p>{found.decision(arm)}</p>" for arm in found.arms))

# %% [markdown]
# `tactful experiment report` writes the same as a page.
#
# ## The truth
#
# The same customers with the same luck, all under one rule and then all under another: what the experiment estimated.

# %%
lived = {}
for name, one in rules.items():
    lived[name] = World(preset("easy"), CUSTOMERS, SEED, keep_events=True)
    for _ in range(7 * WEEKS):
        lived[name].step(one.choose(lived[name]))
truths = {name: true_effect(lived[name], lived["silence"], microseconds(START)) for name in arms}
pd.DataFrame(
    {
        "estimate, GBP": {name: f"{arm.primary.difference:.2f}" for name, arm in arms.items()},
        "interval at every look": {name: f"{arm.low:.2f} to {arm.high:.2f}" for name, arm in arms.items()},
        "truth": {name: f"{truth:.2f}" for name, truth in truths.items()},
        "held": {name: arm.low <= truths[name] <= arm.high for name, arm in arms.items()},
    }
)

# %% [markdown]
# ## What to take along
#
# - Write the metric, the smallest effect worth finding and the guard-rails down first; the log says how long it takes.
# - Look at the sample ratio before anything else, and at intervals that hold at every look.
# - More contacts can bring as much revenue and cost the customers: without the guard-rail, *everything* would have won.
# - One experiment in one simulated world is an example. How often such readouts err over a thousand of them stands in
#   `docs/how-to/experiments.md`.
