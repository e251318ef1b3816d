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
# # Customer histories
#
# **Question.** What do a year of purchases, mailings and coupon redemptions say about a customer at one moment, and how
# does one keep what happened *later* out of it?
#
# **Answer.** How often and how lately a household bought says much about whether it will buy in the next 28 days: of
# those with one purchase in the last eight weeks about half buy nothing, of those with sixteen or more about one in
# seventy. That is honest knowledge. A feature computed *one event too late* looks far better and is worth nothing: the
# days since the last purchase rank lapsing households with an AUC of 0.76, and with 0.96 once the next event slips in.
# Tactful computes every feature in windows that end before the moment, so that nothing can slip in; below, the future
# is erased from the log and every feature keeps the same bits.
#
# **The data** are the Complete Journey data of a grocer, *simulated after real patterns*. They have no control group:
# mailings went to households that spend more, and nothing here says what a mailing causes.

# %%
# %matplotlib inline
import tempfile
from pathlib import Path

import pandas as pd

import tactful
from tactful.features.build import build_dataset, build_dataset_pairs
from tactful.features.events import complete_journey
from tactful.features.events.dataset import write_events
from tactful.models.base.metrics import Outcomes
from tactful.training.data.errors import TrainingError
from tactful.training.data.labels import days_after, lapses, midnight, span
from tactful.training.studies.activity import summary, weekly_shares
from tactful.training.studies.leakage import auc_of_features, days_past, judged, one_event_past
from tactful.training.studies.pictures import curves, history, segments, table
from tactful.training.studies.segments import bands, mean_by_segment

FOLDER = ""  # the folder of your own service, such as "var/shop"; Complete Journey where it is empty
CUSTOMER = "2305"  # whose history is shown

# %% [markdown]
# ## What happened
#
# A *purchase* is a basket, a *contact* a mailed coupon campaign, a *redeemed* event a coupon used at the till.

# %%
if FOLDER:
    with tactful.open(FOLDER) as shop:
        events, ZONE, CATEGORIES, SOURCE = shop.events(), shop.catalogue.timezone or "UTC", (), FOLDER
else:
    journey = complete_journey.load()
    events, ZONE, CATEGORIES = journey.events, complete_journey.ZONE, journey.categories
    SOURCE = "Complete Journey, simulated after real patterns"
scratch = tempfile.TemporaryDirectory()
dataset = write_events(events, Path(scratch.name) / "events", zone=ZONE, categories=CATEGORIES)
summary(events, ZONE)

# %% [markdown]
# Half of the households or more buy in any week, with little season. Mailings come in waves, since a campaign reaches
# all of its households on one day; redemptions follow them.

# %%
kinds = {"buy": "purchase", "are mailed": "contact", "redeem": "redeemed"}
curves(
    {name: weekly_shares(events, kind, ZONE) for name, kind in kinds.items()},
    title="Households active in a week",
    xlabel="week, by its Monday",
    ylabel="share of households",
    note=f"{SOURCE}. n = {events['customer_id'].nunique():,} households each week; bands: 95 % Wilson intervals.",
    percent=True,
)

# %% [markdown]
# ## One household, and the moment
#
# A decision is made *as of* a moment: the local midnight after which 28 days of log are left. What lies left of the
# dashed line is known; the grey part is the future, which only the label may read.

# %%
covered = span(dataset)
moment = midnight(days_after(covered.end, -28, ZONE), ZONE)
as_of = pd.Timestamp(moment, unit="us", tz="UTC")
household = CUSTOMER
own = events[events["customer_id"] == household]
history(
    own,
    zone=ZONE,
    title=f"Household {household}",
    note=f"{SOURCE}. n = {len(own)} events of one household, all of them: no estimate, so no interval.",
    moment=as_of,
)

# %% [markdown]
# ## Features as of a moment
#
# A feature is a number computed from a window that ends at the moment and does not contain it: `[moment - window,
# moment)`. The same household has other features on other days.

# %%
shown = ["days_since_purchase", "purchases_28d", "spend_84d", "gap_mean_365d", "contacts_28d", "redemptions_365d"]
moments = [days_after(moment, -168, ZONE), days_after(moment, -84, ZONE), moment]
rows = build_dataset_pairs(dataset, [household] * 3, moments, tactful.STANDARD.subset(shown)).to_pandas()[shown]
descriptions = {feature.name: feature.description for feature in tactful.STANDARD.features}
rows.rename(columns=descriptions).droplevel("customer_id").rename(index=lambda at: f"{at:%Y-%m-%d}").T.round(1)

# %% [markdown]
# The end of the window is open, to the microsecond: as of the very moment of a purchase it is not counted yet.

