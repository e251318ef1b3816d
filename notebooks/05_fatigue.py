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
# # Fatigue: the price of one more contact
#
# **Question.** A customer was contacted twice this week. What does a third contact bring, and what does it cost?
#
# **Answer.** The third still pays: it brings 0.13 GBP (0.09 to 0.17) and costs 0.07 (0.07 to 0.08) in the risk of
# losing the customer. The fourth does not: 0.05 against 0.12. The risk grows by two thirds with each contact of the
# week, while what a contact adds shrinks; where the two cross is where to stop.
#
# **The customers are simulated**, in a world where contacts work, tire and drive away by known numbers, which stand
# beside the estimates. In a real shop the method is the same, the figures are not.

# %%
# %matplotlib inline
from datetime import timedelta

import numpy as np
import pandas as pd

from tactful.decisions.catalogue.objective import Fatigue
from tactful.decisions.kernel.arbitration import Factors, unsubscribe_risk
from tactful.experiments.studies.dose import by_recent, days_of, pressed
from tactful.experiments.world.parameters import preset
from tactful.experiments.world.trial import events_of, ids_of
from tactful.experiments.world.world import START, World
from tactful.models.base.metrics import Estimate
from tactful.models.scores.frequency import PressureModel
from tactful.training.studies.pictures import curves

CUSTOMERS, DAYS, SEED, CHANCE, MOST = 16_000, 70, 5, 0.35, 6
INTERVALS = "Bands: 95 %, clustered by customer."

# %% [markdown]
# ## Why a drawn log
#
# In an ordinary log whoever is contacted most is whom the marketer likes best: they would have bought anyway, and they
# bear more. To learn what a contact *does*, it must not depend on the customer. So here, for ten weeks, a draw decides
# each morning whether a customer gets a newsletter or a promotion: with probability 0.35, whoever it is. How many
# contacts the week before held is then chance too.

# %%
parameters = preset("realistic")
world = World(parameters, CUSTOMERS, SEED, keep_events=True)
ids = ids_of(world)
rng = np.random.default_rng(SEED)
for _ in range(DAYS):
    drawn = rng.random(CUSTOMERS) < CHANCE
    world.step(np.where(drawn, rng.integers(1, 4, CUSTOMERS), 0))
events = events_of(world, ids)
days = days_of(events, ids.tolist(), START, START + timedelta(days=DAYS))
doses = by_recent(days, MOST)
NOTE = f"SIMULATED customers, n = {CUSTOMERS:,}, {sum(dose.contacts for dose in doses):,} drawn contacts. {INTERVALS}"
pd.DataFrame(
    {
        "contacts": [f"{dose.contacts:,}" for dose in doses],
        "customers": [f"{dose.customers:,}" for dose in doses],
    },
    index=pd.Index(
        [f"{dose.recent}{' or more' if dose.recent == MOST else ''}" for dose in doses],
        name="contacts in the seven days before",
    ),
)

# %% [markdown]
# ## The risk
#
# How many unsubscribe on the day of a contact, by the contacts of the seven days before? The line is the fit that
# `tactful train pressure` makes; beside it stands the truth of the world for a customer of ordinary patience.

# %%
contacts, left = pressed(days)
model = PressureModel.fit(contacts, left, ["contacts_7d"])
numbers = np.arange(MOST)
fitted = model.score(numbers[:, None].astype(float))
true = [unsubscribe_risk(Fatigue(risk=parameters.unsubscribe, growth=parameters.tiring), int(n)) for n in numbers]
curves(
    {
        "observed": {dose.recent: dose.risk for dose in doses[:MOST]},
        "fitted": {int(n): Estimate(p, p, p) for n, p in zip(numbers, fitted, strict=True)},
        "the world's truth": {int(n): Estimate(p, p, p) for n, p in zip(numbers, true, strict=True)},
    },
    title="The risk that one more contact makes a customer unsubscribe",
    xlabel="contacts in the seven days before",
    ylabel="share of contacts followed by an unsubscribe",
    note=NOTE,
)

# %%
pd.DataFrame(
    {
        "fitted": {
            "risk of a rested customer": f"{fitted[0]:.5f}",
            "growth by contact, log-odds": f"{model.slopes[0]:.2f}",
        },
        "truth": {
            "risk of a rested customer": f"{parameters.unsubscribe:.5f}",
            "growth by contact, log-odds": f"{parameters.tiring:.2f}",
        },
    }
)

# %% [markdown]
# The fit finds what is true. Over a longer time it would fall behind it where contacts are many, since the impatient
# leave first and the patient stay.
#
# ## What it brings
#
# On each day, customers with as many recent contacts who drew a contact are compared with those who did not. A contact
# that follows many others adds less.

# %%
curves(
    {"purchases added": {dose.recent: dose.effect for dose in doses[:MOST]}},
    title="What one more contact adds",
    xlabel="contacts in the seven days before",
    ylabel="purchases added in three days, a contact",
    note=NOTE,
    reference=0.0,
)

# %% [markdown]
# ## The price
#
# What a contact brings is its effect times the margin of a purchase. What it costs, besides its cent, is the risk of
# losing the customer's reach, times what that reach is worth: here 25 GBP, about what answering a customer for a year
# brings in margin in `03_ab_test`. Both are parts of the same priority that every decision is made by. Discounts are
# left out here, so promotions look better than they are.

# %%
MARGIN, REACH = 14.0, 25.0


def worth(effect, risk):
    """The parts of the priority of a contact of an effect and a risk."""
    return Factors(effect=effect, value=MARGIN, unsubscribe=risk, reach_value=REACH, cost=parameters.contact_cost).terms


def gain(dose):
    """What a contact brings, in GBP, with its interval."""
    return Estimate(*(worth(part, 0.0)["margin"] for part in dose.effect))


def price(dose):
    """What the risk of a contact costs, in GBP, with its interval."""
    return Estimate(*(-worth(0.0, part)["unsubscribing"] for part in dose.risk))


curves(
    {
        "brings": {dose.recent: gain(dose) for dose in doses[:MOST]},
        "costs in risk": {dose.recent: price(dose) for dose in doses[:MOST]},
    },
    title="One more contact: what it brings and what it costs",
    xlabel="contacts in the seven days before",
    ylabel="GBP a contact",
    note=NOTE,
    reference=0.0,
)

# %%
pd.DataFrame(
    {
        "brings, GBP": ["{:.3f} ({:.3f} to {:.3f})".format(*gain(dose)) for dose in doses[:MOST]],
        "costs, GBP": ["{:.3f} ({:.3f} to {:.3f})".format(*price(dose)) for dose in doses[:MOST]],
    },
    index=pd.Index([dose.recent for dose in doses[:MOST]], name="contacts in the seven days before"),
)

# %% [markdown]
# ## What to take along
#
# - The risk grows with each contact of the week; what a contact adds shrinks. A cap guesses where they cross; a price
#   asked of each contact finds it for each customer.
# - State the risk and its growth under `fatigue:` in the catalogue, or let `tactful train pressure` learn them.
# - Some harm cannot be seen here: customers whom contacts drive away without unsubscribing. An experiment that leaves
#   some customers alone for long shows it, in revenue.
# - A log in which the marketer chose whom to contact would not do, however large.
