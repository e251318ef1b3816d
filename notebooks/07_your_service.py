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
# # Your service: what did it decide, and what came of it?
#
# **Question.** A service has decided for some weeks. What did it choose, why was it silent, what did customers do
# afterwards, and why did one customer get what they got?
#
# **Answer.** In five weeks it made 10,348 decisions about 992 customers. One in six was silence, each time because the
# customer had been contacted twice that week. A purchase within seven days followed 48 % of the answers to a cart, 23 %
# of the newsletters, and 43 % of the silences: the customers whom the cap protects are the most active ones. So the
# shares say who was decided about, and not what a message changed.
#
# **The customers are simulated** here. Set `FOLDER` to the folder of your own service, and every figure is yours.

# %%
# %matplotlib inline
import tempfile
from pathlib import Path

import pandas as pd

import tactful
from tactful.cli.simulation.served import served
from tactful.experiments.world.parameters import preset
from tactful.experiments.world.world import World
from tactful.models.base.metrics import Outcomes
from tactful.training.studies.pictures import segments
from tactful.training.studies.segments import bands, groups, mean_by_segment

FOLDER = ""  # such as "var/shop"; a simulated shop where it is empty
DAYS = 7  # how long a purchase may follow a decision

# %% [markdown]
# ## The folder
#
# `tactful.open` reads the folder's settings and opens its store, whether that is SQLite or PostgreSQL. Reading changes
# nothing, and the service may go on. The tables are pandas frames; moments are in UTC.

# %%
scratch = tempfile.TemporaryDirectory()
if not FOLDER:
    with served(World(preset("easy"), 1_000, seed=3, keep_events=True), Path(scratch.name)) as service:
        service.run("experiments: []", days=35)
        (Path(scratch.name) / "tactful.env").write_text(f"TACTFUL_NOW={service.world.moment.isoformat()}")
shop = tactful.open(FOLDER or scratch.name)
WHOSE = "SIMULATED customers" if not FOLDER else shop.catalogue.catalogue
decisions, contacts, events = shop.decisions(), shop.contacts(), shop.events()
tables = {"decisions": decisions, "contacts": contacts, "events": events}
pd.DataFrame(
    {
        "rows": {name: len(table) for name, table in tables.items()},
        "customers": {name: table["customer_id"].nunique() for name, table in tables.items()},
        "first": {name: table["time"].min() for name, table in tables.items()},
        "last": {name: table["time"].max() for name, table in tables.items()},
    }
)

# %% [markdown]
# ## What was chosen, and why silence
#
# Silence is a decision too, and has a reason: no programme was open, a rule excluded every message, or none was worth
# sending. The table below counts the reasons.

# %%
decisions["chosen"] = decisions["message"].fillna("silence")
decisions.groupby("chosen").agg(
    decisions=("decision_id", "size"),
    customers=("customer_id", "nunique"),
    worth=("priority", "mean"),
    chance=("probability", "mean"),
).rename(columns={"worth": f"mean worth over silence, {shop.catalogue.currency}", "chance": "mean probability"}).round(
    3
)

# %%
decisions["silence"].dropna().value_counts().rename_axis("why silence").to_frame("decisions")

# %% [markdown]
# ## What customers did afterwards
#
# Of the decisions that are old enough, how many were followed by a purchase within `DAYS` days? This is what happened,
# not what a message caused: whoever left a cart yesterday buys more often, with a message or without. For the effect,
# see `04_off_policy` and `03_ab_test`.

# %%
end = max(decisions["time"].max(), events["time"].max())
settled = decisions[decisions["time"] <= end - pd.Timedelta(days=DAYS)].sort_values("time", kind="stable")
bought = events.loc[events["type"] == "purchase", ["customer_id", "time"]].rename(columns={"time": "bought"})
after = pd.merge_asof(
    settled,
    bought.sort_values("bought", kind="stable"),
    left_on="time",
    right_on="bought",
    by="customer_id",
    direction="forward",
    allow_exact_matches=False,
    tolerance=pd.Timedelta(days=DAYS),
)
followed = after["bought"].notna().to_numpy()
outcomes = Outcomes.of(followed, after["customer_id"].to_numpy(dtype=str))
as_of = settled["time"].median()
features = shop.features(as_of)
known = features.reindex(after["customer_id"])
cuts = {
    "chosen": groups(after["chosen"].tolist()),
    f"days since the last purchase, as of {as_of:%Y-%m-%d}": bands(
        known["days_since_purchase"].to_numpy(), [7, 14, 28], "days"
    ),
}
segments(
    {name: mean_by_segment(outcomes, followed, cut) for name, cut in cuts.items()},
    title=f"Decisions followed by a purchase within {DAYS} days",
    xlabel="share of decisions",
    note=f"{WHOSE}. n = {len(after):,} decisions about {after['customer_id'].nunique():,} customers; "
    "bars: 95 % bootstrap intervals over customers.",
    reference=float(followed.mean()),
    percent=True,
)

# %% [markdown]
# ## One decision
#
# The latest one that chose a message, as it was made: the reasons, the text, and every candidate.

# %%
latest = decisions.dropna(subset=["message"]).iloc[-1]
shop.explain(latest["decision_id"])

# %% [markdown]
# And what the service would decide about the same customer now. Nothing is written.

# %%
print(shop.decide(latest["customer_id"], id="notebook"))

# %%
shop.close()
scratch.cleanup()

# %% [markdown]
# ## What to take along
#
# - The tables join by `decision_id` and `customer_id`; `features(as_of)` adds what was known at any moment.
# - A share after a decision is no effect. Keep some chance in the policy, and the logged `probability` lets you
#   estimate one.
# - `explain` and `decide` show a single customer; `tactful explain ID` also says what each loser would have needed.