# %%
bought = own.loc[own["type"] == "purchase", "time"].max()
edge = [bought.to_pydatetime(), (bought + pd.Timedelta(microseconds=1)).to_pydatetime()]
at_the_edge = build_dataset_pairs(dataset, [household] * 2, edge, tactful.STANDARD.subset(["purchases_total"]))
dict(zip(["as of the purchase", "a microsecond later"], at_the_edge.column("purchases_total").tolist(), strict=True))

# %% [markdown]
# ## What the past says about the next 28 days
#
# A household *lapses* if it bought in the 56 days before the moment and buys nothing in the 28 days after it. Each band
# below is cut by one feature as of the moment, from its lower edge to below its upper one; its dot is the share that
# lapsed.

# %%
examples = judged(lapses(dataset, [moment], horizon_days=28, lookback_days=56))
outcomes = Outcomes.of(examples.positive, examples.customers.astype(str))
frame = build_dataset_pairs(dataset, examples.customers.tolist(), examples.as_of.tolist())
cuts = {
    "purchases in the last 56 days": bands(frame.column("purchases_56d"), [2, 4, 8, 16], "purchases"),
    "days since the last purchase": bands(frame.column("days_since_purchase"), [7, 14, 28], "days"),
    "that time in mean gaps between purchase days": bands(frame.column("recency_over_gap"), [0.5, 1, 2, 4], "gaps"),
    "spend in the last 84 days": bands(frame.column("spend_84d"), [100, 300, 600], "USD"),
}
segments(
    {name: mean_by_segment(outcomes, examples.positive, cut) for name, cut in cuts.items()},
    title=f"Who lapses after {as_of.tz_convert(ZONE):%Y-%m-%d}",
    xlabel="share without a purchase in the next 28 days",
    note=f"{SOURCE}. n = {len(examples):,} households that bought in the 56 days before; dashed: all of them;\n"
    "bars: 95 % bootstrap intervals over households.",
    reference=float(examples.positive.mean()),
    percent=True,
)

# %% [markdown]
# Frequency parts the households best. Being late by its own rhythm says less than one might think, until a household is
# late by four gaps: who buys twice a week is late after a few days, and comes back.
#
# ## Leakage shown
#
# The commonest mistake in such a table is a feature computed a little too late: a nightly extract joined on the wrong
# day, a "last purchase" column overwritten by the next one. Here it is made on purpose. Each feature alone ranks the
# households, as of the moment and as of some days past it. At 28 days it *is* the answer.

# %%
alone = ["days_since_purchase", "purchases_28d"]
peeks = {
    days: auc_of_features(dataset, examples, days_past(examples, days), tactful.STANDARD, alone)
    for days in (0, 1, 3, 7, 14, 21, 28)
}
curves(
    {descriptions[name]: {days: estimates[name] for days, estimates in peeks.items()} for name in alone},
    title="What a feature that peeks would seem to achieve",
    xlabel="days past the moment at which the feature is computed (0 is honest)",
    ylabel="AUC of the feature alone, no unit (0.5 is chance)",
    note=f"{SOURCE}. n = {len(examples):,} households; bands: 95 % bootstrap intervals over households.",
)

# %% [markdown]
# One event is enough. Below, each feature is computed just after the *next* event of each household, whatever it is:
# whoever comes back has then bought zero days ago.

# %%
table(
    {
        "honest: as of the moment": peeks[0],
        "one event past it": auc_of_features(
            dataset, examples, one_event_past(dataset, examples), tactful.STANDARD, alone
        ),
    }
).rename(columns={name: f"AUC of {descriptions[name]}" for name in alone})

# %% [markdown]
# In production the next event has not happened yet. A model built on the second row would be released on an AUC of
# 0.96, for a feature that is worth 0.76.
#
# ## Leakage avoided
#
# **The window.** There is one implementation of features, and it never reads at or past the moment. Erase the future
# from the log, and all features of all households keep the same bits:

# %%
past = write_events(events[events["time"] < as_of], Path(scratch.name) / "past", zone=ZONE, categories=CATEGORIES)
with_future, without_future = (build_dataset(log, [moment]) for log in (dataset, past))
assert with_future.fingerprint == without_future.fingerprint
f"{len(tactful.STANDARD)} features of {len(with_future):,} households, the same bits with the future and without it"

# %% [markdown]
# **The label.** Where the log ends, silence is not a lapse. A moment too late to be followed by 28 days of log has no
# label, and asking for one is an error rather than a column of false lapses:

# %%
try:
    lapses(dataset, [days_after(moment, 7, ZONE)], horizon_days=28, lookback_days=56)
except TrainingError as error:
    print(error)

# %%
scratch.cleanup()

# %% [markdown]
# **The split.** What a model learns from must be settled before the first day it is tested on; `02_models` shows the
# dates, and what the models make of these features.
